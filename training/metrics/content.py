"""Content similarity: how much of the photo's scene is left."""

import torch.nn.functional as F
from torch import Tensor


def content_similarity(result: Tensor, photo: Tensor) -> Tensor:
    """Cosine, (B,), of spatial features (B, C, H, W) of results and of their photos, fire5 of SqueezeNet here: 1 for a copy."""
    return F.cosine_similarity(result.float().flatten(1), photo.float().flatten(1), dim=1)
