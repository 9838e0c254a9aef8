"""Parts that several networks use."""

import torch
from torch import Tensor, nn

MIN_SIZE = 16


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Grow `image` (B, C, H, W), H and W at least 16, at the right and at the bottom until both divide by `multiple`.

    The new pixels are reflections, repeated where one is too short: 65 pixels can grow to 256.
    """
    if min(image.shape[-2:]) < MIN_SIZE:
        raise ValueError(f"image must be at least {MIN_SIZE} x {MIN_SIZE} pixels, got {image.shape[-2]} x {image.shape[-1]}")
    for dim in (-2, -1):
        size = image.shape[dim]
        if size % multiple:
            index = torch.arange(size + -size % multiple, device=image.device) % (2 * size - 2)
            image = image.index_select(dim, torch.minimum(index, 2 * size - 2 - index))
    return image


def init_gaussian(module: nn.Module) -> None:
    """Draw the weights in `module` from N(0, 0.02), norm scales from N(1, 0.02); biases are 0 (Isola et al. 2017, sec. 6.2)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.InstanceNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, 0.02)
        if getattr(layer, "bias", None) is not None:
            nn.init.zeros_(layer.bias)
