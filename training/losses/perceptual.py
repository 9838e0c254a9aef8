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
    """Difference of the first two moments of features, mean over layers: 0 for the same texture, about 1 for an unlike one.

    Gatys et al. 2016, eq. 4, with the Gram matrix split into covariance and mean (Li et al. 2017, sec. 4.2), for the mean would
    outweigh all texture, and each part as `relative_error`, so that layers, and loud and quiet paintings, count alike.
    """
    distances = []
    for layer in painting:
        means, covariances = [], []
        for features in (result[layer].float(), painting[layer].float()):
            mean = features.mean(dim=(2, 3), keepdim=True)
            means.append(mean.flatten(1))
            covariances.append(gram_matrix(features - mean).flatten(1))
        distances.append(relative_error(*covariances) + relative_error(*means))
    return average(torch.stack(distances).mean(dim=0), weight)


def relative_error(have: Tensor, want: Tensor) -> Tensor:
    """||a - b|| / sqrt(||a|| ||b||), (B,), of vectors (B, N). Too large and too small count alike.

    Not squared: a flat photo beside a busy painting, or the reverse, would outweigh the rest of the batch.
    """
    scale = torch.linalg.vector_norm(have, dim=1) * torch.linalg.vector_norm(want, dim=1)
    return torch.linalg.vector_norm(have - want, dim=1) / scale.clamp_min(1e-12).sqrt()


def average(values: Tensor, weight: Tensor | None) -> Tensor:
    return values.mean() if weight is None else (values * weight).mean()
