"""Losses on activations (B, C, h, w) by layer, of a discriminator or of a frozen network."""

import torch
from torch import Tensor

from training.losses.perceptual import relative_error

Features = dict[int, Tensor]


def feature_matching(result: Features, real: Features) -> Tensor:
    """||E f(y) - E f(G(x))||^2 (Salimans et al. 2016, sec. 3.1) as `relative_error`, mean over layers.

    The expectation runs over the batch and over positions: the images of a pair need not show the same.
    """
    errors = [
        relative_error(*(features[layer].float().mean(dim=(0, 2, 3))[None] for features in (result, real))) for layer in real
    ]
    return torch.cat(errors).mean()


def feature_l1(result: Features, photo: Features) -> Tensor:
    """|Phi(x) - Phi(G(x))| over |Phi(x)| + |Phi(G(x))|, mean over images and layers: 0 if equal, 1 if nothing agrees."""
    errors = []
    for layer in photo:
        a, b = result[layer].float().flatten(1), photo[layer].float().flatten(1)
        scale = a.abs().sum(dim=1) + b.abs().sum(dim=1)
        errors.append((a - b).abs().sum(dim=1) / scale.clamp_min(1e-12))
    return torch.stack(errors).mean()


def constancy(result: Features, photo: Features) -> Tensor:
    """d(f(x), f(G(x))), the f-constancy of Taigman et al. 2017 (https://arxiv.org/abs/1611.02200, sec. 4).

    f is the mean over positions, that is what the image shows and not where; d is `relative_error`, mean over layers.
    """
    errors = [relative_error(*(features[layer].float().mean(dim=(2, 3)) for features in (result, photo))) for layer in photo]
    return torch.stack(errors).mean()
