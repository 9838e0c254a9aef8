"""A discriminator of whole pictures, in the shape of DCGAN's."""

import math
from itertools import pairwise

import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.network import Network


class DCGANDiscriminator(Network):
    """Strided convolutions down to one verdict (Radford et al. 2016, sec. 3), without their batch norm.

    Batch norm makes a verdict depend on the other pictures of the batch, so that a penalty on the gradient of each picture
    means nothing (Gulrajani et al. 2017, sec. 4), and it undoes what spectral norm or clipping does to the weights.

    Args:
        base_channels: Width of the first layer; doubled at each halving of the picture, at most eightfold.
        image_size: Side of the pictures, a power of two of at least 16.

    Example:
        `(verdict,) = DCGANDiscriminator()(torch.rand(4, 3, 64, 64) * 2 - 1)`
    """

    @register_to_config
    def __init__(self, base_channels: int = 64, image_size: int = 64):
        super().__init__()
        if image_size < 16 or image_size & (image_size - 1):
            raise ValueError(f"image_size must be a power of two of at least 16, got {image_size}")
        halvings = int(math.log2(image_size)) - 2
        widths = [3, *(base_channels * min(2**level, 8) for level in range(halvings))]
        self.layers = nn.ModuleList(nn.Conv2d(wide, narrow, 4, stride=2, padding=1) for wide, narrow in pairwise(widths))
        self.head = nn.Conv2d(widths[-1], 1, 4)
        for layer in self.layers:
            # without norms, weights of N(0, 0.02) would shrink the signal a hundredfold
            nn.init.kaiming_normal_(layer.weight, 0.2)
            nn.init.zeros_(layer.bias)

    def forward(self, image: Tensor) -> list[Tensor]:
        """One verdict (B, 1) on each `image` (B, 3, image_size, image_size) in [-1, 1]; higher is more real."""
        size = self.config.image_size
        if image.shape[1:] != (3, size, size):
            raise ValueError(f"image must be (B, 3, {size}, {size}), got {tuple(image.shape)}")
        for layer in self.layers:
            image = F.leaky_relu(layer(image), 0.2)
        return [self.head(image).flatten(1)]
