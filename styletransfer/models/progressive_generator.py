"""The generator of progressive growing."""

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import START, EqualConv, check_level, level_widths
from styletransfer.models.network import Network


class GrowBlock(nn.Module):
    """Two convolutions, each with leaky ReLU and pixel norm; from the second level on, after doubling the size."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.convs = nn.ModuleList(EqualConv(count, out_channels, 3, padding=1) for count in (in_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = pixel_norm(F.leaky_relu(conv(x), 0.2))
        return x


def pixel_norm(x: Tensor) -> Tensor:
    """`x` (B, C, ...) with unit root mean square over the channels at each pixel (Karras et al. 2018, sec. 4.2)."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class ProgressiveGenerator(Network):
    """Pictures from noise, at a resolution that grows (Karras et al. 2018, https://arxiv.org/abs/1710.10196).

    Level 0 makes 8 x 8 pixels, each level twice as many. Between two levels the new one is faded in (fig. 2).

    Args:
        z_size: Numbers in the noise vector.
        base_channels: Width up to 32 px; halved at each level above.
        image_size: Side of the pictures at the highest level, a power of two of at least 8.

    Example:
        `pictures = ProgressiveGenerator()(torch.randn(4, 128))`
    """

    @register_to_config
    def __init__(self, z_size: int = 128, base_channels: int = 128, image_size: int = 128):
        super().__init__()
        widths = level_widths(base_channels, image_size)
        self.start = EqualConv(z_size, widths[0] * START**2, 1)
        self.blocks = nn.ModuleList(GrowBlock(before, width) for before, width in zip([widths[0], *widths], widths, strict=False))
        self.to_rgb = nn.ModuleList(EqualConv(width, 3, 1, gain=1.0) for width in widths)

    def forward(self, z: Tensor, level: float | None = None) -> Tensor:
        """Pictures (B, 3, S, S) of noise `z` (B, z_size) from N(0, 1), in [-1, 1] once trained: nothing squashes them.

        `level` from 0 to the highest, which None means; S is 8 * 2 ** ceil(level). At 1.3 the 16 px picture weighs 0.7 (32 px
        wide, nearest pixel) and the 32 px picture 0.3.
        """
        if z.ndim != 2 or z.shape[1] != self.config.z_size:
            raise ValueError(f"z must be (B, {self.config.z_size}), got {tuple(z.shape)}")
        level = len(self.blocks) - 1 if level is None else level
        top = check_level(level, len(self.blocks) - 1)
        x = self.start(pixel_norm(z)[:, :, None, None]).view(len(z), -1, START, START)
        x = self.blocks[0](pixel_norm(F.leaky_relu(x, 0.2)))
        for block in self.blocks[1 : top + 1]:
            before = F.interpolate(x, scale_factor=2)
            x = block(before)
        picture = self.to_rgb[top](x)
        if level == top:
            return picture
        return torch.lerp(self.to_rgb[top - 1](before), picture, level - (top - 1))
