"""The U-Net generator of pix2pix."""

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import init_gaussian, pad_to_multiple
from styletransfer.models.network import Network


class DownBlock(nn.Module):
    """Leaky ReLU, convolution with stride 2, norm."""

    def __init__(self, in_channels: int, out_channels: int, norm: bool):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=not norm)
        self.norm = nn.InstanceNorm2d(out_channels, affine=True) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(F.leaky_relu(x, 0.2)))


class UpBlock(nn.Module):
    """ReLU, transposed convolution with stride 2, norm, dropout."""

    def __init__(self, in_channels: int, out_channels: int, dropout: float):
        super().__init__()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
        self.norm = nn.InstanceNorm2d(out_channels, affine=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.norm(self.conv(F.relu(x))))


class UNetGenerator(Network):
    """Encoder and decoder with skip connections (pix2pix, Isola et al. 2017, sec. 6.1.1, https://arxiv.org/abs/1611.07004).

    The paper normalises single images by their own statistics, also at test time (sec. 3.3): that is instance norm with a
    learned scale and shift. Dropout acts in training only, so that a trained network gives one result for one image.

    Args:
        base_channels: Width of the first level; doubled at each level, at most eightfold.
        num_downs: Levels; 8 take 256 px to a single pixel. Any size works: the image is padded to a multiple of
            `2 ** num_downs` and the result is cropped.
        dropout: Probability in the three innermost blocks of the decoder.

    Example:
        `photo = UNetGenerator()(torch.rand(1, 3, 256, 256) * 2 - 1)`
    """

    @register_to_config
    def __init__(self, base_channels: int = 64, num_downs: int = 8, dropout: float = 0.5):
        super().__init__()
        if num_downs < 2:
            raise ValueError(f"num_downs must be at least 2, got {num_downs}")
        widths = [base_channels * min(2**level, 8) for level in range(num_downs)]
        self.stem = nn.Conv2d(3, widths[0], 4, stride=2, padding=1)
        self.down = nn.ModuleList(
            # no norm on the innermost level: a single pixel minus its mean is nothing
            DownBlock(widths[level - 1], widths[level], norm=level < num_downs - 1)
            for level in range(1, num_downs)
        )
        self.up = nn.ModuleList(
            # all but the innermost block also get the skip connection of their level
            UpBlock(
                widths[level] * (1 if level == num_downs - 1 else 2),
                widths[level - 1],
                dropout if level >= num_downs - 3 else 0.0,
            )
            for level in range(num_downs - 1, 0, -1)
        )
        self.out = nn.ConvTranspose2d(2 * widths[0], 3, 4, stride=2, padding=1)
        init_gaussian(self)

    @property
    def size_multiple(self) -> int:
        return 2**self.config.num_downs

    def forward(self, image: Tensor, features: bool = False) -> Tensor:
        """Translate `image` (B, 3, H, W) in [-1, 1], H and W at least 16. With `features`, return the encoding instead."""
        height, width = image.shape[-2:]
        levels = [self.stem(pad_to_multiple(image, self.size_multiple))]  # (B, C, H/2, W/2)
        for block in self.down:
            levels.append(block(levels[-1]))  # (B, up to 8C, H/2**level, W/2**level)
        x = levels.pop()
        if features:
            return x
        for block in self.up:
            x = torch.cat([block(x), levels.pop()], dim=1)
        return self.out(F.relu(x)).tanh()[..., :height, :width]
