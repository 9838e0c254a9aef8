"""pix2pix and super-resolution: what is made of what, who learns from what, and when."""

import pytest
import torch
import torch.nn.functional as F

from styletransfer import load_pipeline
from styletransfer.images import to_pil
from tests.tiny import image
from training.engine.trainer import Preset, Trainer, training_only
from training.options import Features, Pairs, Pictures
from training.presets import build
from training.presets.pix2pix import Pix2pix
from training.presets.superres import GROWING, Superres
from training.steps.paired import Enlarged, Paired

RUN = {"width": 4, "batch": 2, "device": "cpu", "precision": "no", "tracker": "none"}


def pix2pix(**options) -> Pix2pix:
    return Pix2pix(**{"data": Pairs(world="palette", crop=32), "updates": 2, **RUN, **options})


def superres(**options) -> Superres:
    fixed = {"data": Pictures(crop=64), "features": Features(weights="random"), "updates": 2}
    return Superres(**{**fixed, **RUN, "width": 12, **options})


def learners(preset: Preset, phase: int, progress: float = 1.0) -> set[str]:
    """Names of the parameters that get a gradient from the losses of a phase."""
    recipe = preset.recipe
    step = recipe.step(preset.nets, torch.utils.data.default_collate([preset.data[0], preset.data[1]]), progress)
    with training_only(preset.nets, recipe.phases[phase].players):
        sum(recipe.losses(step, recipe.phases[phase]).values()).backward()
    return {
        f"{name}.{parameter}"
        for name, net in preset.nets.items()
        for parameter, value in net.named_parameters()
        if value.grad is not None and value.grad.any()
    }


def test_the_discriminator_of_pairs_sees_the_source():
    step = Paired({"g": lambda x: -x}, {"source": image(seed=1), "target": image(seed=2)})
    torch.testing.assert_close(step["fake"], -image(seed=1))
    torch.testing.assert_close(step["fake_pair"], torch.cat([image(seed=1), -image(seed=1)], dim=1))
    torch.testing.assert_close(step["real_pair"], torch.cat([image(seed=1), image(seed=2)], dim=1))


def test_pix2pix_is_the_paper():
    preset = build(pix2pix())
    (game,), (term,) = preset.recipe.games, preset.recipe.terms
    assert (game.loss.name, game.weight, term.weight) == ("logistic", 1, 100)
    assert preset.betas == (0.5, 0.999) and set(preset.rates.values()) == {2e-4}
    assert preset.nets["d"].config.in_channels == 6
    assert [build(pix2pix(data=Pairs(world="ink", crop=crop))).nets["g"].config.num_downs for crop in (48, 256)] == [5, 8]


@pytest.mark.parametrize(("config", "players"), [(pix2pix, [("g",), ("d",)]), (superres, [("g",), ("d_half", "d")])])
def test_each_phase_trains_its_players_and_no_other(config, players):
    for phase, names in enumerate(players):
        preset = build(config())
        everything = {f"{player}.{name}" for player in names for name, _ in preset.nets[player].named_parameters()}
        # a relativistic game does not feel what moves all outputs alike
        missing = {f"{player}.columns.0.head.bias" for player in names} if config is superres else set()
        assert learners(preset, phase) == everything - missing


def enlarged(progress: float) -> Enlarged:
    def g(small, level, pyramid):
        assert pyramid
        return [F.interpolate(small, scale_factor=2**stage) + stage for stage in range(1, level + 1)]

    return Enlarged({"g": g}, {"real": image(64, 64), "small": image(16, 16)}, progress, growing=GROWING)


@pytest.mark.parametrize(("progress", "grown"), [(0, False), (0.14, False), (0.15, True), (1, True)])
def test_the_second_stage_joins(progress, grown):
    step = enlarged(progress)
    assert len(step["fakes"]) == 1 + grown
    assert step["fake_half"].shape == step["half"].shape == (2, 3, 32, 32)
    torch.testing.assert_close(step["fake_half"], F.interpolate(step["small"], scale_factor=2) + 1)
    if grown:
        torch.testing.assert_close(step["fake"], F.interpolate(step["small"], scale_factor=4) + 2)
    assert all(step[name].shape == (2, 3, 64, 64) for name in step.gallery)


def test_shrinking_leaves_no_aliases():
    stripes = torch.ones(1, 3, 64, 64)
    stripes[..., ::2] = -1
    inner = Enlarged({}, {"real": stripes}, growing=GROWING)["half"][..., 1:-1]
    assert inner.abs().max() < 0.05, inner.abs().max()


def test_before_it_grows_the_second_stage_rests():
    preset = build(superres())
    resting = {f"g.{name}" for name, _ in preset.nets["g"].named_parameters() if name.startswith("stages.1.")}
    everything = {f"g.{name}" for name, _ in preset.nets["g"].named_parameters()}
    assert resting and learners(preset, phase=0, progress=0.0) == everything - resting


def test_superres_plays_once_it_has_grown():
    preset = build(superres())
    assert all(game.during[0] >= GROWING for game in preset.recipe.games)
    batch = torch.utils.data.default_collate([preset.data[0], preset.data[1]])
    first = {"l1_half", "features_half"}
    for progress, names in (
        (0.0, first),
        (GROWING, first | {"l1", "features"}),
        (0.5, first | {"l1", "features", "fool_d_half", "fool_d"}),
    ):
        step = preset.recipe.step(preset.nets, batch, progress)
        assert preset.recipe.losses(step, preset.recipe.phases[0]).keys() == names


def test_superres_is_scored_on_the_small_pictures_of_its_stream():
    preset = build(superres())
    made = preset.scorer.held.made(preset.nets, preset.scorer.make)
    assert made.shape == preset.scorer.held["real"].shape
    assert not torch.equal(preset.scorer.held["real"][0], preset.data[0]["real"])


@pytest.mark.parametrize(("config", "scale"), [(pix2pix, 1), (superres, 4)])
def test_the_package_is_what_was_trained(config, scale, tmp_path):
    config = config(out=tmp_path / "run")
    trainer = Trainer(build(config), config)
    trainer.train()
    pipe = load_pipeline(tmp_path / "run" / "pipeline")
    photo = to_pil(image(33, 40, batch=1))
    (result,) = pipe(photo).images
    assert result.size == (scale * photo.width, scale * photo.height)
    trained, loaded = trainer.averages["g"].net.state_dict(), pipe.translator.state_dict()
    assert all(torch.equal(value, loaded[name]) for name, value in trained.items())


@pytest.mark.slow
def test_pix2pix_learns_the_palette(tmp_path):
    """From farther than the copy to well below it, on pictures that were not trained on."""
    from training.data.streams import pairs

    torch.manual_seed(0)
    config = pix2pix(updates=60, width=8, batch=4, rate=2e-3, out=tmp_path, log_every=1000, sample_every=1000)
    preset = build(config)
    held = torch.utils.data.default_collate([pairs(config.data, 0, part="held")[i] for i in range(8)])

    def distance() -> float:
        step = preset.recipe.step({"g": preset.nets["g"].eval()}, held)
        with torch.no_grad():
            return (step["fake"] - step["target"]).abs().mean().item()

    copy, before = (held["source"] - held["target"]).abs().mean().item(), distance()
    preset.nets["g"].train()
    Trainer(preset, config).train()
    assert distance() < 0.7 * min(copy, before)
