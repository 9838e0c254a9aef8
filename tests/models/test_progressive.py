"""Progressive growing: sizes, the fade between two levels, and what the discriminator sees of a batch."""

import pytest
import torch
import torch.nn.functional as F

from styletransfer.models.dcgan_generator import DCGANGenerator
from styletransfer.models.layers import EqualConv
from styletransfer.models.progressive_discriminator import ProgressiveDiscriminator, spread
from styletransfer.models.progressive_generator import ProgressiveGenerator, pixel_norm
from tests.tiny import code, image


@pytest.fixture
def generator() -> ProgressiveGenerator:
    torch.manual_seed(0)
    return ProgressiveGenerator(z_size=8, base_channels=8, image_size=64)


@pytest.fixture
def discriminator() -> ProgressiveDiscriminator:
    torch.manual_seed(0)
    return ProgressiveDiscriminator(base_channels=8, image_size=64)


@pytest.mark.parametrize(("level", "size"), [(0, 8), (0.01, 16), (1, 16), (2.5, 64), (3, 64), (None, 64)])
def test_sizes_of_levels(generator, discriminator, level, size):
    pictures = generator(code(), level)
    assert pictures.shape == (2, 3, size, size)
    assert discriminator(pictures, level)[0].shape == (2, 1)


@torch.no_grad()
def test_a_level_fades_in(generator, discriminator):
    """Just above a whole level nothing has changed yet; the middle is half of both; the discriminator agrees."""
    low, high = F.interpolate(generator(code(), 1), scale_factor=2), generator(code(), 2)
    torch.testing.assert_close(generator(code(), 1 + 1e-6), low, rtol=0, atol=1e-4)
    torch.testing.assert_close(generator(code(), 1.25), 0.75 * low + 0.25 * high)
    picture = image(32, 32)
    old = discriminator(F.avg_pool2d(picture, 2), 1)[0]
    torch.testing.assert_close(discriminator(picture, 1 + 1e-6)[0], old, rtol=0, atol=1e-4)
    assert not torch.allclose(discriminator(picture, 2)[0], old, atol=1e-3)


@pytest.mark.parametrize("level", [0, 0.5, 1.0, 2.3, 3])
def test_gradients_reach_what_a_level_uses(generator, discriminator, level):
    discriminator(generator(code(), level), level)[0].sum().backward()
    top = -int(-level // 1)
    colours = {top} if level == top else {top - 1, top}
    for name, parameter in [*generator.named_parameters(), *discriminator.named_parameters()]:
        part, *number = name.split(".")
        if part in ("to_rgb", "from_rgb"):
            used = int(number[0]) in colours
        elif part == "blocks":  # the generator has one for the first level too
            used = int(number[0]) < top or (int(number[0]) == top and parameter is generator.get_parameter(name))
        else:
            used = True
        assert (parameter.grad is not None) == used, name


def test_wrong_levels_are_refused(generator, discriminator):
    with pytest.raises(ValueError, match=r"from 0 to 3, got 3\.5"):
        generator(code(), 3.5)
    with pytest.raises(ValueError, match="from 0 to 3, got -1"):
        discriminator(image(8, 8), -1)
    with pytest.raises(ValueError, match=r"at level 1.5 must be \(B, 3, 32, 32\)"):
        discriminator(image(16, 16), 1.5)


@pytest.mark.parametrize("network", [ProgressiveGenerator, ProgressiveDiscriminator, DCGANGenerator])
def test_sizes_that_are_no_power_of_two_are_refused(network):
    with pytest.raises(ValueError, match=r"power of two .* got 48"):
        network(image_size=48)


def test_channels_halve_above_32_pixels():
    widths = [conv.weight.shape[1] for conv in ProgressiveGenerator(8, 16, 128).to_rgb]
    assert widths == [16, 16, 16, 8, 4]


def test_pixel_norm_by_hand():
    x = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    torch.testing.assert_close(pixel_norm(x).flatten(), torch.tensor([3.0, 4.0]) / 12.5**0.5)


def test_equalized_convolution_keeps_the_scale():
    torch.manual_seed(0)
    conv = EqualConv(64, 256, 3, padding=1)
    assert conv.weight.std().item() == pytest.approx(1, abs=0.02)  # Adam sees weights of one size in every layer
    x = torch.randn(4, 64, 16, 16)
    assert conv(x)[..., 1:-1, 1:-1].std().item() == pytest.approx(2**0.5, rel=0.05)  # He's gain, which the ReLU halves


def test_spread_against_a_loop():
    x = torch.randn(6, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    maps = spread(x, 2)
    assert maps.shape == (6, 1, 4, 5)
    for first in range(3):
        # pictures first and first + 3 make a group
        pair = [x[first], x[first + 3]]
        mean = (pair[0] + pair[1]) / 2
        deviation = (sum((picture - mean).square() for picture in pair) / 2 + 1e-8).sqrt().mean()
        for number in (first, first + 3):
            torch.testing.assert_close(maps[number], deviation.expand(1, 4, 5))


def test_the_discriminator_sees_that_a_batch_has_no_variety(discriminator):
    varied = torch.cat([image(64, 64), image(64, 64, seed=1)])
    equal = varied[:1].expand(4, -1, -1, -1)
    together, alone = discriminator(varied)[0][0], discriminator(equal)[0][0]
    assert not torch.allclose(together, alone, atol=1e-4)  # the same picture, judged in other company
