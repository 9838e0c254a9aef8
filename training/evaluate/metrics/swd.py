"""Sliced Wasserstein distance between two sets of pictures (Karras et al. 2018, sec. 5, https://arxiv.org/abs/1710.10196)."""

import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 7  # pixels
SMALLEST = 16  # pixels: the last level of the pyramid


def sliced_wasserstein_distance(
    reals: Tensor, fakes: Tensor, patches: int = 128, directions: int = 512, seed: int = 0
) -> dict[int, float]:
    """Distance at each level of a Laplacian pyramid, by its side in pixels, times 1000; the last entry shows plain colour.

    Patches of 7 x 7 pixels, `patches` from every picture and level, are compared along random `directions`. Unlike the published
    code, which gives either set unit variance of its own, both are divided by the statistics of the reals: wrong colours count.

    Args:
        reals: (N, 3, S, S) in [-1, 1], S at least 16; N of about a thousand gives a steady value.
        fakes: As many, of the same size.

    Example:
        `sliced_wasserstein_distance(torch.rand(64, 3, 32, 32), torch.rand(64, 3, 32, 32))[16]`
    """
    if reals.shape != fakes.shape or reals.ndim != 4 or min(reals.shape[-2:]) < SMALLEST:
        raise ValueError(
            f"both sets must have one shape (N, 3, S, S), S at least {SMALLEST}, "
            f"got {tuple(reals.shape)} and {tuple(fakes.shape)}"
        )
    random = torch.Generator().manual_seed(seed)
    distances = {}
    for real, fake in zip(laplacian_pyramid(reals.float().cpu()), laplacian_pyramid(fakes.float().cpu()), strict=True):
        center = real.mean(dim=(0, 2, 3), keepdim=True)
        scale = real.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-6)
        one, other = (cut_patches((level - center) / scale, patches, random) for level in (real, fake))
        distances[real.shape[-1]] = 1000 * distance_of_points(one, other, directions, random)
    return distances


def sliced_wasserstein(reals: Tensor, fakes: Tensor, **numbers: int) -> float:
    """Mean over the levels of `sliced_wasserstein_distance`, of as many pictures of each set (N, 3, S, S) as the smaller has."""
    count = min(len(reals), len(fakes))
    levels = sliced_wasserstein_distance(reals[:count], fakes[:count], **numbers)
    return sum(levels.values()) / len(levels)


def laplacian_pyramid(image: Tensor) -> list[Tensor]:
    """What each halving of `image` (N, C, S, S) loses, full size first; the last level, 16 px or a little more, is the rest."""
    levels = []
    while min(image.shape[-2:]) >= 2 * SMALLEST:
        half = F.avg_pool2d(blur(image), 2)
        levels.append(image - F.interpolate(half, size=image.shape[-2:], mode="bilinear", align_corners=False))
        image = half
    return [*levels, image]


def blur(image: Tensor) -> Tensor:
    """`image` (N, C, H, W) under the binomial filter (1, 4, 6, 4, 1) / 16 both ways (Burt & Adelson 1983)."""
    taps = image.new_tensor([1, 4, 6, 4, 1]) / 16
    kernel = torch.outer(taps, taps).expand(image.shape[1], 1, 5, 5)
    return F.conv2d(F.pad(image, (2, 2, 2, 2), mode="reflect"), kernel, groups=image.shape[1])


def cut_patches(image: Tensor, count: int, random: torch.Generator) -> Tensor:
    """`count` random patches of each of `image` (N, C, H, W), flat: (N * count, C * 49)."""
    number, _, height, width = image.shape
    rows = torch.randint(height - PATCH + 1, (number, count, 1, 1), generator=random) + torch.arange(PATCH)[:, None]
    columns = torch.randint(width - PATCH + 1, (number, count, 1, 1), generator=random) + torch.arange(PATCH)
    patches = image.permute(0, 2, 3, 1)[torch.arange(number)[:, None, None, None], rows, columns]  # (N, count, 7, 7, C)
    return patches.flatten(0, 1).flatten(1)


def distance_of_points(one: Tensor, other: Tensor, directions: int, random: torch.Generator) -> float:
    """Mean over random unit directions of the Wasserstein-1 distance of two sets of points (N, D), each projected to a line."""
    total = 0.0
    for chunk in torch.randn(directions, one.shape[1], generator=random).split(32):
        axes = F.normalize(chunk, dim=1).T
        total += ((one @ axes).sort(dim=0).values - (other @ axes).sort(dim=0).values).abs().mean(dim=0).sum().item()
    return total / directions
