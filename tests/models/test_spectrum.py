"""No grid in the paintings of the flagship generator, whatever its weights: a look at the spectrum of what it adds to the photo.

Its noise is off, in which a faint grid would hide.

Grids come from upsampling, so they have periods of 2 and 4 pixels. Each test has its counterpart: a worse head must be caught.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from styletransfer.models import style_generator
from styletransfer.models.style_generator import StyleGenerator
from tests.tiny import code, scene

WINDOW = 128  # pixels of the spectrum, far from the border of a picture of SIZE pixels
SIZE = 256
LEVEL = 127.5  # 8-bit grey levels in one unit of [-1, 1]
GRIDS = [(y, x) for y in (0, 1, 2) for x in (0, 1, 2) if (y, x) != (0, 0)]  # multiples of a quarter cycle a pixel


def flat() -> Tensor:
    return torch.tensor([[0.3, -0.5, 0.1], [-0.9, 0.8, 0.2]]).view(2, 3, 1, 1).expand(2, 3, SIZE, SIZE)


def gradients() -> Tensor:
    y, x = torch.meshgrid(torch.linspace(-0.8, 0.8, SIZE), torch.linspace(-0.8, 0.8, SIZE), indexing="ij")
    return torch.stack([torch.stack([x, y, (x + y) / 2]), torch.stack([x * x + y * y - 0.5, torch.sin(2 * x + y), -y / 2])])


def residuals(photos: Tensor, gain: float = 1.0, statistics_of: Tensor | None = None, seeds: int = 4) -> Tensor:
    """What generators of several random weights, scaled by `gain`, add to the `photos`: a window around their centre."""
    kept = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        generator = StyleGenerator().eval().requires_grad_(False)
        generator.grain.zero_()
        for parameter in generator.parameters():
            parameter.mul_(gain)
        style = code(192, batch=len(photos), seed=seed)
        statistics = None
        if statistics_of is not None:
            statistics = {}
            generator(statistics_of, style[:1], statistics)
        kept.append(generator(photos, style, statistics) - photos)
    start = (SIZE - WINDOW) // 2
    return torch.cat(kept)[..., start : start + WINDOW, start : start + WINDOW]


def grids(residual: Tensor) -> dict[tuple[int, int], tuple[float, float]]:
    """For each grid frequency, its amplitude in grey levels and its power relative to that of frequencies close by."""
    hann = torch.hann_window(WINDOW, periodic=True)
    window = hann[:, None] * hann[None]
    spectrum = torch.fft.fft2((residual - residual.mean(dim=(2, 3), keepdim=True)) * window) / window.sum()
    power = spectrum.abs().square().mean(dim=(0, 1))
    near = torch.arange(-6, 7)
    ring = torch.maximum(near.abs()[:, None], near.abs()[None])
    found = {}
    for y, x in GRIDS:
        block = power[(y * WINDOW // 4 + near) % WINDOW][:, (x * WINDOW // 4 + near) % WINDOW]
        # the Hann window spreads one frequency over bins -1..1
        found[y, x] = (2 * LEVEL * float(block[6, 6].sqrt()), float(block[ring <= 1].mean() / block[ring >= 3].median()))
    return found


def visible(residual: Tensor) -> dict[tuple[int, int], tuple[float, float]]:
    """Grid frequencies that stand out of their surroundings, by more than rounding to 8 bits would hide."""
    return {at: values for at, values in grids(residual).items() if values[0] > 0.1 and values[1] > 2}


def no_hold(monkeypatch):
    pool = F.avg_pool2d
    monkeypatch.setattr(F, "avg_pool2d", lambda x, size, stride=None: x[..., :-1, :-1] if stride == 1 else pool(x, size, stride))


def transposed_convolution(monkeypatch):
    no_hold(monkeypatch)
    kernel = 0.2 * torch.randn(12, 3, 3, 3, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(F, "pixel_shuffle", lambda x, _: F.conv_transpose2d(x, kernel, stride=2, padding=1, output_padding=1))


def zero_filling(monkeypatch):
    corner = torch.tensor([1.0, 0, 0, 0]).view(1, 4, 1, 1)
    monkeypatch.setattr(style_generator, "double", lambda x: F.pixel_shuffle((x[:, :, None] * corner[:, None]).flatten(1, 2), 2))


WORSE = pytest.mark.parametrize("worse", [no_hold, transposed_convolution, zero_filling])


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_flat_areas_stay_flat(gain):
    painted = residuals(flat(), gain, statistics_of=scene(SIZE, SIZE))
    assert painted.abs().mean() > 0.01  # they are painted ...
    assert painted.std(dim=(2, 3)).max() * LEVEL < 0.01  # ... in one colour


def test_a_photo_of_one_colour_stays_one_colour():
    # its variance is nothing but rounding errors, which each normalisation enlarges
    assert residuals(flat()).std(dim=(2, 3)).max() * LEVEL < 0.5


@WORSE
def test_a_worse_head_is_caught_on_flat_areas(worse, monkeypatch):
    worse(monkeypatch)
    assert residuals(flat(), statistics_of=scene(SIZE, SIZE), seeds=1).std(dim=(2, 3)).max() * LEVEL > 1


@pytest.mark.parametrize("photos", [gradients(), scene(SIZE, SIZE)], ids=["gradients", "scene"])
def test_no_grid_stands_out_of_the_spectrum(photos):
    assert not visible(residuals(photos))


@WORSE
@pytest.mark.parametrize("photos", [gradients(), scene(SIZE, SIZE)], ids=["gradients", "scene"])
def test_a_worse_head_is_caught_in_the_spectrum(worse, photos, monkeypatch):
    worse(monkeypatch)
    assert visible(residuals(photos, seeds=2))
