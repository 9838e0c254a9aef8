"""A residual generator that blurs before it drops pixels, as published with CUT."""

import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import init_gaussian, pad_to_multiple
from styletransfer.models.network import Network


class BlurDown(nn.Module):
    """Half the resolution: blurred by [1, 2, 1], then every second pixel (Zhang 2019, sec. 3.2)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), blur(x, [1, 2, 1]), stride=2, groups=x.shape[1])


class BlurUp(nn.Module):
    """Twice the resolution: zeros between the pixels, then blurred by [1, 3, 3, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        kernel = 4 * blur(x, [1, 3, 3, 1])  # four times as many pixels share the brightness
        x = F.conv_transpose2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, stride=2, padding=2, groups=x.shape[1])
        return x[..., 1:-1, 1:-1]


def blur(x: Tensor, row: list[int]) -> Tensor:
    """Kernel (C, 1, N, N) that blurs each channel of `x` (B, C, H, W) alone."""
    values = x.new_tensor(row) / sum(row)
    return values.outer(values).expand(x.shape[1], 1, -1, -1)


class ResnetBlock(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, channels: int):
        super().__init__()
        activated, last = convolution(channels, channels, 3, "reflect"), convolution(channels, channels, 3, "reflect")[:-1]
        self.layers = nn.Sequential(*activated, *last)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def convolution(in_channels: int, out_channels: int, kernel: int, padding_mode: str) -> list[nn.Module]:
    # instance norm removes the mean of every channel, so a bias before it would do nothing
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode=padding_mode, bias=False)
    return [conv, nn.InstanceNorm2d(out_channels), nn.ReLU(inplace=True)]


class AntialiasedResnetGenerator(Network):
    """CycleGAN's generator with anti-aliased resampling (Zhang 2019), as in the code published with CUT (Park et al. 2020).

    Args:
        base_channels: Width of the first layer; doubled at each of two downsamplings.
        num_blocks: Residual blocks at a quarter of the resolution.

    Example:
        `painting = AntialiasedResnetGenerator()(torch.rand(1, 3, 256, 256) * 2 - 1)`
    """

    size_multiple = 4

    @register_to_config
    def __init__(self, base_channels: int = 64, num_blocks: int = 9):
        super().__init__()
        width = base_channels
        self.stem = nn.Sequential(*convolution(3, width, 7, "reflect"))
        # zero padding around the resampling, as published: trained checkpoints expect it
        self.down = nn.Sequential(
            *(*convolution(width, 2 * width, 3, "zeros"), BlurDown()),
            *(*convolution(2 * width, 4 * width, 3, "zeros"), BlurDown()),
        )
        self.blocks = nn.Sequential(*(ResnetBlock(4 * width) for _ in range(num_blocks)))
        self.up = nn.Sequential(
            *(BlurUp(), *convolution(4 * width, 2 * width, 3, "zeros")),
            *(BlurUp(), *convolution(2 * width, width, 3, "zeros")),
        )
        self.out = nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect")
        init_gaussian(self)

    def forward(self, image: Tensor) -> Tensor:
        """Translate `image` (B, 3, H, W) in [-1, 1], H and W at least 16."""
        height, width = image.shape[-2:]
        x = self.down(self.stem(pad_to_multiple(image, self.size_multiple)))  # (B, 4C, H/4, W/4)
        return self.out(self.up(self.blocks(x))).tanh()[..., :height, :width]
