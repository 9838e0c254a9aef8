"""What needs weights of other networks: Inception's for FID and KID, AlexNet's for LPIPS. Libraries fetch them on first use."""

from functools import cache
from urllib.error import URLError

import torch
from torch import Tensor, nn


@cache
def inception() -> nn.Module:
    """torch-fidelity's port of the Inception v3 that FID is defined on."""
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ImportError:
        raise ValueError("fid, kid and artfid need torch-fidelity: pip install torch-fidelity") from None
    return fetched("Inception", lambda: FeatureExtractorInceptionV3("inception-v3-compat", ["2048"]))


@cache
def lpips_network() -> nn.Module:
    try:
        from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity
    except ImportError:
        raise ValueError("lpips and artfid need torchmetrics: pip install torchmetrics") from None
    return fetched("AlexNet", lambda: LearnedPerceptualImagePatchSimilarity("alex", reduction="none"))


def fetched(name: str, build) -> nn.Module:
    try:
        return build().eval()
    except (URLError, OSError) as error:
        raise OSError(f"could not download the weights of {name} ({error}); the other metrics need no download") from None


def inception_rows(batch: Tensor) -> dict[str, Tensor]:
    """`inception` (N, 2048) of pictures (N, 3, S, S) in [-1, 1]; the network resizes them to 299 px as TensorFlow did."""
    return {"inception": inception()(((batch + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))[0]}


def lpips(results: Tensor, photos: Tensor) -> Tensor:
    """Learned perceptual distance, (N,), of pictures (N, 3, S, S) in [-1, 1] (Zhang et al. 2018, https://arxiv.org/abs/1801.03924)."""
    network = lpips_network()
    with torch.no_grad():
        return torch.cat([network(a, b) for a, b in zip(results.split(16), photos.split(16), strict=True)])
