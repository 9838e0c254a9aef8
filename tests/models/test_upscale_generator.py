"""UpscaleGenerator: its stages, how far a pixel reaches, and that its weights leave no grid."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from styletransfer.models.upscale_generator import UpscaleGenerator
from tests.tiny import image


@pytest.fixture
def generator() -> UpscaleGenerator:
    torch.manual_seed(0)
    return UpscaleGenerator(base_channels=4, num_blocks=1).eval()


def twice(picture: Tensor) -> Tensor:
    return F.interpolate(picture, scale_factor=2, mode="bicubic", align_corners=False)


@torch.no_grad()
def test_each_stage_doubles(generator):
    small = image(17, 20)
    assert generator(small, level=1).shape == (2, 3, 34, 40)
    assert generator(small, level=2).shape == (2, 3, 68, 80)
    torch.testing.assert_close(generator(small, level=2), generator(small))
    assert UpscaleGenerator(base_channels=4, num_blocks=1, scale=8)(small).shape == (2, 3, 136, 160)


@torch.no_grad()
def test_the_pyramid_holds_what_each_level_gives(generator):
    small = image(17, 20)
    half, full = generator(small, pyramid=True)
    torch.testing.assert_close(half, generator(small, level=1))
    torch.testing.assert_close(full, generator(small, level=2))
    (alone,) = generator(small, level=1, pyramid=True)
    torch.testing.assert_close(alone, half)


def test_the_first_level_leaves_the_second_stage_out(generator):
    generator(image(16, 16), level=1).sum().backward()
    assert all(value.grad is None for value in generator.stages[1].parameters())


@torch.no_grad()
def test_it_starts_near_the_bicubic_enlargement(generator):
    small = image(16, 16)
    bicubic = twice(twice(small))
    assert 0 < (generator(small) - bicubic).abs().mean() < 0.2 * bicubic.abs().mean()


@torch.no_grad()
def test_fresh_weights_leave_no_checkerboard():
    """Where the features are even, the four pixels that come from one are alike."""
    torch.manual_seed(0)
    generator = UpscaleGenerator().eval()
    flat = torch.tensor([0.3, -0.5, 0.1]).view(1, 3, 1, 1).expand(1, 3, 20, 20)
    assert generator(flat).std(dim=(2, 3)).max() < 1e-5
    nn.init.normal_(generator.stages[0].to_image[0].weight, std=0.1)
    assert generator(flat).std(dim=(2, 3)).max() > 1e-3


@pytest.mark.parametrize(("scale", "num_blocks"), [(2, 1), (2, 3), (4, 1), (4, 2), (8, 2)])
def test_a_pixel_reaches_as_far_as_the_overlap_and_no_farther(scale, num_blocks):
    torch.manual_seed(0)
    generator = UpscaleGenerator(base_channels=8, num_blocks=num_blocks, scale=scale).double()
    for parameter in generator.parameters():
        nn.init.uniform_(parameter, 0.01, 0.02)  # nothing cancels, and no ReLU rests
    small = torch.rand(1, 3, 48, 48, dtype=torch.double, requires_grad=True)
    middle = slice(24 * scale, 25 * scale)  # what one pixel becomes
    (reached,) = torch.autograd.grad(generator(small)[..., middle, middle].sum(), small)
    rows = reached.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert max(24 - rows.min(), rows.max() - 24) == generator.overlap


@pytest.mark.parametrize("level", [0, 1.5, 3])
def test_a_level_that_is_not_there(generator, level):
    with pytest.raises(ValueError, match=f"from 1 to 2, got {level}"):
        generator(image(16, 16), level=level)


def test_a_scale_without_stages():
    with pytest.raises(ValueError, match="scale must be 2, 4 or 8, got 3"):
        UpscaleGenerator(scale=3)
