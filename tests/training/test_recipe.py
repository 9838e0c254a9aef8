"""A recipe that cannot work fails before the first update, in words."""

import dataclasses

import pytest

from training.engine.recipe import Phase, Term
from training.engine.trainer import Trainer


def check(preset, config, **changes):
    preset = dataclasses.replace(preset, recipe=dataclasses.replace(preset.recipe, **changes))
    trainer = Trainer(preset, config)
    trainer.recipe.check(trainer.nets, trainer.first_batch())


def test_a_sound_recipe_passes(tiny_painter, config):
    check(tiny_painter, config)


def test_misspelt_image(tiny_painter, config):
    with pytest.raises(KeyError, match="fake_featurs"):
        check(tiny_painter, config, terms=(Term("content", max, ("fake_featurs", "content")),))


def test_misspelt_phase(tiny_painter, config):
    with pytest.raises(ValueError, match="genrator"):
        check(tiny_painter, config, terms=(Term("style", max, ("fake",), phase="genrator"),))


def test_unknown_player(tiny_painter, config):
    phases = (*tiny_painter.recipe.phases, Phase("critic", ("critic",)))
    recipe = dataclasses.replace(tiny_painter.recipe, phases=phases)
    with pytest.raises(ValueError, match="critic"):
        recipe.check(tiny_painter.nets, {})


def test_loss_that_is_no_number(tiny_painter, config):
    with pytest.raises(ValueError, match="one finite number"):
        check(tiny_painter, config, terms=(Term("raw", lambda image: image, ("fake",)),))
