"""semantic, reference and layers: what is measured on which features, by whom, and when."""

import pytest
import torch
import torch.nn.functional as F

from styletransfer import load_pipeline
from styletransfer.images import to_pil
from tests.tiny import image
from training.engine.trainer import Preset, Trainer, training_only
from training.losses.matching import feature_matching
from training.losses.perceptual import style_distance
from training.options import Features, Unpaired
from training.presets import build
from training.presets.layers import Layers
from training.presets.reference import Reference
from training.presets.semantic import Semantic
from training.steps import features as steps

RUN = {"batch": 2, "device": "cpu", "precision": "no", "tracker": "none", "updates": 2}
CONFIGS = {"semantic": Semantic, "reference": Reference, "layers": Layers}


def config(name: str, **options):
    options = {"data": Unpaired(world="palette", crop=32)} | RUN | options
    if name == "semantic":
        options = {"backbone": "resnet18"} | options
    options |= {} if name == "layers" else {"features": Features(weights="random")}
    options |= {} if name == "reference" else {"width": 4}
    torch.manual_seed(0)
    return CONFIGS[name](**options)


def begin(preset: Preset, progress: float = 1.0) -> steps.Step:
    return preset.recipe.step(preset.nets, torch.utils.data.default_collate([preset.data[0], preset.data[1]]), progress)


@pytest.mark.parametrize("name", CONFIGS)
def test_each_phase_trains_its_players_and_no_other(name):
    preset = build(config(name))
    for phase in preset.recipe.phases:
        step = begin(preset)
        with training_only(preset.nets, phase.players):
            sum(preset.recipe.losses(step, phase).values()).backward()
        for net_name, net in preset.nets.items():
            # of weights: near zero outputs, hinge pulls the last bias up for real ones as much as down for fakes
            learns = [p.grad is not None and bool(p.grad.any()) for p in net.parameters() if p.ndim > 1]
            assert all(learns) if net_name in phase.players else not any(learns), net_name
            net.zero_grad()


def test_semantic_goes_through_three_stages():
    preset = build(config("semantic"))
    stages = {0.0: {"reconstruction", "content"}, 0.3: {"content", "fool_d"}, 0.5: {"content", "style", "fool_d"}}
    for progress, names in stages.items():
        assert preset.recipe.losses(begin(preset, progress), preset.recipe.phases[0]).keys() == names
    assert not preset.recipe.losses(begin(preset, 0.0), preset.recipe.phases[1])


def test_semantic_can_start_from_imagenet(monkeypatch):
    from styletransfer.models.backbone_discriminator import BackboneDiscriminator

    loaded = []
    monkeypatch.setattr(BackboneDiscriminator, "load_imagenet", lambda self: loaded.append(self))
    build(config("semantic"))
    assert not loaded
    preset = build(config("semantic", pretrained=True))
    assert loaded == [preset.nets["d"]]
    Trainer(preset, config("semantic", pretrained=True))  # would prepare a spectral norm
    assert not any("original" in name for name, _ in preset.nets["d"].named_parameters())


def test_layers_of_the_features_have_roles():
    seen = []

    def features(picture):
        seen.append(picture)
        return {layer: picture + layer for layer in (1, 4, 7, 9, 12)}

    step = steps.Semantic({"g": lambda x: -x, "features": features}, {"a": image(seed=1), "b": image(seed=2)})
    assert list(step["b_style"]) == [1, 4, 7, 9] and torch.equal(step["b_style"][4], image(seed=2) + 4)
    assert list(step["a_content"]) == [4, 7] and torch.equal(step["a_content"][7], image(seed=1) + 7)
    assert torch.equal(step["fake_features"][7], -image(seed=1) + 7)
    step = steps.Reference(step.nets | {"encoder": None}, step.batch)
    assert list(step["a_meaning"]) == [12]


def test_a_reference_guides_its_picture():
    nets = {"stylizer": lambda photo, code: photo + code[:, :, None, None], "encoder": lambda y: y.mean(dim=(2, 3))}
    a, b = image(seed=1), image(seed=2)
    step = steps.Reference(nets, {"a": a, "b": b})
    torch.testing.assert_close(step["fake"], a + b.mean(dim=(2, 3), keepdim=True))
    torch.testing.assert_close(step["same_b"], b + b.mean(dim=(2, 3), keepdim=True))


def test_layers_are_the_discriminators_own():
    preset = build(config("layers"))
    step = begin(preset)
    _, activations = preset.nets["d"](step["b"], features=True)
    assert list(step["b_layers"]) == [0, 1, 2, 3]
    for layer, activation in zip(step["b_layers"].values(), activations[0], strict=True):
        torch.testing.assert_close(layer, activation)
    _, activations = preset.nets["d"](step["a"], features=True)
    assert list(step["a_content"]) == [1, 2]
    torch.testing.assert_close(step["a_content"][2], F.instance_norm(activations[0][2]))


@pytest.mark.parametrize("loss", [style_distance, feature_matching])
def test_the_discriminators_layers_are_fixed_for_the_generator(loss):
    """The generator learns through them, the pictures' own take no gradient, and the discriminator learns nothing."""
    preset = build(config("layers"))
    step = begin(preset)
    with training_only(preset.nets, ("g",)):
        loss(step["fake_layers"], step["b_layers"]).backward()
    assert not any(value.requires_grad for value in (*step["b_layers"].values(), *step["a_content"].values()))
    assert all(parameter.grad is None for parameter in preset.nets["d"].parameters())
    assert all(parameter.grad.any() for parameter in preset.nets["g"].parameters())


@pytest.mark.parametrize("name", CONFIGS)
def test_the_package_is_what_was_trained(name, tmp_path):
    options = config(name, out=tmp_path / "run")
    trainer = Trainer(build(options), options)
    trainer.train()
    pipe = load_pipeline(tmp_path / "run" / "pipeline")
    (result,) = pipe(to_pil(image(33, 40, batch=1)), *(["palette"] if name == "reference" else [])).images
    assert result.size == (40, 33)
    trained = trainer.averages["stylizer" if name == "reference" else "g"].net.state_dict()
    loaded = (pipe.stylizer if name == "reference" else pipe.translator).state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in trained.items())


def test_a_reference_package_has_one_style_and_a_card(tmp_path):
    options = config("reference", out=tmp_path / "run")
    preset = build(options)
    folder = tmp_path / "run" / "pipeline"
    preset.export({name: preset.nets[name] for name in preset.averaged}, folder)
    pipe = load_pipeline(folder)
    assert pipe.styles == ["palette"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert 'style="palette"' in card and "python -m training reference" in card and "$" not in card
    assert (folder / "samples" / "sheet.jpg").is_file()


def test_a_domain_of_a_folder_gives_its_name_to_the_style(tmp_path):
    for side in ("photos", "monet"):
        for number in range(3):
            (tmp_path / side).mkdir(exist_ok=True)
            to_pil(image(40, 44, batch=1, seed=number)).save(tmp_path / side / f"{number}.png")
    options = config("reference", data=Unpaired(a=tmp_path / "photos", b=tmp_path / "monet", crop=32), out=tmp_path / "run")
    preset = build(options)
    preset.export({name: preset.nets[name] for name in preset.averaged}, tmp_path / "run" / "pipeline")
    assert load_pipeline(tmp_path / "run" / "pipeline").styles == ["monet"]
