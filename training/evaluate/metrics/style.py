"""Distance to the look of a set of paintings: brush strokes by Gram matrices, palette by histograms."""

import torch
from torch import Tensor

from training.evaluate.metrics.statistics import rgb_to_lab
from training.losses.perceptual import relative_error

BINS = 10  # of each of L, a, b


def gram_distance(grams: list[Tensor], mean: list[Tensor]) -> Tensor:
    """`relative_error`, (B,), of Gram matrices (B, C, C) to the mean (C, C) of a style's, mean over layers: 0 to 1.

    The terms are those of the style loss of Gatys et al. 2016 (eq. 4).
    """
    errors = [relative_error(layer.flatten(1), wanted.flatten()[None]) for layer, wanted in zip(grams, mean, strict=True)]
    return torch.stack(errors).mean(dim=0)


def gram_distance_to_others(grams: list[Tensor]) -> Tensor:
    """`gram_distance`, (B,), of each painting of a style to the mean of the others."""
    count = len(grams[0])
    errors = []
    for layer in grams:
        others = (layer.sum(dim=0) - layer) / (count - 1)
        errors.append(relative_error(layer.flatten(1), others.flatten(1)))
    return torch.stack(errors).mean(dim=0)


def lab_histogram(image: Tensor) -> Tensor:
    """Part of the pixels of `image` (B, 3, H, W) in [-1, 1] in each cell of CIE L*a*b*, (B, 1000), rows summing to 1."""
    lab = rgb_to_lab(image).flatten(2)
    low, high = lab.new_tensor([0, -100, -100]).view(3, 1), lab.new_tensor([100, 100, 100]).view(3, 1)
    light, green_red, blue_yellow = ((lab - low) / (high - low) * BINS).long().clamp(0, BINS - 1).unbind(1)
    cell = (light * BINS + green_red) * BINS + blue_yellow
    counts = torch.zeros(len(image), BINS**3, device=image.device).scatter_add_(1, cell, torch.ones_like(cell, dtype=torch.float))
    return counts / cell.shape[1]


def hellinger_distance(histograms: Tensor, others: Tensor) -> float:
    """Hellinger distance of the mean colour histograms of two sets (N, D) and (M, D): 0 if equal, 1 without a common colour."""
    one, other = histograms.double().mean(dim=0), others.double().mean(dim=0)
    return float((one.sqrt() - other.sqrt()).square().sum().div(2).sqrt())
