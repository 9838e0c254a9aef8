"""The metrics by name: each compares the results of one look with their photos and with real paintings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from training.evaluate.describe import GRAM_LAYERS, Parts
from training.evaluate.inception import lpips
from training.evaluate.metrics.frechet import frechet_distance, kernel_distance, mean_and_covariance
from training.evaluate.metrics.intervals import Interval, bootstrap_mean, half_samples
from training.evaluate.metrics.style import color_distance, gram_distance, gram_distance_to_others
from training.evaluate.metrics.swd import sliced_wasserstein_distance
from training.evaluate.report import Score
from training.losses.perceptual import relative_error

DRAWS = 20  # random half samples of a distance of sets
PHOTO_METRICS = ("content", "ssim", "psnr", "lpips", "artfid")  # for them a result must have a photo


@dataclass(frozen=True)
class Sets:
    """Descriptions of the results of a look, of their photos, of the photos taken for results, and of real paintings."""

    results: Parts
    photos: Parts
    copies: Parts
    real: Parts

    def draws(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Random numbers of half the paintings to compare with, of as many others, and of as many results."""
        results, real = len(self.results["energy"]), len(self.real["energy"])
        random, size = torch.Generator().manual_seed(0), half(results, real)
        for _ in range(DRAWS):
            order = torch.randperm(real, generator=random)
            yield order[:size], order[size : 2 * size], torch.randperm(results, generator=random)[:size]


def half(results: int, real: int) -> int:
    """Pictures on either side of a distance of sets."""
    return min(results, real) // 2


Measure = Callable[[Sets], tuple[Interval, float, float | None]]  # value, and the anchors copy and real


@dataclass(frozen=True)
class Metric:
    name: str
    measure: Measure
    parts: tuple[str, ...] = field(default=(), kw_only=True)  # "network" or "inception", where they are looked at
    better: Literal["lower", "higher"] = field(default="lower", kw_only=True)
    sets: bool = field(default=False, kw_only=True)  # whether it compares sets, and not one result at a time
    library: str | None = field(default=None, kw_only=True)
    downloads: bool = field(default=False, kw_only=True)

    def score(self, key: str, style: str | None, sets: Sets, note: str | None = None) -> Score:
        value, copy, real = self.measure(sets)
        anchors, count = {"copy": copy, "real": real}, len(sets.results["energy"])
        return Score(key, self.name, style, value.value, value.low, value.high, anchors, self.better, count, note)


# --- three ways to compare ---


def between_sets(part: str, distance: Callable[[Tensor, Tensor], float]) -> Measure:
    """Distance of random halves: results, copies or other paintings, to paintings."""

    def measure(sets: Sets) -> tuple[Interval, float, float]:
        rows = []
        for near, others, chosen in sets.draws():
            real = sets.real[part]
            candidates = (sets.results[part][chosen], sets.copies[part][chosen], real[others])
            rows.append([distance(candidate, real[near]) for candidate in candidates])
        values = torch.tensor(rows, dtype=torch.float64)
        return half_samples(values[:, 0]), float(values[:, 1].mean()), float(values[:, 2].mean())

    return measure


def to_photo(part: str, compare: Callable[[Tensor, Tensor], Tensor]) -> Measure:
    """Value (N,) of each result and its photo; for the anchor, of random paintings in place of the results."""

    def measure(sets: Sets) -> tuple[Interval, float, float]:
        photos, real = sets.photos[part], sets.real[part]
        other = torch.randint(len(real), (len(photos),), generator=torch.Generator().manual_seed(0))
        copy, real = compare(sets.copies[part], photos).mean(), compare(real[other], photos).mean()
        return bootstrap_mean(compare(sets.results[part], photos)), float(copy), float(real)

    return measure


def energy(sets: Sets) -> tuple[Interval, float, float]:
    return bootstrap_mean(sets.results["energy"]), float(sets.copies["energy"].mean()), float(sets.real["energy"].mean())


