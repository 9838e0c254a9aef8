"""Patch discriminators: real or painted, judged window by window."""

import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm as spectral

from styletransfer.models.network import Network


class PatchColumn(nn.Module):
    """One scale of the discriminator: strided convolutions, then a verdict for each window."""

    def __init__(self, in_channels: int, base_channels: int, num_layers: int, num_labels: int, code_size: int, norm: str):
        super().__init__()
        wrap = spectral if norm == "spectral" else lambda layer: layer
        widths = [min(2**i, 8) * base_channels for i in range(num_layers + 1)]
        self.stem = wrap(nn.Conv2d(in_channels, widths[0], 4, stride=2, padding=1))
        self.layers = nn.ModuleList()
        for i in range(num_layers):
            conv = wrap(nn.Conv2d(widths[i], widths[i + 1], 4, stride=2 if i < num_layers - 1 else 1, padding=1))
            self.layers.append(nn.Sequential(conv, nn.InstanceNorm2d(widths[i + 1])) if norm == "instance" else conv)
        self.head = wrap(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.embedding = None
        if num_labels:
            self.embedding = wrap(nn.Embedding(num_labels, widths[-1]))
        elif code_size:
            self.embedding = wrap(nn.Linear(code_size, widths[-1], bias=False))

    def forward(self, x: Tensor, given: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        features = [F.leaky_relu(self.stem(x), 0.2)]
        for layer in self.layers:
            features.append(F.leaky_relu(layer(features[-1]), 0.2))
        verdict = self.head(features[-1])
        if self.embedding is not None:
            # projection discriminator (Miyato & Koyama 2018, eq. 4), at every window
            projection = (features[-1] * self.embedding(given)[:, :, None, None]).sum(dim=1, keepdim=True)
            verdict = verdict + F.avg_pool2d(projection, 4, stride=1, padding=1)
        return verdict, features


class PatchDiscriminator(Network):
    """PatchGAN (Isola et al. 2017, sec. 3.2.2) at several scales (Wang et al. 2018, sec. 3.2), with a projection.

    Args:
        in_channels: 3, or 6 where the source image is judged together with the result.
        base_channels: Width of the first layer; doubled at each of `num_layers`, at most eightfold.
        num_layers: Layers after the first; 3 gives pix2pix's windows of 70 px.
        num_scales: The image is judged at full size, half, a quarter ...
        num_labels: Domains for the projection; 0 for a discriminator without labels.
        code_size: Floats in a style code, for a projection of codes in place of labels; 0 for a discriminator without codes.
        norm: "spectral" (Miyato et al. 2018), "instance" (as published) or "none".

    Example:
        `verdicts = PatchDiscriminator(num_labels=6)(torch.rand(2, 3, 128, 128), torch.tensor([0, 5]))`
    """

    @register_to_config
    def __init__(
        self,
        in_channels: int = 3,
        base_channels: int = 64,
        num_layers: int = 3,
        num_scales: int = 1,
        num_labels: int = 0,
        code_size: int = 0,
        norm: str = "instance",
    ):
        super().__init__()
        if num_labels and code_size:
            raise ValueError(f"a discriminator takes labels or codes, got num_labels={num_labels} and code_size={code_size}")
        if norm not in ("spectral", "instance", "none"):
            raise ValueError(f"norm must be spectral, instance or none, got {norm!r}")
        self.columns = nn.ModuleList(
            PatchColumn(in_channels, base_channels, num_layers, num_labels, code_size, norm) for _ in range(num_scales)
        )

    def forward(
        self, image: Tensor, given: Tensor | None = None, features: bool = False
    ) -> list[Tensor] | tuple[list[Tensor], list[list[Tensor]]]:
        """Verdicts, one (B, 1, h, w) a scale, on `image` (B, in_channels, H, W) in [-1, 1]; higher is more real.

        H and W are at least 3 * 2^num_layers, 24 by default, at the smallest scale; each scale has half the pixels of the last.
        `given` holds domain indices (B,) or style codes (B, code_size), where the discriminator takes them. With `features`, the
        activations of every layer at every scale come along, for feature matching.
        """
        if (given is None) == bool(self.config.num_labels or self.config.code_size):
            takes = "labels" if self.config.num_labels else "codes" if self.config.code_size else "nothing"
            raise ValueError(f"the discriminator takes {takes} beside the image, got {given}")
        smallest = (3 * 2**self.config.num_layers - 1) * 2 ** (self.config.num_scales - 1) + 1
        if min(image.shape[-2:]) < smallest:
            layers = f"{self.config.num_layers} layers at {self.config.num_scales} scales"
            height, width = image.shape[-2:]
            raise ValueError(f"image must be at least {smallest} x {smallest} pixels for {layers}, got {height} x {width}")
        verdicts, activations = [], []
        for index, column in enumerate(self.columns):
            if index:
                image = F.avg_pool2d(image, 3, stride=2, padding=1, count_include_pad=False)
            verdict, kept = column(image, given)
            verdicts.append(verdict)
            activations.append(kept)
        return (verdicts, activations) if features else verdicts
