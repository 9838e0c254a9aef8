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
    """||Phi(x) - Phi(G(x))||^2 on frozen features (Johnson et al. 2016, eq. 2) as `relative_error`, mean over layers."""
    errors = [relative_error(result[layer].float(), photo[layer].float()) for layer in photo]
    return average(torch.stack(errors).mean(dim=0), weight)


def style_distance(result: Features, painting: Features, weight: Tensor | None = None) -> Tensor:
    """||Gram(G(x)) - Gram(y)||^2 (Gatys et al. 2016, eq. 4) as `relative_error`, mean over layers."""
    errors = [relative_error(gram_matrix(result[layer]), gram_matrix(painting[layer])) for layer in painting]
    return average(torch.stack(errors).mean(dim=0), weight)


def moment_distance(result: Features, painting: Features, weight: Tensor | None = None) -> Tensor:
    """Means and deviations of every channel (Huang & Belongie 2017, eq. 13) compared by `relative_error`, mean over layers."""
    errors = [relative_error(*(moments(features[layer]) for features in (result, painting))) for layer in painting]
    return average(torch.stack(errors).mean(dim=0), weight)


def moments(features: Tensor) -> Tensor:
    variance, mean = torch.var_mean(features.float(), dim=(2, 3), correction=0)
    return torch.cat([mean, (variance + 1e-6).sqrt()], dim=1)


def relative_error(a: Tensor, b: Tensor) -> Tensor:
    """||a - b||^2 / (||a||^2 + ||b||^2) of each image, (B,): 0 if equal, 1 if nothing agrees, so that layers count alike.

    Bounded, because deep features are sparse: divided by ||b||^2 alone, a flat photo would outweigh the rest of the batch.
    """
    a, b = a.flatten(1), b.flatten(1)
    scale = a.square().sum(dim=1) + b.square().sum(dim=1)
    return (a - b).square().sum(dim=1) / scale.clamp_min(1e-12)


def average(values: Tensor, weight: Tensor | None) -> Tensor:
    return values.mean() if weight is None else (values * weight).mean()
