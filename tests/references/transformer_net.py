"""Fast neural style (Johnson et al. 2016, supplement, table 1) as its common checkpoints hold it: colours from 0 to 255."""

import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Module):
    """Reflection padding and a convolution, after the image was enlarged to the nearest pixel."""

    def __init__(self, ins: int, outs: int, kernel: int, stride: int = 1, enlarge: int = 1):
        super().__init__()
        self.conv2d = nn.Conv2d(ins, outs, kernel, stride)
        self.enlarge, self.frame = enlarge, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        x = x.repeat_interleave(self.enlarge, dim=2).repeat_interleave(self.enlarge, dim=3)
        return self.conv2d(F.pad(x, (self.frame,) * 4, mode="reflect"))


def norm(width: int) -> nn.Module:
    return nn.InstanceNorm2d(width, affine=True)


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.in1 = Conv(width, width, 3), norm(width)
        self.conv2, self.in2 = Conv(width, width, 3), norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.in2(self.conv2(self.in1(self.conv1(x)).relu()))


class TransformerNet(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv1, self.in1 = Conv(3, width, 9), norm(width)
        self.conv2, self.in2 = Conv(width, 2 * width, 3, stride=2), norm(2 * width)
        self.conv3, self.in3 = Conv(2 * width, 4 * width, 3, stride=2), norm(4 * width)
        for number in range(1, 6):
            setattr(self, f"res{number}", Residual(4 * width))
        self.deconv1, self.in4 = Conv(4 * width, 2 * width, 3, enlarge=2), norm(2 * width)
        self.deconv2, self.in5 = Conv(2 * width, width, 3, enlarge=2), norm(width)
        self.deconv3 = Conv(width, 3, 9)

    def forward(self, x: Tensor) -> Tensor:
        for number in (1, 2, 3):
            x = getattr(self, f"in{number}")(getattr(self, f"conv{number}")(x)).relu()
        for number in range(1, 6):
            x = getattr(self, f"res{number}")(x)
        x = self.in4(self.deconv1(x)).relu()
        return self.deconv3(self.in5(self.deconv2(x)).relu())
