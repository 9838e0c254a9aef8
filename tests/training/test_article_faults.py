"""Faults of the code that articles on these systems print, none of which may be ours.

Each check also runs on an engine into which the fault has been put, where it must fail: otherwise it would guard nothing.
"""

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus

from tests.tiny_presets import CONFIGS
from training.engine.recipe import Recipe
from training.engine.trainer import Trainer, training_only
from training.losses.adversarial import GAMES, LOGISTIC, Adversarial
from training.presets import build

SATURATING = replace(LOGISTIC, name="saturating", generator=lambda real, fake: -softplus(fake))


@pytest.fixture
def start(pictures: Path, tmp_path: Path):
    """Preset -> its tiny trainer; with `change`, of a changed recipe."""

    def begin(name: str, change=lambda recipe: recipe) -> Trainer:
        shared = {"device": "cpu", "precision": "no", "tracker": "none", "out": tmp_path}
        config = CONFIGS[name](pictures, batch=2, updates=2, **shared)
        torch.manual_seed(0)
        preset = build(config)
        return Trainer(replace(preset, recipe=change(preset.recipe)), config)

    return begin


def expect_failure(faulty: bool):
    return pytest.raises(AssertionError) if faulty else contextlib.nullcontext()


# --- the fake is not detached when the discriminator trains ---


@pytest.mark.parametrize("faulty", [False, True])
def test_the_discriminator_reaches_no_generator(start, monkeypatch, faulty):
    if faulty:
        monkeypatch.setattr("training.engine.recipe.tree_map", lambda function, image: image)
    trainer = start("dcgan")
    step = trainer.recipe.step(trainer.nets, next(trainer.batches()))
    generator, discriminator = trainer.recipe.phases
    fake = step["fake"]  # made while the generator takes gradients, as in its own phase
    fake.retain_grad()
    with training_only(trainer.nets, discriminator.players):
        sum(trainer.recipe.losses(step, discriminator).values()).backward()
    with expect_failure(faulty):
        assert fake.grad is None
        assert all(p.grad is None for name in generator.players for p in trainer.nets[name].parameters())
    assert all(p.grad is not None for p in trainer.nets["d"].parameters())


# --- style as the distance of pixels from an unpaired picture ---


def pixel_distance(result: Tensor, painting: Tensor) -> Tensor:
    return (result - painting).square().mean()


@pytest.mark.parametrize("name", ["semantic", "reference", "layers", "faulty"])
def test_style_does_not_care_where_things_are(start, name):
    """A result whose content is moved has the same style; by pixels it would be as far as any other picture."""
    faulty = name == "faulty"
    trainer = start("semantic" if faulty else name)
    (term,) = (term for term in trainer.recipe.terms if term.name == "style")
    if faulty:
        term = replace(term, loss=pixel_distance, on=("fake", "b"))
    batch = next(trainer.batches())

    def distance(result: Tensor) -> float:
        step = trainer.recipe.step(trainer.nets, batch)
        step.fake = result
        return term.loss(*(step[name] for name in term.on)).item()

    with torch.no_grad():
        same, moved, other = distance(batch["b"]), distance(batch["b"].roll((8, 8), (2, 3))), distance(-batch["b"])
    assert same == pytest.approx(0, abs=1e-6)
    with expect_failure(faulty):
        assert moved < 0.2 * other


def test_no_term_compares_pixels_with_an_unpaired_picture(start):
    """Pixels of a result are compared with what it was made of alone: gradients never pull `fake` towards the pixels of b."""
    for name in ("semantic", "reference", "layers", "cyclegan", "cut", "fastcut"):
        for term in start(name).recipe.terms:
            assert not {("fake", "b"), ("fake_b", "b"), ("fake_a", "a")} & {term.on, term.on[::-1]}, f"{name}: {term.name}"


# --- a generator loss that saturates ---


@pytest.mark.parametrize("loss", [*GAMES.values(), SATURATING], ids=lambda loss: loss.name)
def test_a_sure_discriminator_still_teaches_the_generator(start, loss: Adversarial):
    """Where the discriminator is certain of a fake, log(1 - D) is flat: the generator would learn least when it is worst."""

    def pull(certainty: float) -> float:
        """Length of the gradient of the generator's loss at the fake."""
        trainer = start("dcgan", lambda recipe: replace(recipe, games=(replace(recipe.games[0], loss=loss),)))
        discriminator = trainer.nets["d"]
        judge = discriminator.forward
        discriminator.forward = lambda image: [output - certainty for output in judge(image)]
        step = trainer.recipe.step(trainer.nets, {"real": torch.zeros(2, 3, 32, 32)})
        torch.manual_seed(0)
        (fool,) = trainer.recipe.losses(step, trainer.recipe.phases[0]).values()
        return torch.autograd.grad(fool, step["fake"])[0].norm().item()

    with expect_failure(loss is SATURATING):
        assert pull(20.0) >= 0.5 * pull(0.0) > 0


# --- the discriminator steps before the generator's backward ---


@pytest.mark.parametrize("faulty", [False, True])
def test_the_generator_learns_from_the_discriminator_that_judged_it(start, faulty):
    """Gradients of the generator are those of the networks before the update, and of the fakes that the discriminator saw."""

    def swap(recipe: Recipe) -> Recipe:
        return replace(recipe, phases=recipe.phases[::-1]) if faulty else recipe

    def gradients(trainer: Trainer) -> Tensor:
        return torch.cat([p.grad.flatten() for p in trainer.nets["g_ab"].parameters() if p.grad is not None])

    still = start("cyclegan")
    batch, phase = next(still.batches()), still.recipe.phases[0]
    with training_only(still.nets, phase.players):
        sum(still.recipe.losses(still.recipe.step(still.nets, batch), phase).values()).backward()
    wanted = gradients(still)

    trainer = start("cyclegan", swap)
    used: list[Tensor] = []
    step = trainer.optimizers["generator"].step
    trainer.optimizers["generator"].step = lambda: (used.append(gradients(trainer)), step())
    trainer.train_one([batch])
    with expect_failure(faulty):
        assert used[0].shape == wanted.shape
        assert torch.cosine_similarity(used[0], wanted, dim=0) > 0.9999  # their length may have been clipped
