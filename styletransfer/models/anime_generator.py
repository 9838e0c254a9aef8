"""The generator of AnimeGANv2."""

import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import pad_to_multiple
from styletransfer.models.network import Network


def convolution(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1, depthwise: bool = False) -> nn.Sequential:
    # at stride 2 only the right and the bottom are padded, as published
    padding = (0, 1, 0, 1) if stride == 2 else kernel // 2
    groups = in_channels if depthwise else 1
    return nn.Sequential(
        nn.ReflectionPad2d(padding),
        nn.Conv2d(in_channels, out_channels, kernel, stride, groups=groups, bias=depthwise),
        nn.GroupNorm(1, out_channels),  # layer norm: over all channels of an image
        nn.LeakyReLU(0.2, inplace=True),
    )


class InvertedBlock(nn.Module):
    """Widen twofold, convolve each channel alone, narrow; an input of the same width is added (Sandler et al. 2018)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        wide = 2 * in_channels
        self.layers = nn.Sequential(
            convolution(in_channels, wide, kernel=1),
            convolution(wide, wide, depthwise=True),
            nn.Conv2d(wide, out_channels, 1, bias=False),
            nn.GroupNorm(1, out_channels),
        )
        self.adds = in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.adds else self.layers(x)


class AnimeGenerator(Network):
    """Photo to drawing (AnimeGAN, Chen et al. 2019, doi 10.1007/978-981-15-5577-0_18; version 2 of its authors' code).

    The layers have the names of the published checkpoints in PyTorch.

    Args:
        base_channels: Width of the first layer; eightfold in the middle.

    Example:
        `drawing = AnimeGenerator()(torch.rand(1, 3, 256, 256) * 2 - 1)`
    """

    size_multiple = 1

    @register_to_config
    def __init__(self, base_channels: int = 32):
        super().__init__()
        w = base_channels
        self.block_a = nn.Sequential(convolution(3, w, 7), convolution(w, 2 * w, stride=2), convolution(2 * w, 2 * w))
        self.block_b = nn.Sequential(convolution(2 * w, 4 * w, stride=2), convolution(4 * w, 4 * w))
        self.block_c = nn.Sequential(
            convolution(4 * w, 4 * w),
            *(InvertedBlock(4 * w if number == 0 else 8 * w, 8 * w) for number in range(4)),
            convolution(8 * w, 4 * w),
        )
        self.block_d = nn.Sequential(convolution(4 * w, 4 * w), convolution(4 * w, 4 * w))
        self.block_e = nn.Sequential(convolution(4 * w, 2 * w), convolution(2 * w, 2 * w), convolution(2 * w, w, 7))
        self.out_layer = nn.Sequential(nn.Conv2d(w, 3, 1, bias=False), nn.Tanh())

    def forward(self, image: Tensor) -> Tensor:
        """Draw `image` (B, 3, H, W) in [-1, 1], H and W at least 16."""
        image = pad_to_multiple(image, self.size_multiple)  # pads nothing, refuses what is too small
        half = self.block_a(image)  # (B, 2C, H/2, W/2)
        x = self.block_c(self.block_b(half))  # (B, 4C, H/4, W/4)
        x = self.block_d(enlarged(x, half))
        return self.out_layer(self.block_e(enlarged(x, image)))


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=True)
