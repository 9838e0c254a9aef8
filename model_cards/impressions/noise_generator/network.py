"""The generator of progressive growing."""

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

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


class ProgressiveGenerator(ModelMixin, ConfigMixin):
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