def gram(sets: Sets) -> tuple[Interval, float, float | None]:
    """Distance to the mean Gram matrices of the paintings; of a painting, to that of the others, where there are others."""
    results, copies, real = ([parts[f"gram_{i}"] for i in GRAM_LAYERS] for parts in (sets.results, sets.copies, sets.real))
    mean = [layer.mean(dim=0) for layer in real]
    own = float(gram_distance_to_others(real).mean()) if len(real[0]) > 1 else None
    return bootstrap_mean(gram_distance(results, mean)), float(gram_distance(copies, mean).mean()), own


# --- what they compare by ---


def swd(results: Tensor, real: Tensor) -> float:
    distances = sliced_wasserstein_distance(real, results, directions=128)
    return sum(distances.values()) / len(distances)


def frechet_of_moments(results: Tensor, real: Tensor) -> float:
    """Frechet distance of pooled positions, from moments (N, C, C + 1) of each picture."""
    pooled = []
    for moments in (results, real):
        moments = moments.double().mean(dim=0)
        mean = moments[:, -1]
        pooled += [mean, moments[:, :-1] - torch.outer(mean, mean)]
    return frechet_distance(*pooled)


def fid(results: Tensor, real: Tensor) -> float:
    return frechet_distance(*mean_and_covariance(results), *mean_and_covariance(real))


def ssim(results: Tensor, photos: Tensor) -> Tensor:
    from torchmetrics.functional.image import structural_similarity_index_measure

    return structural_similarity_index_measure(results, photos, data_range=2.0, reduction="none").view(-1)


def psnr(results: Tensor, photos: Tensor) -> Tensor:
    """Decibels, at most 100."""
    from torchmetrics.functional.image import peak_signal_noise_ratio

    error = peak_signal_noise_ratio(results, photos, data_range=2.0, reduction="none", dim=(1, 2, 3))
    return error.clamp_max(100)


def artfid(sets: Sets) -> tuple[Interval, float, float]:
    """(1 + LPIPS) (1 + FID) (Wright & Ommer 2022, https://arxiv.org/abs/2207.12280, eq. 4), here with FID's own Inception."""
    (a, *anchors_a), (b, *anchors_b) = METRICS["lpips"].measure(sets), METRICS["fid"].measure(sets)
    value = Interval(*((1 + getattr(a, end)) * (1 + getattr(b, end)) for end in ("value", "low", "high")))
    copy, real = ((1 + x) * (1 + y) for x, y in zip(anchors_a, anchors_b, strict=True))
    return value, copy, real


NETWORK, INCEPTION = ("network",), ("inception",)

METRICS: dict[str, Metric] = {
    "swd": Metric("Sliced Wasserstein distance x 1000", between_sets("small", swd), sets=True),
    "color": Metric("Hellinger distance of Lab histograms", between_sets("histogram", color_distance), sets=True),
    "gram": Metric("Gram distance, SqueezeNet", gram, parts=NETWORK),
    "pyramid_kernel": Metric(
        "Kernel distance, SqueezeNet (not KID)", between_sets("statistics", kernel_distance), parts=NETWORK, sets=True
    ),
    "pyramid_frechet": Metric(
        "Frechet distance, SqueezeNet (not FID)", between_sets("moments", frechet_of_moments), parts=NETWORK, sets=True
    ),
    "content": Metric("Content distance, SqueezeNet", to_photo("content", relative_error), parts=NETWORK),
    "ssim": Metric("SSIM with the photo", to_photo("pixels", ssim), better="higher", library="torchmetrics"),
    "psnr": Metric("PSNR with the photo, dB", to_photo("pixels", psnr), better="higher", library="torchmetrics"),
    "checkerboard": Metric("Pixel-to-pixel energy, 255ths", energy),
    "fid": Metric("FID", between_sets("inception", fid), parts=INCEPTION, sets=True, downloads=True),
    "kid": Metric("KID", between_sets("inception", kernel_distance), parts=INCEPTION, sets=True, downloads=True),
    "lpips": Metric("LPIPS with the photo, AlexNet", to_photo("pixels", lpips), downloads=True),
    "artfid": Metric("ArtFID with FID's Inception", artfid, parts=INCEPTION, sets=True, downloads=True),
}
