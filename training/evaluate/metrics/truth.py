"""How far a translation is from the truth, where the truth is known."""

from torch import Tensor


def color_distance(result: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference (B,) of the colours of two batches (B, 3, H, W) in [-1, 1], on the scale from 0 to 1.

    Example:
        `color_distance(torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8))  # tensor([0.5000])`
    """
    return (result.float() - truth.float()).abs().mean(dim=(1, 2, 3)) / 2
