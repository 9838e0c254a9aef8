"""Distances of sets and of looks: against libraries, slow loops and values by hand."""

import importlib.util
import math

import numpy as np
import pytest
import torch

from training.evaluate.describe import middle, pixels, to_unit
from training.evaluate.measures import draws, fid, frechet_of_moments, half, psnr, ssim
from training.evaluate.metrics.frechet import frechet_distance, kernel_distance, mean_and_covariance
from training.evaluate.metrics.intervals import half_samples
from training.evaluate.metrics.sharpness import checkerboard_energy
from training.evaluate.metrics.style import gram_distance, gram_distance_to_others, hellinger_distance, lab_histogram
from training.evaluate.metrics.swd import sliced_wasserstein
from training.losses.perceptual import gram_matrix

needs = {
    name: pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is not installed")
    for name in ("scipy", "torchmetrics")
}


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


# --- Frechet and kernel ---


def test_frechet_distance_by_hand():
    """Of two normal distributions on a line: (m - m')^2 + (s - s')^2."""
    mean, variance = torch.tensor([1.0]), torch.tensor([[4.0]])
    assert frechet_distance(mean, variance, torch.tensor([4.0]), torch.tensor([[25.0]])) == pytest.approx(9 + 9)
    assert frechet_distance(mean, variance, mean, variance) == pytest.approx(0, abs=1e-9)


@needs["scipy"]
def test_frechet_distance_is_that_of_a_matrix_root():
    from scipy.linalg import sqrtm

    (m, c), (n, d) = mean_and_covariance(normal(40, 6)), mean_and_covariance(normal(30, 6, seed=1) * 2 + 0.3)
    slow = float((m - n).square().sum()) + np.trace(c.numpy() + d.numpy() - 2 * sqrtm(c.numpy() @ d.numpy()).real)
    assert frechet_distance(m, c, n, d) == pytest.approx(slow, rel=1e-9)


def test_frechet_distance_of_fewer_samples_than_dimensions_is_finite():
    assert 0 < fid(normal(3, 10), normal(4, 10, seed=1)) < 100


def test_moments_pool_the_positions_of_all_pictures():
    points = [normal(5, 4, 30, seed=seed) + seed for seed in range(2)]  # (N, C, positions)
    moments = [torch.cat([x @ x.mT / 30, x.mean(dim=2, keepdim=True)], dim=2) for x in points]
    pooled = [x.permute(0, 2, 1).reshape(150, 4).double() for x in points]
    slow = frechet_distance(*(part for x in pooled for part in (x.mean(dim=0), torch.cov(x.T, correction=0))))
    assert frechet_of_moments(*moments) == pytest.approx(slow, rel=1e-4)


def test_kernel_distance_by_hand():
    # one dimension, kernel (x y + 1)^3: within 1, 1 is 8; within 0, 0 is 1; between 1 and 0 is 1
    assert kernel_distance(torch.ones(2, 1), torch.zeros(2, 1)) == pytest.approx(8 + 1 - 2)


def test_kernel_distance_matches_a_slow_loop():
    x, y = normal(4, 3), normal(5, 3, seed=1) + 1

    def kernel(a, b) -> float:
        return (float(a @ b) / 3 + 1) ** 3

    within = [np.mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]) for z in (x, y)]
    slow = sum(within) - 2 * np.mean([kernel(a, b) for a in x for b in y])
    assert kernel_distance(x, y) == pytest.approx(slow, rel=1e-5)


def test_kernel_distance_needs_two():
    with pytest.raises(ValueError, match="two or more, got 1 and 5"):
        kernel_distance(normal(1, 3), normal(5, 3))


# --- looks ---


def test_gram_distance_by_hand():
    grams = [torch.tensor([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 2.0]]])]
    wanted = [torch.tensor([[1.0, 0.0], [0.0, 0.0]])]
    assert gram_distance(grams, wanted).tolist() == pytest.approx([0, 1])  # equal; nothing in common
    twice = [torch.tensor([[[2.0, 0.0], [0.0, 0.0]]])]
    assert gram_distance(twice, wanted).tolist() == pytest.approx([1 / 5])  # (2 - 1)^2 / (4 + 1)


def test_gram_distance_of_a_painting_leaves_it_out_of_the_mean():
    grams = [gram_matrix(noise(4, 3, 6, 5)), gram_matrix(noise(4, 5, 6, 5, seed=1))]
    slow = [
        float(gram_distance([g[i : i + 1] for g in grams], [g[[j for j in range(4) if j != i]].mean(dim=0) for g in grams])[0])
        for i in range(4)
    ]
    assert gram_distance_to_others(grams).tolist() == pytest.approx(slow, rel=1e-4)


