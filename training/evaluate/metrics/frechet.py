"""Two distances of sets of feature vectors: Frechet's, of their means and covariances, and the kernel's."""

import torch
from torch import Tensor


def frechet_distance(mean: Tensor, covariance: Tensor, other_mean: Tensor, other_covariance: Tensor) -> float:
    """|m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) of means (D,) and covariances (D, D) (Heusel et al. 2017, eq. 6).

    The trace of the root comes from the eigenvalues of C^(1/2) C' C^(1/2), which are those of C C' and never negative.
    """
    mean, covariance, other_mean, other_covariance = (x.double() for x in (mean, covariance, other_mean, other_covariance))
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * values.clamp_min(0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ other_covariance @ root).clamp_min(0).sqrt().sum()
    distance = (mean - other_mean).square().sum() + covariance.trace() + other_covariance.trace() - 2 * cross
    return max(0.0, float(distance))


def mean_and_covariance(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (D,) and covariance (D, D) of vectors (N, D)."""
    return rows.double().mean(dim=0), torch.cov(rows.double().T)


def kernel_distance(rows: Tensor, others: Tensor) -> float:
    """Squared MMD of (N, D) and (M, D) with the kernel (x . y / D + 1)^3, unbiased: about 0, also below, for equal sources.

    It is what KID (Bińkowski et al. 2018, https://arxiv.org/abs/1801.01401, sec. 4) computes of Inception's features.
    """
    if min(len(rows), len(others)) < 2:
        raise ValueError(f"the kernel distance compares sets of two or more, got {len(rows)} and {len(others)}")
    rows, others = rows.double(), others.double()

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def within(a: Tensor) -> Tensor:
        values = kernel(a, a)
        return (values.sum() - values.trace()) / (len(a) * (len(a) - 1))

    return float(within(rows) + within(others) - 2 * kernel(rows, others).mean())
