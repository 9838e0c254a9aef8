"""Parts that several networks use."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIN_SIZE = 16
START = 8  # pixels, at level 0 of a network that grows
FULL_WIDTH = 32  # pixels: each level above is half as wide


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


class EqualConv(nn.Conv2d):
    """Convolution whose weights are N(0, 1) and scaled by He's constant at run time (Karras et al. 2018, sec. 4.1)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, padding: int = 0, gain: float = math.sqrt(2)):
        super().__init__(in_channels, out_channels, kernel, padding=padding)
        self.scale = gain / math.sqrt(in_channels * kernel**2)
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


def level_widths(base_channels: int, image_size: int) -> list[int]:
    """Channels of each level, 8 px first."""
    if image_size < START or image_size & (image_size - 1):
        raise ValueError(f"image_size must be a power of two of at least {START}, got {image_size}")
    sizes = [START * 2**level for level in range(int(math.log2(image_size // START)) + 1)]
    return [max(base_channels * FULL_WIDTH // max(size, FULL_WIDTH), 1) for size in sizes]


def check_level(level: float, top: int) -> int:
    """The whole level that holds the resolution of `level`; a fraction means that it is being faded in."""
    if not 0 <= level <= top:
        raise ValueError(f"level must be from 0 to {top}, got {level}")
    return math.ceil(level)
