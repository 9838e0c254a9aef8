"""The generator of AnimeGANv2 as its PyTorch checkpoints hold it: layer norm, inverted residual blocks, bilinear enlargement."""

import torch.nn.functional as F
from torch import Tensor, nn


class Unit(nn.Sequential):
    """Reflection padding, convolution, layer norm over the whole image, leaky ReLU."""

    def __init__(self, ins: int, outs: int, kernel: int, frame: tuple[int, int, int, int], stride: int = 1, alone: bool = False):
        conv = nn.Conv2d(ins, outs, kernel, stride, groups=ins if alone else 1, bias=alone)
        super().__init__(nn.ReflectionPad2d(frame), conv, nn.GroupNorm(1, outs), nn.LeakyReLU(0.2))


def same(ins: int, outs: int, kernel: int = 3, alone: bool = False) -> Unit:
    return Unit(ins, outs, kernel, (kernel // 2,) * 4, alone=alone)


def halving(ins: int, outs: int) -> Unit:
    return Unit(ins, outs, 3, (0, 1, 0, 1), stride=2)


class Inverted(nn.Module):
    def __init__(self, ins: int, outs: int):
        super().__init__()
        narrow = nn.Conv2d(2 * ins, outs, 1, bias=False)
        self.layers = nn.Sequential(same(ins, 2 * ins, 1), same(2 * ins, 2 * ins, alone=True), narrow, nn.GroupNorm(1, outs))

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if x.shape == y.shape else y


class Generator(nn.Module):
    def __init__(self, k: int):
        super().__init__()
        self.block_a = nn.Sequential(same(3, k, 7), halving(k, 2 * k), same(2 * k, 2 * k))
        self.block_b = nn.Sequential(halving(2 * k, 4 * k), same(4 * k, 4 * k))
        inverted = [Inverted(4 * k, 8 * k), Inverted(8 * k, 8 * k), Inverted(8 * k, 8 * k), Inverted(8 * k, 8 * k)]
        self.block_c = nn.Sequential(same(4 * k, 4 * k), *inverted, same(8 * k, 4 * k))
        self.block_d = nn.Sequential(same(4 * k, 4 * k), same(4 * k, 4 * k))
        self.block_e = nn.Sequential(same(4 * k, 2 * k), same(2 * k, 2 * k), same(2 * k, k, 7))
        self.out_layer = nn.Sequential(nn.Conv2d(k, 3, 1, bias=False), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        a = self.block_a(x)
        c = self.block_c(self.block_b(a))
        d = self.block_d(F.interpolate(c, a.shape[2:], mode="bilinear", align_corners=True))
        return self.out_layer(self.block_e(F.interpolate(d, x.shape[2:], mode="bilinear", align_corners=True)))
