"""What the flagship generator promises beyond the contract of every network."""

from itertools import pairwise

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from styletransfer.models.style_generator import StyleGenerator, grain
from tests.tiny import code, image, scene


def generator(seed: int = 0) -> StyleGenerator:
    torch.manual_seed(seed)
    return StyleGenerator().eval().requires_grad_(False)


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(10 * torch.log10(4 / (a - b).square().mean()))


@pytest.mark.parametrize("size", [(16, 16), (65, 70), (256, 192)])
def test_zero_code_gives_the_photo_bit_for_bit(size):
    photo = image(*size)
    assert torch.equal(generator()(photo, torch.zeros(2, 192)), photo)


def test_a_code_paints_every_size_from_16_pixels():
    for size in [(16, 16), (17, 300), (255, 33)]:
        photo = image(*size, batch=1)
        painting = generator()(photo, code(192, batch=1))
        assert painting.shape == photo.shape and not torch.equal(painting, photo)


def test_strength_moves_the_picture_further():
    photo, style = scene(64, 64), code(192, batch=1)
    strengths = (0, 0.05, 0.1, 0.2, 0.4, 0.7, 1)
    moved = [float((generator()(photo, strength * style) - photo).norm()) for strength in strengths]
    assert all(further > near for near, further in pairwise(moved)), moved


def test_a_code_of_zero_passes_a_finite_gradient():
    style = torch.zeros(1, 192, requires_grad=True)
    generator()(image(32, 32, batch=1), style).square().sum().backward()
    assert style.grad.isfinite().all()


def test_size_of_the_network():
    network = generator()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    with FlopCounterMode(display=False) as counter:
        network(image(256, 256, batch=1), code(192, batch=1))
    gmac = counter.get_total_flops() / 2e9
    assert parameters <= 1.2e6 and gmac <= 2.5, f"{parameters / 1e6:.2f} M parameters, {gmac:.2f} GMAC"


def test_statistics_collected_once_give_the_same_picture_again():
    network, photo, style, statistics = generator(), scene(65, 70), code(192, batch=1), {}
    plain = network(photo, style)
    collecting, held = (network(photo, style, statistics) for _ in range(2))
    assert (collecting - plain).abs().max() < 1e-5 and (held - plain).abs().max() < 1e-5


def test_statistics_of_one_image_serve_a_batch_of_its_crops():
    network, photo, style, statistics = generator(), scene(64, 128), code(192, batch=1), {}
    network(photo, style, statistics)
    crops = torch.cat([photo[..., :64], photo[..., 64:]])
    together = network(crops, style.expand(2, -1), statistics)
    alone = [network(crop[None], style, statistics) for crop in crops]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-4)


def test_noise_breaks_the_sameness_of_a_flat_photo():
    """Places that look alike are painted differently, and always in the same way; training moves the noise."""
    network, style = generator(), code(192, batch=1)
    photo = scene(256, 256) * 0.01
    center = (..., slice(64, 192), slice(64, 192))
    strokes = [network(photo, style) for _ in range(2)]
    assert torch.equal(*strokes) and strokes[0][center].std(dim=(2, 3)).min() > 0.02
    network.train()
    assert (network(photo, style) - strokes[0])[center].abs().mean() > 0.02


def test_the_noise_repeats_without_a_seam():
    """Neighbours across its border are as alike as those inside it, and no number of it may ever change."""
    noise = grain()
    inside, across = noise.diff(dim=2).abs().mean(dim=(1, 2)), (noise[:, :, 0] - noise[:, :, -1]).abs().mean(dim=1)
    torch.testing.assert_close(across, inside, rtol=0.35, atol=0)
    torch.testing.assert_close(noise.mean(dim=(1, 2)), torch.zeros(4), rtol=0, atol=1e-5)
    torch.testing.assert_close(noise[0, 0, :3], torch.tensor([1.7890, 0.4103, 0.9952]), rtol=0, atol=1e-3)
    assert (noise.diff(dim=2).abs().mean(dim=(1, 2)).diff() < 0).all()  # each scale is smoother than the one before


def test_held_statistics_make_a_crop_agree_with_the_whole_picture():
    network, photo, style, statistics = generator(), scene(256, 256), code(192, batch=1), {}
    whole = network(photo, style, statistics)[..., 64:192, 64:192]
    crop, inside = photo[..., 64:192, 64:192], (..., slice(48, 80), slice(48, 80))
    network.grain.copy_(network.grain.roll((-16, -16), (1, 2)))  # the noise of that place
    own = psnr(network(crop, style)[inside], whole[inside])
    held = psnr(network(crop, style, statistics)[inside], whole[inside])
    print(f"crop against the whole picture: {held:.1f} dB with its statistics, {own:.1f} dB with its own")
    assert held > own + 20, f"{held:.1f} dB with the statistics of the whole picture, {own:.1f} dB with the crop's own"
