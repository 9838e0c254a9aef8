"""The network of fast neural style."""

from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import pad_to_multiple
from styletransfer.models.network import Network


class ResidualBlock(nn.Module):
    """Two convolutions around which the input is added, without a ReLU after the sum."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.Sequential(*convolution(channels, channels, 3), *convolution(channels, channels, 3)[:-1])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def convolution(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    # instance norm removes the mean of every channel, so a bias before it would do nothing
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, padding_mode="reflect", bias=False)
    return [conv, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU(inplace=True)]


class TransformerNet(Network):
    """One style in one pass (Johnson et al. 2016, https://arxiv.org/abs/1603.08155, supplement, table 1).

    It is here in its common form: instance norm with a learned scale and shift (Ulyanov et al. 2016), reflection padding, and
    nearest upsampling before a convolution.

    Args:
        base_channels: Width of the first layer; doubled at each of two downsamplings.
        num_blocks: Residual blocks at a quarter of the resolution.

    Example:
        `painting = TransformerNet()(torch.rand(1, 3, 256, 256) * 2 - 1)`
    """

    size_multiple = 4

    @register_to_config
    def __init__(self, base_channels: int = 32, num_blocks: int = 5):
        super().__init__()
        width = base_channels
        self.stem = nn.Sequential(*convolution(3, width, 9))
        self.down = nn.Sequential(*convolution(width, 2 * width, 3, stride=2), *convolution(2 * width, 4 * width, 3, stride=2))
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(num_blocks)))
        self.up = nn.Sequential(
            *(nn.Upsample(scale_factor=2), *convolution(4 * width, 2 * width, 3)),
            *(nn.Upsample(scale_factor=2), *convolution(2 * width, width, 3)),
        )
        self.out = nn.Conv2d(width, 3, 9, padding=4, padding_mode="reflect")

    def forward(self, image: Tensor) -> Tensor:
        """Paint `image` (B, 3, H, W) in [-1, 1], H and W at least 16. The result may leave [-1, 1]."""
        height, width = image.shape[-2:]
        x = self.down(self.stem(pad_to_multiple(image, self.size_multiple)))  # (B, 4C, H/4, W/4)
        return self.out(self.up(self.blocks(x)))[..., :height, :width]
