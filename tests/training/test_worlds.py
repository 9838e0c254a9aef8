"""Scenes and renderers: pictures that vary, and styles that change them clearly, in a way a network can learn."""

from typing import get_args

import numpy as np
import pytest

from training.data.worlds import RENDERERS, scene
from training.options import World


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def distance(one: np.ndarray, two: np.ndarray) -> float:
    """Mean absolute distance, of pixels in [-1, 1]."""
    return float(np.abs(one.astype(float) - two).mean() / 127.5)


def test_the_renderers_are_the_worlds_of_the_command_line():
    assert set(RENDERERS) == set(get_args(World))


@pytest.mark.parametrize("size", [16, 33, 64])
def test_scenes_follow_from_the_generator_and_vary(size):
    scenes = [scene(size, rng(seed)) for seed in range(8)]
    assert all(picture.shape == (size, size, 3) and picture.dtype == np.uint8 for picture in scenes)
    assert np.array_equal(scenes[0], scene(size, rng(0)))
    assert min(distance(one, two) for i, one in enumerate(scenes) for two in scenes[:i]) > 0.1
    assert min(picture.std() for picture in scenes) > 10  # no picture is nearly empty


def test_a_scene_is_the_same_scene_at_every_size():
    for seed in range(6):
        large = scene(128, rng(seed)).reshape(64, 2, 64, 2, 3).mean((1, 3))
        assert distance(large, scene(64, rng(seed))) < 0.05 < distance(large, scene(64, rng(seed + 1)))


@pytest.mark.parametrize("world", RENDERERS)
@pytest.mark.parametrize("shape", [(64, 64), (65, 70), (17, 16)])
def test_rendering_keeps_the_size_and_leaves_the_photo_alone(world, shape):
    photo = scene(70, rng())[: shape[0], : shape[1]]
    before = photo.copy()
    result = RENDERERS[world](photo, rng())
    assert result.shape == photo.shape and result.dtype == np.uint8
    assert np.array_equal(photo, before)
    assert np.array_equal(result, RENDERERS[world](photo, rng()))


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("world", RENDERERS)
def test_rendering_changes_pictures_clearly_and_keeps_them_apart(world, size):
    scenes = [scene(size, rng(seed)) for seed in range(6)]
    results = [RENDERERS[world](picture, rng()) for picture in scenes]
    assert np.mean([distance(one, two) for one, two in zip(scenes, results, strict=True)]) > 0.12
    assert min(distance(one, two) for i, one in enumerate(results) for two in results[:i]) > 0.06


@pytest.mark.parametrize("world", RENDERERS)
def test_rendering_is_local_and_its_pattern_repeats_every_four_pixels(world):
    """What a network that halves the resolution twice can compute: far pixels do not matter, and steps of 4 px change nothing."""
    photo = scene(96, rng(3))
    whole = RENDERERS[world](photo, rng())
    moved = RENDERERS[world](photo[8:, 12:], rng(1))
    assert np.abs(moved[16:-16, 16:-16].astype(int) - whole[24:-16, 28:-16]).max() <= 1
    if world in ("pointillism", "hatching", "mosaic"):  # and steps of 2 px do not
        moved = RENDERERS[world](photo[2:], rng())
        assert distance(moved[16:-16, 16:-16], whole[18:-16, 16:-16]) > 0.05
