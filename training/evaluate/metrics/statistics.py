"""Statistics of an image that tell its style."""

import torch
from torch import Tensor


def network_statistics(features: dict[int, Tensor]) -> Tensor:
    """Mean and standard deviation of every channel of every layer, (B, 2 * channels)."""
    moments = [torch.var_mean(layer.float(), dim=(2, 3), correction=0) for layer in features.values()]
    return torch.cat([part for variance, mean in moments for part in (mean, variance.sqrt())], dim=1)


def rgb_to_lab(image: Tensor) -> Tensor:
    """CIE L*a*b* (D65) of sRGB `image` (B, 3, H, W) in [-1, 1]."""
    rgb = (image.float() + 1) / 2
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4)
    to_xyz = image.new_tensor([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
    xyz = torch.einsum("ij,bjhw->bihw", to_xyz / to_xyz.sum(dim=1, keepdim=True), linear)
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp_min(1e-8) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)
