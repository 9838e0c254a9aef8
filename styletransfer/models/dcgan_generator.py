"""The generator of DCGAN: pictures from noise."""

import math

from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import init_gaussian
from styletransfer.models.network import Network


class DCGANGenerator(Network):
    """Pictures from noise by transposed convolutions (Radford et al. 2016, https://arxiv.org/abs/1511.06434, sec. 3 and fig. 1).

    Args:
        z_size: Numbers in the noise vector.
        base_channels: Width of the last hidden layer; each earlier one is twice as wide, at most eightfold.
        image_size: Side of the pictures, a power of two of at least 16.

    Example:
        `pictures = DCGANGenerator()(torch.randn(4, 100))`
    """

    @register_to_config
    def __init__(self, z_size: int = 100, base_channels: int = 64, image_size: int = 64):
        super().__init__()
        if image_size < 16 or image_size & (image_size - 1):
            raise ValueError(f"image_size must be a power of two of at least 16, got {image_size}")
        doublings = int(math.log2(image_size)) - 2
        widths = [base_channels * min(2**level, 8) for level in reversed(range(doublings))]
        layers = [nn.ConvTranspose2d(z_size, widths[0], 4, bias=False)]  # (B, widths[0], 4, 4)
        for narrow, wide in zip(widths[1:], widths, strict=False):
            layers += [nn.BatchNorm2d(wide), nn.ReLU(inplace=True)]
            layers += [nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1, bias=False)]
        self.layers = nn.Sequential(*layers, nn.BatchNorm2d(base_channels), nn.ReLU(inplace=True))
        self.out = nn.ConvTranspose2d(base_channels, 3, 4, stride=2, padding=1)
        init_gaussian(self)

    def forward(self, z: Tensor) -> Tensor:
        """Pictures (B, 3, image_size, image_size) in [-1, 1] of noise `z` (B, z_size) from N(0, 1)."""
        if z.ndim != 2 or z.shape[1] != self.config.z_size:
            raise ValueError(f"z must be (B, {self.config.z_size}), got {tuple(z.shape)}")
        return self.out(self.layers(z[:, :, None, None])).tanh()
