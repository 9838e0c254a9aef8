"""Losses on frozen features: content and style."""

import torch
from torch import Tensor

Features = dict[int, Tensor]


def gram_matrix(features: Tensor) -> Tensor:
    """Channel correlations (B, C, C) of `features` (B, C, H, W), divided by C * H * W (Johnson et al. 2016, sec. 3.2)."""
    _, channels, height, width = features.shape
    flat = features.float().flatten(2)
    return flat @ flat.transpose(1, 2) / (channels * height * width)


def content_distance(result: Features, photo: Features, weight: Tensor | None = None) -> Tensor:
    """||Phi(x) - Phi(G(x))||^2 over ||Phi(x)||^2, mean over layers: 0 for a copy, about 1 for features forgotten."""
    distances = [
        (result[layer].float() - photo[layer].float()).square().mean(dim=(1, 2, 3))
        / photo[layer].float().square().mean(dim=(1, 2, 3)).clamp_min(1e-8)
        for layer in photo
    ]
    return average(torch.stack(distances).mean(dim=0), weight)


def style_distance(result: Features, painting: Features, weight: Tensor | None = None) -> Tensor:
    """||A - B||^2 / (||A||^2 + ||B||^2) of the Gram matrices A of the result and B of the painting, mean over layers, 0..1.

    Gatys et al. 2016, eq. 4, with a denominator that makes layers count alike. Bounded, because deep features are sparse: with
    ||B||^2 alone a flat photo beside a busy painting, or the reverse, outweighs the rest of the batch.
    """
    distances = []
    for layer in painting:
        have, want = gram_matrix(result[layer]).flatten(1), gram_matrix(painting[layer]).flatten(1)
        scale = have.square().sum(dim=1) + want.square().sum(dim=1)
        distances.append((have - want).square().sum(dim=1) / scale.clamp_min(1e-12))
    return average(torch.stack(distances).mean(dim=0), weight)


def average(values: Tensor, weight: Tensor | None) -> Tensor:
    return values.mean() if weight is None else (values * weight).mean()
