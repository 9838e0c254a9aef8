"""The generator for enlargement: twice as large at each stage."""

import math

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import pad_to_multiple
from styletransfer.models.network import Network


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")


def doubling(in_channels: int, out_channels: int) -> nn.Sequential:
    """A convolution to four channels for each of `out_channels`, which become the four pixels of one (Shi et al. 2016)."""
    conv = conv3x3(in_channels, 4 * out_channels)
    with torch.no_grad():
        # the four start alike, which leaves no checkerboard (Aitken et al. 2017, sec. 3.3)
        conv.weight.copy_(conv.weight[::4].repeat_interleave(4, dim=0))
        conv.bias.zero_()
    return nn.Sequential(conv, nn.PixelShuffle(2))


class ResidualBlock(nn.Module):
    """Two convolutions without normalisation, which would take the contrast of the image away (Lim et al. 2017, sec. 3.1)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1, self.conv2 = conv3x3(channels, channels), conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x), inplace=True))


class Stage(nn.Module):
    """Features at the resolution of the image that came in, and what they add to it at twice the resolution."""

    def __init__(self, stem: nn.Module, channels: int, num_blocks: int):
        super().__init__()
        self.stem = stem
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(num_blocks)))
        self.to_image = doubling(channels, 3)
        with torch.no_grad():
            self.to_image[0].weight.mul_(0.1)  # the result starts near the bicubic enlargement

    def forward(self, x: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.blocks(F.leaky_relu(self.stem(x), 0.2, inplace=True))
        # contiguous: bicubic interpolation takes twice as long where the channels come last, as convolutions like them
        return x, F.interpolate(image.contiguous(), scale_factor=2, mode="bicubic", align_corners=False) + self.to_image(x)


class UpscaleGenerator(Network):
    """Enlarges an image by a pyramid of residuals over bicubic enlargements (LapSRN, Lai et al. 2017, arXiv 1704.03915).

    All but the last steps work at lower resolutions than the result (Shi et al. 2016, arXiv 1609.05158). By default x4 takes
    232,000 multiplications for each pixel of the input, and x2, of which it is the first stage, 90,000.

    Args:
        base_channels: Width of the first stage; the others have two thirds of it.
        num_blocks: Residual blocks of the first stage; the others have one.
        scale: Enlargement: 2, 4 or 8, one stage for each doubling.

    Example:
        `large = UpscaleGenerator()(torch.rand(1, 3, 64, 64) * 2 - 1)  # (1, 3, 256, 256)`
    """

    size_multiple = 1

    @register_to_config
    def __init__(self, base_channels: int = 48, num_blocks: int = 2, scale: int = 4):
        super().__init__()
        if scale not in (2, 4, 8):
            raise ValueError(f"scale must be 2, 4 or 8, got {scale}")
        self.stages = nn.ModuleList([Stage(conv3x3(3, base_channels), base_channels, num_blocks)])
        channels, narrow = base_channels, 2 * base_channels // 3
        for _ in range(scale.bit_length() - 2):
            self.stages.append(Stage(doubling(channels, narrow), narrow, 1))
            channels = narrow

    @property
    def overlap(self) -> int:
        """How far a pixel of the input reaches, in such pixels: tiles that overlap by twice as much give the whole image."""
        # 2 for the first stage without its blocks; 1.5 for the second and half as much for each further one
        return math.ceil(2 * self.config.num_blocks + 5 - 6 / self.config.scale)

    def forward(self, image: Tensor, level: int | None = None, pyramid: bool = False) -> Tensor | list[Tensor]:
        """Enlarge `image` (B, 3, H, W) in [-1, 1], H and W at least 16. The result may leave [-1, 1] a little.

        `level` 1 computes the first stage alone and gives (B, 3, 2H, 2W), 2 the first two, None all of them. With `pyramid`, the
        results of all computed stages come as a list, the smallest first.
        """
        level = len(self.stages) if level is None else level
        if level not in range(1, len(self.stages) + 1):
            raise ValueError(f"level must be from 1 to {len(self.stages)}, got {level}")
        x = image = pad_to_multiple(image, self.size_multiple)  # pads nothing, refuses what is too small
        images = []
        for stage in self.stages[:level]:
            x, image = stage(x, image)
            images.append(image)
        return images if pyramid else image
