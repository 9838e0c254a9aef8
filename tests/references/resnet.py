"""The residual generators of CycleGAN (Zhu et al. 2017, sec. 7.2) and CUT (Park et al. 2020), as one numbered list of layers."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Block(nn.Module):
    """R256: two convolutions 3 x 3 with reflection padding, and the input added."""

    def __init__(self, width: int):
        super().__init__()
        first = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU()]
        self.conv_block = nn.Sequential(*first, nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)


class Resample(nn.Module):
    """Low-pass filter and a factor of two, channel by channel (Zhang 2019). The filter is part of the checkpoint."""

    def __init__(self, width: int, row: list[float], up: bool):
        super().__init__()
        line = torch.tensor(row)
        square = line[:, None] * line[None]
        self.register_buffer("filt", (square / square.sum() * (4 if up else 1)).repeat(width, 1, 1, 1))
        self.up = up

    def forward(self, x: Tensor) -> Tensor:
        if not self.up:
            return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.filt, stride=2, groups=x.shape[1])
        height, width = x.shape[-2:]
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        # every pixel stamps the filter onto the larger grid; the frame of the padding is cut off
        stamped = F.conv_transpose2d(x, self.filt, stride=2, groups=x.shape[1])
        return stamped[:, :, 3 : 3 + 2 * height, 3 : 3 + 2 * width]


def cyclegan(width: int, blocks: int) -> nn.Module:
    """c7s1-k, d2k, d4k, blocks of R4k, u2k, uk, c7s1-3."""
    up = {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}
    return Named(
        *(nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU()),
        *(nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU()),
        *(nn.Conv2d(2 * width, 4 * width, 3, 2, 1), nn.InstanceNorm2d(4 * width), nn.ReLU()),
        *(Block(4 * width) for _ in range(blocks)),
        *(nn.ConvTranspose2d(4 * width, 2 * width, **up), nn.InstanceNorm2d(2 * width), nn.ReLU()),
        *(nn.ConvTranspose2d(2 * width, width, **up), nn.InstanceNorm2d(width), nn.ReLU()),
        *(nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()),
    )


def cut(width: int, blocks: int) -> nn.Module:
    """The same, but it convolves at full resolution and blurs before it drops pixels; it enlarges, then convolves."""
    down, up = [1.0, 2.0, 1.0], [1.0, 3.0, 3.0, 1.0]
    wide, widest = 2 * width, 4 * width
    return Named(
        *(nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), nn.InstanceNorm2d(width), nn.ReLU()),
        *(nn.Conv2d(width, wide, 3, 1, 1), nn.InstanceNorm2d(wide), nn.ReLU(), Resample(wide, down, up=False)),
        *(nn.Conv2d(wide, widest, 3, 1, 1), nn.InstanceNorm2d(widest), nn.ReLU(), Resample(widest, down, up=False)),
        *(Block(widest) for _ in range(blocks)),
        *(Resample(widest, up, up=True), nn.Conv2d(widest, wide, 3, 1, 1), nn.InstanceNorm2d(wide), nn.ReLU()),
        *(Resample(wide, up, up=True), nn.Conv2d(wide, width, 3, 1, 1), nn.InstanceNorm2d(width), nn.ReLU()),
        *(nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()),
    )


class Named(nn.Module):
    """Layers under the names model.0, model.1, ..."""

    def __init__(self, *layers: nn.Module):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)
