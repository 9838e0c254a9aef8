"""Pictures from noise: what the steps hold, what the presets differ in, and that a growing run passes every resolution."""

import dataclasses
import inspect
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from styletransfer.pipelines import load_pipeline
from tests.tiny import image
from training.data.augment import diff_augment
from training.data.streams import CropsOfFew
from training.engine.trainer import Trainer
from training.losses.lipschitz import LIPSCHITZ, GradientNorm, GradientPenalty, SpectralNorm
from training.options import Pictures
from training.presets import build
from training.presets.dcgan import Dcgan, R3gan, Wgan
from training.presets.few import Few
from training.presets.progressive import Progressive
from training.steps.noise import GrowingNoise


def options(out: Path, crop: int = 16) -> dict:
    return {
        "data": Pictures(crop=crop),
        "z_size": 4,
        "width": 4,
        "batch": 2,
        "updates": 10,
        "log_every": 1,
        "out": out,
        "device": "cpu",
        "precision": "no",
        "tracker": "none",
    }


class Four(GrowingNoise):
    levels = 4


def test_the_level_rises_by_steps_and_ramps():
    """Four levels in 60 % of the training: each eighth of it holds a level or fades in the next."""
    levels = [Four({}, {}, progress).level for progress in (0, 0.07, 0.1125, 0.15, 0.2, 0.225, 0.5625, 0.6, 1.0)]
    assert levels == pytest.approx([0, 0, 0.5, 1, 1, 1, 3.5, 4, 4], abs=1e-6)
    assert all(isinstance(level, float) for level in levels)


def test_real_pictures_fade_as_the_fakes_do():
    real = image(128, 128)
    assert Four({}, {"real": real}, 1.0).seen.equal(real)
    torch.testing.assert_close(Four({}, {"real": real}, 0.0).seen, F.avg_pool2d(real, 16))
    half = Four({}, {"real": real}, 0.5625)  # level 3.5
    coarse = F.interpolate(F.avg_pool2d(real, 2), scale_factor=2)
    torch.testing.assert_close(half.seen, (coarse + real) / 2)


def test_a_growing_run_passes_every_resolution(tmp_path):
    config = Progressive(**options(tmp_path, crop=32))
    preset = build(config)
    trainer = Trainer(preset, config)
    sizes, outputs_on = [], trainer.recipe.step.outputs_on

    def watch(step, game, name):
        sizes.append(step[name].shape[-1])
        return outputs_on(step, game, name)

    watched = type("Watched", (trainer.recipe.step,), {"outputs_on": watch})
    trainer.recipe = dataclasses.replace(trainer.recipe, step=watched)
    trainer.train()
    assert sorted(set(sizes)) == [8, 16, 32] and sizes[-1] == 32
    assert load_pipeline(tmp_path / "pipeline")(seeds=[0]).images[0].size == (32, 32)


def test_both_players_see_the_same_noise(tmp_path):
    preset = build(Dcgan(**options(tmp_path)))
    step = preset.recipe.step(preset.nets, {"real": image(16, 16)})
    assert step.z.shape == (2, 4) and step.fake is step["fake"] and step.fake.shape == (2, 3, 16, 16)


def test_the_generator_rests_between_its_updates(tmp_path):
    config = Wgan(**options(tmp_path))
    trainer = Trainer(build(config), config)
    batches = trainer.batches()
    played = []
    for _ in range(10):
        before = trainer.nets["g"].out.weight.detach().clone()
        trainer.train_one([next(batches)])
        played.append(not torch.equal(trainer.nets["g"].out.weight, before))
    assert played == [True, False, False, False, False] * 2


@pytest.mark.parametrize(
    ("config", "game", "method", "augmented"),
    [
        (Dcgan, "logistic", LIPSCHITZ["none"], None),
        (Wgan, "wasserstein", GradientPenalty(10.0), None),
        (R3gan, "relativistic", GradientNorm(1.0, ("real", "fake"), every=1), None),
        (Few, "hinge", SpectralNorm(), diff_augment),
    ],
)
def test_presets_are_their_papers(config, game, method, augmented, tmp_path):
    (played,) = build(config(**options(tmp_path))).recipe.games
    assert played.loss.name == game and played.lipschitz == method and played.augment is augmented


@pytest.mark.parametrize("name", LIPSCHITZ)
def test_every_lipschitz_method_by_option(name, tmp_path):
    config = Dcgan(**options(tmp_path), lipschitz=name)
    (game,) = build(config).recipe.games
    assert game.lipschitz is LIPSCHITZ[name]
    assert set(LIPSCHITZ) == set(inspect.get_annotations(Dcgan, eval_str=True)["lipschitz"].__args__)


def test_real_and_fake_are_changed_in_both_phases(tmp_path):
    preset = build(Few(**options(tmp_path)))
    changed = []

    def augment(picture):
        changed.append(picture)
        return diff_augment(picture)

    game = dataclasses.replace(preset.recipe.games[0], augment=augment)
    recipe = dataclasses.replace(preset.recipe, games=(game,))
    step = recipe.step(preset.nets, {"real": image(16, 16)})
    generator, discriminator = recipe.phases
    loss = recipe.losses(step, generator)["fool_d"]
    assert [picture is step.fake for picture in changed] == [True]
    (gradient,) = torch.autograd.grad(loss, step.fake, retain_graph=True)  # through the change
    assert gradient.any()
    recipe.losses(step, discriminator)
    assert len(changed) == 3 and changed[1].equal(step.fake) and changed[2].equal(step["real"])


def test_crops_of_few_pictures(tmp_path):
    data = CropsOfFew(Pictures(crop=16), 2, seed=0)
    assert len(data.pictures) == 2 and data.pictures[0].shape == (3, 24, 24)
    crops = [data[position]["real"] for position in range(40)]
    assert len({tuple(crop.flatten().tolist()) for crop in crops}) > 20
    pieces = [picture.unfold(1, 16, 1).unfold(2, 16, 1) for picture in data.pictures]  # (3, 9, 9, 16, 16)
    owners = [
        next(n for n, piece in enumerate(pieces) if (piece == crop[:, None, None]).all(-1).all(-1).all(0).any()) for crop in crops
    ]
    assert set(owners) == {0, 1}
    assert data[7]["real"].equal(data[7]["real"])
