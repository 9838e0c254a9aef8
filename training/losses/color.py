"""Losses on pixels: palettes, low frequencies, smoothness, the gamut."""

import torch
import torch.nn.functional as F
from torch import Tensor

from training.losses.perceptual import average


def palette_distance(
    result: Tensor,
    painting: Tensor,
    weight: Tensor | None = None,
    directions: int = 16,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Sliced Wasserstein distance of the colours of two batches (B, 3, H, W) in [-1, 1] (Rabin et al. 2011; Heitz et al. 2021).

    Colours are averaged over 4 x 4 pixels, projected on random directions, sorted and compared; mean squared difference.
    """
    colours = [F.avg_pool2d(image.float(), 4).flatten(2) for image in (result, painting)]
    axes = F.normalize(torch.randn(directions, 3, generator=generator, device=result.device), dim=1)
    have, want = ((axes @ colour).sort(dim=2).values for colour in colours)
    return average((have - want).square().mean(dim=(1, 2)), weight)


def low_frequency_distance(result: Tensor, photo: Tensor, size: int = 32) -> Tensor:
    """Mean squared difference of the averages of two batches (B, 3, H, W) over `size` x `size` pixels, or the image if smaller.

    Strokes are free within such a square, and what is smooth in the photo stays so: clouds and blotches cost.
    """
    size = min(size, *photo.shape[-2:])
    return (F.avg_pool2d(result.float(), size) - F.avg_pool2d(photo.float(), size)).square().mean()


def total_variation(image: Tensor) -> Tensor:
    """Mean absolute difference of neighbouring pixels of `image` (B, C, H, W), down plus across (Mahendran & Vedaldi 2015)."""
    return image.diff(dim=2).abs().mean() + image.diff(dim=3).abs().mean()


def out_of_gamut(image: Tensor) -> Tensor:
    """How far the values of `image` leave [-1, 1], mean."""
    return F.relu(image.abs() - 1).mean()
