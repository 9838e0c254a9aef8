"""Frozen feature pyramids of classification networks, for perceptual losses and metrics."""

from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError

import torch
import torchvision
from safetensors.torch import load_file
from torch import Tensor, nn

NORMALIZATIONS = {  # mean and deviation of RGB in [0, 1] that the weights were trained with
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "caffe": ((122.679 / 255, 116.669 / 255, 104.006 / 255), (1 / 255, 1 / 255, 1 / 255)),
}


class FeaturePyramid(nn.Module):
    """Activations of chosen layers of a frozen network (Gatys et al. 2016, sec. 2; Johnson et al. 2016, sec. 3.2).

    Args:
        network: "squeezenet1_1", "vgg16" or "vgg19".
        layers: Indices into the `features` of torchvision's network, as strings or numbers, in rising order.
        weights: None downloads torchvision's ImageNet weights; "random" keeps a seeded initialisation, good for tests alone;
            anything else is the path of a safetensors file with the keys of torchvision's `features`.
        normalization: "imagenet" for torchvision's weights, "caffe" for weights that expect 0..255 minus the mean.

    Example:
        `pyramid = FeaturePyramid("vgg16", layers=(3, 8, 15, 22)); relu3_3 = pyramid(photo)[15]`
    """

    def __init__(
        self,
        network: str = "squeezenet1_1",
        layers: Sequence[int] = (1, 4, 7, 10, 12),
        weights: str | None = None,
        normalization: str = "imagenet",
    ):
        super().__init__()
        if network not in ("squeezenet1_1", "vgg16", "vgg19"):
            raise ValueError(f"network must be squeezenet1_1, vgg16 or vgg19, got {network!r}")
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"normalization must be one of {', '.join(NORMALIZATIONS)}, got {normalization!r}")
        self.layers = tuple(layers)
        modules = load_features(network, weights)
        if not self.layers or max(self.layers) >= len(modules):
            raise ValueError(f"layers must be indices below {len(modules)} for {network}, got {self.layers}")
        self.modules_in_order = modules[: max(self.layers) + 1]
        for module in self.modules_in_order:
            if isinstance(module, nn.ReLU):
                module.inplace = False  # an activation that was kept must not change afterwards
        mean, deviation = NORMALIZATIONS[normalization]
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    def train(self, mode: bool = True) -> "FeaturePyramid":
        return super().train(False)

    def forward(self, image: Tensor) -> dict[int, Tensor]:
        """Layer -> activation (B, C, H / s, W / s) of `image` (B, 3, H, W) in [-1, 1], H and W at least 32."""
        x = ((image + 1) / 2 - self.mean) / self.deviation
        kept = {}
        for index, module in enumerate(self.modules_in_order):
            x = module(x)
            if index in self.layers:
                kept[index] = x
        return kept


def load_features(network: str, weights: str | None) -> nn.Sequential:
    build = getattr(torchvision.models, network)
    if weights is None:
        try:
            return build(weights="DEFAULT").features
        except (URLError, OSError) as error:
            raise OSError(
                f"could not download torchvision's {network} weights ({error}); give a safetensors file of its features instead"
            ) from None
    if weights == "random":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return build(weights=None).features
    if not Path(weights).is_file():
        raise FileNotFoundError(f"no feature weights at {weights}: expected a safetensors file of {network}'s features")
    features = build(weights=None).features
    features.load_state_dict(load_file(weights))
    return features
