"""The generator for enlargement: twice as large at each stage."""

import math

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from styletransfer.models.layers import pad_to_multiple


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")


class ResidualBlock(nn.Module):
    """Two convolutions without normalisation, which would take the contrast of the image away (Lim et al. 2017, sec. 3.1)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1, self.conv2 = conv3x3(channels, channels), conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))


class Stage(nn.Module):
    """Features at twice the resolution, and what they add to the enlarged image."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv = conv3x3(channels, channels)
        self.to_image = conv3x3(channels, 3)
        with torch.no_grad():
            self.to_image.weight.mul_(0.1)  # the result starts near the bicubic enlargement
            self.to_image.bias.zero_()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # enlarged to the nearest pixel and convolved, which leaves no checkerboard (Odena et al. 2016)
        x = F.leaky_relu(self.conv(F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
        return x, self.to_image(x)


class UpscaleGenerator(ModelMixin, ConfigMixin):
    """Enlarges an image by a pyramid of residuals over bicubic enlargements (LapSRN, Lai et al. 2017, arXiv 1704.03915).

    Its stages are trained one after the other, each faded in (Karras et al. 2018, fig. 2): the fade is the share of a stage's
    residual.

    Args:
        base_channels: Width of all layers.
        num_blocks: Residual blocks at the resolution of the input.
        scale: Enlargement: 2, 4 or 8, one stage for each doubling.

    Example:
        `large = UpscaleGenerator()(torch.rand(1, 3, 64, 64) * 2 - 1)  # (1, 3, 256, 256)`
    """

    @register_to_config
    def __init__(self, base_channels: int = 64, num_blocks: int = 8, scale: int = 4):
        super().__init__()
        if scale not in (2, 4, 8):
            raise ValueError(f"scale must be 2, 4 or 8, got {scale}")
        self.stem = conv3x3(3, base_channels)
        self.blocks = nn.Sequential(*(ResidualBlock(base_channels) for _ in range(num_blocks)))
        self.stages = nn.ModuleList(Stage(base_channels) for _ in range(scale.bit_length() - 1))

    def forward(self, image: Tensor, level: float | None = None) -> Tensor:
        """Enlarge `image` (B, 3, H, W) in [-1, 1], H and W at least 16. The result may leave [-1, 1] a little.

        `level` 1 gives the first stage alone, (B, 3, 2H, 2W); 1.5 both stages, the second at half its strength; None all.
        """
        level = len(self.stages) if level is None else level
        if not 1 <= level <= len(self.stages):
            raise ValueError(f"level must be from 1 to {len(self.stages)}, got {level}")
        x = self.stem(pad_to_multiple(image, 1))  # pads nothing, refuses what is too small
        x = x + self.blocks(x)
        for index in range(math.ceil(level)):
            x, residual = self.stages[index](x)
            image = F.interpolate(image, scale_factor=2, mode="bicubic", align_corners=False)
            image = image + min(1.0, level - index) * residual
        return image
