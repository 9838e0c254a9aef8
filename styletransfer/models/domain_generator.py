"""The generator of StarGAN: many domains in one network."""

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import pad_to_multiple
from styletransfer.models.network import Network


class ResidualBlock(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, channels: int):
        super().__init__()
        activated, last = convolution(channels, channels, 3), convolution(channels, channels, 3)[:-1]
        self.layers = nn.Sequential(*activated, *last)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def convolution(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    padding = (kernel - 1) // 2
    conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, padding_mode="reflect", bias=False)
    return [conv, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU(inplace=True)]


def upsampling(in_channels: int, out_channels: int) -> list[nn.Module]:
    # the kernel is a multiple of the stride, so that every pixel gets as many contributions: no checkerboard by construction
    conv = nn.ConvTranspose2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)
    return [conv, nn.InstanceNorm2d(out_channels, affine=True), nn.ReLU(inplace=True)]


class DomainGenerator(Network):
    """Translates an image into the domain of a label (StarGAN, Choi et al. 2018, table 4, https://arxiv.org/abs/1711.09020).

    The published network sees the label at its zero-padded borders alone, because its first layer is normalised. This one is
    padded by reflection and not normalised there, so that the label reaches every pixel.

    Args:
        num_domains: Domains; the label enters as constant planes beside the image, one for each domain.
        base_channels: Width of the first layer; doubled at each of two downsamplings.
        num_blocks: Residual blocks at a quarter of the resolution.

    Example:
        `results = DomainGenerator(num_domains=4)(torch.rand(2, 3, 128, 128) * 2 - 1, torch.tensor([0, 3]))`
    """

    size_multiple = 4

    @register_to_config
    def __init__(self, num_domains: int, base_channels: int = 64, num_blocks: int = 6):
        super().__init__()
        width = base_channels
        self.layers = nn.Sequential(
            # no norm yet: it would remove the label, which is constant over the image, and with it every trace of the domain
            *(nn.Conv2d(3 + num_domains, width, 7, padding=3, padding_mode="reflect"), nn.ReLU(inplace=True)),
            *convolution(width, 2 * width, 4, stride=2),
            *convolution(2 * width, 4 * width, 4, stride=2),
            *(ResidualBlock(4 * width) for _ in range(num_blocks)),
            *upsampling(4 * width, 2 * width),
            *upsampling(2 * width, width),
            nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect", bias=False),
            nn.Tanh(),
        )

    def forward(self, image: Tensor, label: Tensor) -> Tensor:
        """Translate `image` (B, 3, H, W) in [-1, 1], H and W at least 16, into the domains `label` (B,)."""
        height, width = image.shape[-2:]
        if label.shape != image.shape[:1]:
            raise ValueError(f"label must be ({len(image)},), a domain for each image, got {tuple(label.shape)}")
        x = pad_to_multiple(image, self.size_multiple)
        planes = F.one_hot(label, self.config.num_domains).to(x.dtype)[:, :, None, None].expand(-1, -1, *x.shape[-2:])
        return self.layers(torch.cat([x, planes], dim=1))[..., :height, :width]
