"""CycleGAN, CUT, FastCUT and StarGAN: which image is made of which, and who learns from what."""

import pytest
import torch
from torch import Tensor, nn

from tests.tiny import image
from training.engine.trainer import Preset, training_only
from training.losses.contrastive import patch_contrast
from training.options import Labelled, Unpaired
from training.presets import build
from training.presets.cut import Cut, Fastcut
from training.presets.cyclegan import Cyclegan
from training.presets.stargan import Stargan
from training.steps.labels import Labels
from training.steps.one_way import OneWay
from training.steps.two_way import TwoWay

RUN = {"updates": 2, "width": 4, "blocks": 1, "batch": 2}


def tiny(config_class: type, **options) -> Preset:
    data = Labelled(worlds=("palette", "ink"), crop=32) if config_class is Stargan else Unpaired(world="palette", crop=32)
    torch.manual_seed(0)
    return build(config_class(data=data, **RUN, **options))


def learners(preset: Preset, phase: int) -> set[str]:
    """Networks that get a gradient from the losses of a phase."""
    recipe = preset.recipe
    step = recipe.step(preset.nets, torch.utils.data.default_collate([preset.data[0], preset.data[1]]), pools=recipe.make_pools())
    with training_only(preset.nets, recipe.phases[phase].players):
        sum(recipe.losses(step, recipe.phases[phase]).values()).backward()
    return {name for name, net in preset.nets.items() if all(p.grad is not None and p.grad.any() for p in net.parameters())}


def test_cycles_lead_back():
    step = TwoWay({"g_ab": lambda x: x / 2, "g_ba": lambda x: x + 1}, {"a": image(seed=1), "b": image(seed=2)})
    a, b = step["a"], step["b"]
    wanted = {"fake_b": a / 2, "back_a": a / 2 + 1, "same_b": b / 2, "fake_a": b + 1, "back_b": (b + 1) / 2, "same_a": a + 1}
    for name, value in wanted.items():
        torch.testing.assert_close(step[name], value)


class Patches(nn.Module):
    """A generator that adds `shift`, with the image and its quarter as features."""

    def __init__(self, shift: float):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, image: Tensor, features: bool = False) -> Tensor | list[Tensor]:
        return [image, image[:, :, ::4, ::4]] if features else image + self.shift


def test_results_are_contrasted_at_the_places_of_the_photo():
    generator, head = Patches(0.25), lambda *samples: list(samples)
    step = OneWay({"g": generator, "head": head}, {"a": image(32, 32, seed=1), "b": image(32, 32, seed=2)})
    assert [vector.shape for vector in step["a_vectors"]] == [(2, 256, 3), (2, 64, 3)]  # as many patches as there are places
    for places in step.places:
        assert len(places.unique()) == len(places)
    for of, made in (("a", "fake"), ("b", "same")):
        torch.testing.assert_close(step[made], step[of] + 0.25)
        for mine, theirs in zip(step[f"{made}_vectors"], step[f"{of}_vectors"], strict=True):
            torch.testing.assert_close(mine, theirs + 0.25)
            assert mine.requires_grad and not theirs.requires_grad
    first = step["a"].flatten(2)[:, :, step.places[0]].transpose(1, 2)
    torch.testing.assert_close(step["a_vectors"][0], first)


def test_stargan_goes_to_the_target_and_back_to_the_label():
    class Shift(nn.Module):
        def forward(self, image, label):
            return image + label[:, None, None, None]

    class Sums(nn.Module):
        def forward(self, image, classes=False):
            return [image], image.sum(dim=(2, 3))

    batch = {"image": image(), "label": torch.tensor([0, 1]), "target": torch.tensor([2, 0])}
    step = Labels({"g": Shift(), "d": Sums()}, batch)
    by = torch.tensor([2.0, 0.0])[:, None, None, None]
    torch.testing.assert_close(step["fake"], image() + by)
    torch.testing.assert_close(step["back"], image() + by + torch.tensor([0.0, 1.0])[:, None, None, None])
    torch.testing.assert_close(step["fake_logits"], (image() + by).sum(dim=(2, 3)))
    torch.testing.assert_close(step["image_logits"], image().sum(dim=(2, 3)))


@pytest.mark.parametrize(
    ("config_class", "generators", "discriminators"),
    [
        (Cyclegan, {"g_ab", "g_ba"}, {"d_a", "d_b"}),
        (Cut, {"g", "head"}, {"d"}),
        (Fastcut, {"g", "head"}, {"d"}),
        (Stargan, {"g"}, {"d"}),
    ],
)
def test_each_phase_trains_its_players_and_no_other(config_class, generators, discriminators):
    assert learners(tiny(config_class), phase=0) == generators
    assert learners(tiny(config_class), phase=1) == discriminators


def test_options_choose_the_terms():
    def terms(*arguments, **options):
        return {term.name: term.weight for term in tiny(*arguments, **options).recipe.terms}

    assert terms(Cyclegan, cycle=8.0) == {"cycle_a": 8, "cycle_b": 8, "same_a": 5, "same_b": 5}
    assert terms(Cyclegan, identity=0.0) == {"cycle_a": 10, "cycle_b": 10}
    assert terms(Cut) == {"contrast_a": 1, "contrast_b": 1}
    assert terms(Fastcut) == {"contrast_a": 10}


def test_options_choose_the_patches():
    preset = tiny(Cut, patches=7)
    step = preset.recipe.step(preset.nets, torch.utils.data.default_collate([preset.data[0]]))
    assert {vectors.shape[1] for vectors in step["a_vectors"]} == {7}


def test_contrast_keeps_the_content():
    """Trained by contrast alone, the translation of a picture tells its places apart far better than a guess does."""
    preset = tiny(Fastcut)
    batch = torch.utils.data.default_collate([preset.data[0], preset.data[1]])
    players = [*preset.nets["g"].parameters(), *preset.nets["head"].parameters()]
    optimizer = torch.optim.Adam(players, lr=2e-3)
    losses = []
    for _ in range(40):
        torch.manual_seed(0)
        step = preset.recipe.step(preset.nets, batch)
        losses.append(patch_contrast(step["fake_vectors"], step["a_vectors"]))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]
