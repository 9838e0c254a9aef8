"""Statistics of an image that a linear probe can judge its style by."""

import torch
import torch.nn.functional as F
from torch import Tensor

LAB_RANGES = ((0.0, 100.0), (-100.0, 100.0), (-100.0, 100.0))
MAGNITUDES = (0.0, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 2.0)  # edges of bins, luminance 0..1 for each pixel


def network_statistics(features: dict[int, Tensor]) -> Tensor:
    """Mean and standard deviation of every channel of every layer, (B, 2 * channels)."""
    moments = [torch.var_mean(layer.float(), dim=(2, 3), correction=0) for layer in features.values()]
    return torch.cat([part for variance, mean in moments for part in (mean, variance.sqrt())], dim=1)


def color_statistics(image: Tensor, bins: int = 16) -> Tensor:
    """Square roots of the histograms of L, a and b and of the joint one of (a, b), (B, 3 * bins + (bins / 2) ** 2)."""
    lab = rgb_to_lab(image)
    planes = [
        ((plane - low) / (high - low)).clamp(0, 1).flatten(1)
        for plane, (low, high) in zip(lab.unbind(1), LAB_RANGES, strict=True)
    ]
    histograms = [histogram(cells(plane, bins), bins) for plane in planes]
    coarse = bins // 2
    joint = cells(planes[1], coarse) * coarse + cells(planes[2], coarse)
    return torch.cat([*histograms, histogram(joint, coarse**2)], dim=1).sqrt()


def gradient_statistics(image: Tensor, scales: int = 3, directions: int = 8) -> Tensor:
    """Square roots of the histograms of gradient magnitude and, weighted by magnitude, of orientation modulo 180 degrees.

    They see luminance alone, at full, half and quarter size: (B, scales * (9 + directions)), blind to colour.
    """
    parts = []
    luminance = ((image.float() + 1) / 2 * image.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    for _ in range(scales):
        dx = (luminance[..., 1:-1, 2:] - luminance[..., 1:-1, :-2]).flatten(1) / 2
        dy = (luminance[..., 2:, 1:-1] - luminance[..., :-2, 1:-1]).flatten(1) / 2
        magnitude = torch.hypot(dx, dy)
        edges = image.new_tensor(MAGNITUDES[1:-1])
        parts.append(histogram(torch.bucketize(magnitude, edges), len(MAGNITUDES) - 1))
        # half a cell of shift: horizontal and vertical gradients fall into the middle of a cell, not on an edge
        turn = (torch.atan2(dy, dx) / torch.pi + 0.5 / directions) % 1
        parts.append(histogram(cells(turn, directions), directions, magnitude))
        luminance = F.avg_pool2d(luminance, 2)
    return torch.cat(parts, dim=1).sqrt()


def cells(values: Tensor, bins: int) -> Tensor:
    """Number of the equal cell of [0, 1] that each value falls in."""
    return (values * bins).long().clamp(0, bins - 1)


def histogram(cell: Tensor, bins: int, weight: Tensor | None = None) -> Tensor:
    """Part of the values (B, N) in each cell, (B, bins), rows summing to 1."""
    weight = torch.ones(cell.shape, device=cell.device) if weight is None else weight
    counts = torch.zeros(len(cell), bins, device=cell.device).scatter_add_(1, cell, weight)
    return counts / counts.sum(dim=1, keepdim=True).clamp_min(1e-12)


def rgb_to_lab(image: Tensor) -> Tensor:
    """CIE L*a*b* (D65) of sRGB `image` (B, 3, H, W) in [-1, 1]."""
    rgb = (image.float() + 1) / 2
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4)
    to_xyz = image.new_tensor([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
    xyz = torch.einsum("ij,bjhw->bihw", to_xyz / to_xyz.sum(dim=1, keepdim=True), linear)
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp_min(1e-8) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)
