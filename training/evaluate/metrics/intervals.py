"""Values with 95 % intervals."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


def proportion(hits: Tensor) -> Interval:
    """Part of `hits` (N,) that is true, with Wilson's interval: a bootstrap of 6 out of 6 would claim to be certain."""
    z, n = 1.959964, len(hits)
    p = float(hits.double().mean())
    centre, half = (p + z * z / (2 * n)), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return Interval(p, max(0.0, (centre - half) / (1 + z * z / n)), min(1.0, (centre + half) / (1 + z * z / n)))


def bootstrap_mean(values: Tensor, draws: int = 2000, seed: int = 0) -> Interval:
    """Mean of `values` (N,) with the percentile bootstrap interval (Efron 1979)."""
    values = values.double()
    drawn = torch.randint(len(values), (draws, len(values)), generator=torch.Generator().manual_seed(seed))
    low, high = values[drawn].mean(dim=1).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Interval(float(values.mean()), low, high)


def half_samples(values: Tensor) -> Interval:
    """Mean of a statistic of random half samples, `values` (N,), with its 95 % interval.

    Drawn without replacement, half samples spread as much as whole samples of the same source would (McCarthy 1969): a bootstrap
    without twins, which would make the distance of two sets of pictures smaller or larger than it is.
    """
    values = values.double()
    half = 1.959964 * float(values.std())
    return Interval(float(values.mean()), float(values.mean()) - half, float(values.mean()) + half)
