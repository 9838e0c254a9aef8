"""Networks that people would run otherwise, at their published sizes, for comparison alone."""

from torch import Tensor, nn


class TransformerNet(nn.Sequential):
    """The fast neural style network (Johnson et al. 2016, https://arxiv.org/abs/1603.08155, supplement, table 1).

    It is here in its common form: instance norm with a learned scale and shift (Ulyanov et al. 2016), reflection padding and
    nearest upsampling followed by a convolution. Its layers are initialised at random: speed does not depend on weights.
    """

    def __init__(self):
        super().__init__(
            *(*convolution(3, 32, 9), *convolution(32, 64, 3, stride=2), *convolution(64, 128, 3, stride=2)),
            *(Residual() for _ in range(5)),
            *(nn.Upsample(scale_factor=2), *convolution(128, 64, 3), nn.Upsample(scale_factor=2), *convolution(64, 32, 3)),
            nn.Conv2d(32, 3, 9, padding=4, padding_mode="reflect"),
        )


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(*convolution(128, 128, 3), *convolution(128, 128, 3)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def convolution(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, padding_mode="reflect")
    return [conv, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU(inplace=True)]
