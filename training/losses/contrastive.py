"""Contrast between patches: the content loss of CUT."""

import torch
import torch.nn.functional as F
from torch import Tensor

TEMPERATURE = 0.07  # Park et al. 2020, sec. 3


def patch_contrast(result: list[Tensor], photo: list[Tensor]) -> Tensor:
    """PatchNCE (Park et al. 2020, eq. 3 and 4, https://arxiv.org/abs/2007.15651), mean over patches and layers.

    Each vector of the result must find the vector of the photo at its own place among those at the other places of the same
    photo. Both are lists with unit vectors (B, N, D) of each layer; `photo` is given, not trained.
    """
    losses = []
    for query, key in zip(result, photo, strict=True):
        logits = query.float() @ key.detach().float().transpose(1, 2) / TEMPERATURE  # (B, N, N), the right one on the diagonal
        places = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
        losses.append(F.cross_entropy(logits.flatten(0, 1), places.flatten()))
    return torch.stack(losses).mean()
