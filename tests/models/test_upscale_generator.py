"""UpscaleGenerator: its stages, and how the second fades in."""

import pytest
import torch
import torch.nn.functional as F

from styletransfer.models.upscale_generator import UpscaleGenerator
from tests.tiny import image


@pytest.fixture
def generator() -> UpscaleGenerator:
    torch.manual_seed(0)
    return UpscaleGenerator(base_channels=4, num_blocks=1).eval()


def twice(picture: torch.Tensor) -> torch.Tensor:
    return F.interpolate(picture, scale_factor=2, mode="bicubic", align_corners=False)


@torch.no_grad()
def test_each_stage_doubles(generator):
    small = image(17, 20)
    assert generator(small, level=1).shape == (2, 3, 34, 40)
    assert generator(small, level=1.01).shape == generator(small).shape == (2, 3, 68, 80)
    torch.testing.assert_close(generator(small, level=2), generator(small))
    assert UpscaleGenerator(base_channels=4, num_blocks=1, scale=8)(small).shape == (2, 3, 136, 160)


@torch.no_grad()
def test_the_second_stage_fades_in(generator):
    small = image(17, 20)
    first, full = twice(generator(small, level=1)), generator(small)
    torch.testing.assert_close(generator(small, level=1 + 1e-6), first, rtol=0, atol=1e-5)
    torch.testing.assert_close(generator(small, level=1.25), torch.lerp(first, full, 0.25))
    assert (full - first).abs().mean() > 1e-3


@torch.no_grad()
def test_it_starts_near_the_bicubic_enlargement(generator):
    small = image(16, 16)
    bicubic = twice(twice(small))
    assert (generator(small) - bicubic).abs().mean() < 0.2 * bicubic.abs().mean()


@pytest.mark.parametrize("level", [0.5, 2.5])
def test_a_level_that_is_not_there(generator, level):
    with pytest.raises(ValueError, match=f"from 1 to 2, got {level}"):
        generator(image(16, 16), level=level)


def test_a_scale_without_stages():
    with pytest.raises(ValueError, match="scale must be 2, 4 or 8, got 3"):
        UpscaleGenerator(scale=3)
