"""The heads of CUT: what makes patches of a photo and of its translation comparable."""

from collections.abc import Sequence

import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.network import Network


class PatchHead(Network):
    """A small MLP for each layer of a generator, from features at sampled places to unit vectors (Park et al. 2020, sec. 3).

    Args:
        channels: Width of each layer.
        size: Length of the vectors (appendix C.1).

    Example:
        `vectors = PatchHead(channels=(3, 128))(torch.rand(1, 256, 3), torch.rand(1, 256, 128))`
    """

    @register_to_config
    def __init__(self, channels: Sequence[int], size: int = 256):
        super().__init__()
        self.layers = nn.ModuleList(nn.Sequential(nn.Linear(width, size), nn.ReLU(), nn.Linear(size, size)) for width in channels)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                # no bias at first: it would outweigh the features, and all vectors would start alike
                nn.init.normal_(layer.weight, 0.0, 0.02)
                nn.init.zeros_(layer.bias)

    def forward(self, *samples: Tensor) -> list[Tensor]:
        """Unit vectors (B, N, size) of each layer, from its features (B, N, C) at N places."""
        if len(samples) != len(self.layers):
            raise ValueError(f"expected samples of {len(self.layers)} layers, got {len(samples)}")
        return [F.normalize(layer(sample), dim=2) for layer, sample in zip(self.layers, samples, strict=True)]
