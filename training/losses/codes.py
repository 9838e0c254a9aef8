"""Losses on style codes."""

import torch.nn.functional as F
from torch import Tensor


def code_similarity(code: Tensor, label: Tensor) -> Tensor:
    """Mean square of the positive cosines between `code` (B, D) of different paintings `label` (B,); 0 without a pair.

    Left alone, all codes end in a narrow cone (cosine 0.98), which the linear modulations of the generator can hardly tell apart.
    """
    code = F.normalize(code.float(), dim=1)
    pairs = (label[:, None] != label).float()
    return ((code @ code.T).relu().square() * pairs).sum() / pairs.sum().clamp_min(1)