def test_lab_histogram_of_known_pictures():
    black_and_white = torch.full((1, 3, 4, 4), -1.0)
    black_and_white[..., 2:] = 1
    histogram = lab_histogram(black_and_white)[0]
    # white is at L = 100, in the last cell, and at a = b = 0 up to rounding, in cell 5 or just below it
    assert histogram[:100].sum() == pytest.approx(0.5) and histogram[900:].sum() == pytest.approx(0.5)
    assert histogram.sum() == pytest.approx(1)


def test_hellinger_distance_by_hand():
    one, other = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]), torch.tensor([[0, 0, 1.0]])
    assert hellinger_distance(one, one[:1]) == pytest.approx(math.sqrt(1 - math.sqrt(0.5)))  # (1/2, 1/2, 0) and (1, 0, 0)
    assert hellinger_distance(one, other) == pytest.approx(1) and hellinger_distance(one, one.flip(0)) == 0


def test_checkerboard_energy_by_hand():
    y, x = torch.meshgrid(torch.arange(16), torch.arange(20), indexing="ij")
    stripes = (1.0 - 2 * (x % 2)).expand(1, 3, 16, 20) * 10 / 127.5
    board = (1.0 - 2 * ((x + y) % 2)).expand(1, 3, 16, 20) * 10 / 127.5
    slope = (x / 10 - 1).expand(1, 3, 16, 20)
    energies = checkerboard_energy(torch.cat([stripes, board, slope]))
    assert energies.tolist() == pytest.approx([10, 10 * 2**0.5, 0], abs=1e-3)


def test_checkerboard_energy_matches_a_slow_loop():
    image = noise(1, 3, 9, 8)
    luma = np.tensordot([0.299, 0.587, 0.114], image[0].double().numpy(), axes=1) * 127.5
    taps = np.array([1, -4, 6, -4, 1]) / 16
    slow = [(taps @ luma[i - 2 : i + 3, j]) ** 2 + (taps @ luma[i, j - 2 : j + 3]) ** 2 for i in range(2, 7) for j in range(2, 6)]
    assert float(checkerboard_energy(image)) == pytest.approx(math.sqrt(np.mean(slow)), rel=1e-4)


# --- libraries ---


@needs["torchmetrics"]
def test_psnr_by_hand():
    assert psnr(torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.2)).tolist() == pytest.approx([20])  # 2 / 0.2 = 10
    assert psnr(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)).tolist() == [100]


@needs["torchmetrics"]
def test_ssim_of_flat_pictures_by_hand():
    a, b = 0.2, 0.6  # without any structure only the means count: (2 a b + c) / (a^2 + b^2 + c), c = (0.01 range)^2
    value = ssim(torch.full((2, 3, 16, 16), a), torch.full((2, 3, 16, 16), b))
    c = 0.02**2
    assert value.tolist() == pytest.approx([(2 * a * b + c) / (a * a + b * b + c)] * 2, rel=1e-3)


# --- sets ---


def test_half_samples_spread_as_whole_samples_do():
    """Means of halves without replacement have the standard error of the whole mean."""
    values = normal(100, seed=3)
    random = torch.Generator().manual_seed(0)
    means = torch.stack([values[torch.randperm(100, generator=random)[:50]].mean() for _ in range(2000)])
    interval = half_samples(means)
    assert interval.value == pytest.approx(float(values.mean()), abs=0.01)
    assert (interval.high - interval.low) / 2 == pytest.approx(1.96 * float(values.std()) / 10, rel=0.05)


def test_draws_keep_the_two_halves_of_the_paintings_apart():
    assert half(30, 7) == 3
    for near, others, chosen in draws(30, 7):
        assert len(near) == len(others) == len(chosen) == 3
        assert not {*near.tolist()} & {*others.tolist()} and max(chosen) < 30


def test_swd_sees_wrong_colours():
    pictures = pixels(noise(8, 3, 64, 64))["small"]
    assert sliced_wasserstein(pictures[4:], pictures[:4] - 0.5) > 2 * sliced_wasserstein(pictures[4:], pictures[:4])


def test_parts():
    assert pixels(noise(2, 3, 256, 256))["small"].shape == (2, 3, 128, 128)
    assert middle(noise(1, 3, 10, 7), 4).shape == (1, 3, 4, 4) and middle(noise(1, 3, 3, 7), 4).shape == (1, 3, 3, 4)
    assert to_unit(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).tolist() == [
        pytest.approx([3 / 12.5**0.5, 4 / 12.5**0.5]),
        pytest.approx([0, 0]),
    ]
