"""Feature discriminators: real or painted, judged by the activations of a frozen network."""

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn


class FeatureColumn(nn.Module):
    """Judges one layer: its activations over their root mean square, two convolutions, a verdict for each position."""

    def __init__(self, in_channels: int, width: int, num_labels: int):
        super().__init__()
        self.register_buffer("scale", torch.ones(()))
        self.mix = nn.Conv2d(in_channels, width, 1)
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.head = nn.Conv2d(width, 1, 1)
        self.embedding = nn.Embedding(num_labels, width) if num_labels else None

    def forward(self, x: Tensor, label: Tensor | None) -> Tensor:
        x = F.leaky_relu(self.mix(x / self.scale), 0.2)
        x = F.leaky_relu(self.conv(x), 0.2)
        verdict = self.head(x)
        if self.embedding is not None:  # projection discriminator (Miyato & Koyama 2018, eq. 4), at every position
            verdict = verdict + (x * self.embedding(label)[:, :, None, None]).sum(dim=1, keepdim=True)
        return verdict


class FeatureDiscriminator(ModelMixin, ConfigMixin):
    """Judges what a frozen network sees in an image, layer by layer (Sauer et al. 2021, Projected GANs, sec. 3).

    A few dozen paintings teach it what they would not teach a discriminator of pixels, because the features are learned already.

    Args:
        layers: Layers of the `FeaturePyramid` that are judged.
        channels: Their channels.
        width: Channels of each column.
        num_labels: Domains for the projection; 0 for an unconditional discriminator.

    Example:
        `FeatureDiscriminator((4, 7), (128, 256))({4: torch.rand(1, 128, 24, 24), 7: torch.rand(1, 256, 12, 12)})`
    """

    @register_to_config
    def __init__(self, layers: tuple[int, ...], channels: tuple[int, ...], width: int = 64, num_labels: int = 0):
        super().__init__()
        if len(layers) != len(channels):
            raise ValueError(f"every layer needs its number of channels, got {len(layers)} layers and {len(channels)} numbers")
        self.columns = nn.ModuleList(FeatureColumn(count, width, num_labels) for count in channels)

    def forward(self, features: dict[int, Tensor], label: Tensor | None = None) -> list[Tensor]:
        """Verdicts (B, 1, h, w) on `features` (layer -> (B, C, h, w)), one for each layer; `label` (B,) names the domain."""
        if (label is None) != (self.columns[0].embedding is None):
            raise ValueError("label must be given exactly if the discriminator has num_labels")
        return [column(features[layer], label) for layer, column in zip(self.config.layers, self.columns, strict=True)]

    @torch.no_grad()
    def calibrate(self, features: dict[int, Tensor]) -> None:
        """Fix the scale of every layer by the features of some real images, before training."""
        for layer, column in zip(self.config.layers, self.columns, strict=True):
            column.scale.copy_(features[layer].float().square().mean().sqrt())
