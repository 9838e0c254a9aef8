"""The metrics by name: each compares the results of one look with their photos and with real paintings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from styletransfer.pipelines.generation import GenerationPipeline
from styletransfer.pipelines.photo import PhotoPipeline
from training.evaluate.describe import GRAM_LAYERS, Parts
from training.evaluate.inception import lpips
from training.evaluate.metrics.frechet import frechet_distance, kernel_distance, mean_and_covariance
from training.evaluate.metrics.intervals import Interval, bootstrap_mean, half_samples
from training.evaluate.metrics.pictures import standard
from training.evaluate.metrics.style import gram_distance, gram_distance_to_others, hellinger_distance
from training.evaluate.metrics.swd import sliced_wasserstein
from training.evaluate.report import Score
from training.evaluate.robustness import Paint, adversarial_gain, flicker, identity, jpeg_gain, rise_with_strength
from training.evaluate.subjects import Subject
from training.losses.perceptual import relative_error

DRAWS = 20  # random half samples of a distance of sets
TESTED = 8  # photos for the tests of robustness, which paint each of them many times


@dataclass(frozen=True)
class Look:
    """What metrics see of one style or domain. Results and real pictures are made when they are first asked for.

    Args:
        pipe: Of the package.
        judged: What is judged of it.
        style: None where the package has one look.
        see: Parts of pictures, through JPEG where `jpeg` says so.
        photos: Parts of the photos.
        copies: Parts of the photos taken for results.
    """

    pipe: PhotoPipeline | GenerationPipeline
    judged: Subject
    style: str | None
    see: Callable[..., Parts]
    photos: Parts
    copies: Parts

    @cached_property
    def pictures(self) -> list[Image.Image]:
        return list(self.judged.make(self.style))

    @cached_property
    def results(self) -> Parts:
        return self.see(self.pictures, jpeg=self.judged.jpeg)

    @cached_property
    def real(self) -> Parts:
        return self.see(map(self.judged.read, self.judged.looks[self.style]))


def draws(results: int, real: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Random numbers of half the paintings to compare with, of as many others, and of as many results."""
    random, size = torch.Generator().manual_seed(0), half(results, real)
    for _ in range(DRAWS):
        order = torch.randperm(real, generator=random)
        yield order[:size], order[size : 2 * size], torch.randperm(results, generator=random)[:size]


def half(results: int, real: int) -> int:
    """Pictures on either side of a distance of sets."""
    return min(results, real) // 2


Measure = Callable[[Look], tuple[Interval, float | None, float | None]]  # value, and the anchors copy and real


@dataclass(frozen=True)
class Metric:
    """A measure by the name that people know.

    Args:
        needs: What must be there: "photo" of each result, one of its own "size", two pictures or more on either side of "sets",
            the weights of "features", "inception" or "lpips", or a library.
    """

    name: str
    measure: Measure
    needs: tuple[str, ...] = ()
    better: Literal["lower", "higher"] = "lower"

    def score(self, key: str, look: Look, note: str | None = None) -> Score:
        value, copy, real = self.measure(look)
        anchors, pictures = {"copy": copy, "real": real}, len(look.judged.copies)
        count = min(pictures, TESTED) if "size" in self.needs else pictures
        return Score(key, self.name, look.style, value.value, value.low, value.high, anchors, self.better, count, note)


# --- ways to compare ---


def between_sets(part: str, distance: Callable[[Tensor, Tensor], float]) -> Measure:
    """Distance of random halves: results, copies or other paintings, to paintings."""

    def measure(look: Look) -> tuple[Interval, float, float]:
        results, copies, real = look.results[part], look.copies[part], look.real[part]
        rows = [
            [distance(candidate, real[near]) for candidate in (results[chosen], copies[chosen], real[others])]
            for near, others, chosen in draws(len(results), len(real))
        ]
        values = torch.tensor(rows, dtype=torch.float64)
        return half_samples(values[:, 0]), float(values[:, 1].mean()), float(values[:, 2].mean())

    return measure


def to_photo(part: str, compare: Callable[[Tensor, Tensor], Tensor]) -> Measure:
    """Value (N,) of each result and its photo; for the anchor, of random paintings in place of the results."""

    def measure(look: Look) -> tuple[Interval, float, float]:
        photos, real = look.photos[part], look.real[part]
        other = torch.randint(len(real), (len(photos),), generator=torch.Generator().manual_seed(0))
        copy, real = compare(look.copies[part], photos).mean(), compare(real[other], photos).mean()
        return bootstrap_mean(compare(look.results[part], photos)), float(copy), float(real)

    return measure


def under_change(test: Callable[[Paint, Tensor], float]) -> Measure:
    """What a test finds of the networks on some photos; the copy's is that of the network that changes nothing."""

    @torch.no_grad()
    def measure(look: Look) -> tuple[Interval, float, None]:
        photos = [standard(photo)[None] for photo in look.judged.photos[:TESTED]]
        paint = partial(look.pipe.on_tensors, style=look.style)
        values, copies = (torch.tensor([test(way, photo) for photo in photos]) for way in (paint, identity))
        return bootstrap_mean(values), float(copies.mean()), None

    return measure


def energy(look: Look) -> tuple[Interval, float, float]:
    return bootstrap_mean(look.results["energy"]), float(look.copies["energy"].mean()), float(look.real["energy"].mean())


def gram(look: Look) -> tuple[Interval, float, float | None]:
    """Distance to the mean Gram matrices of the paintings; of a painting, to that of the others, where there are others."""
    results, copies, real = ([parts[f"gram_{i}"] for i in GRAM_LAYERS] for parts in (look.results, look.copies, look.real))
    mean = [layer.mean(dim=0) for layer in real]
    own = float(gram_distance_to_others(real).mean()) if len(real[0]) > 1 else None
    return bootstrap_mean(gram_distance(results, mean)), float(gram_distance(copies, mean).mean()), own


# --- what they compare by ---


def swd(results: Tensor, real: Tensor) -> float:
    return sliced_wasserstein(real, results, directions=128)


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


def artfid(look: Look) -> tuple[Interval, float, float]:
    """(1 + LPIPS) (1 + FID) (Wright & Ommer 2022, https://arxiv.org/abs/2207.12280, eq. 4), here with FID's own Inception."""
    (a, *anchors_a), (b, *anchors_b) = METRICS["lpips"].measure(look), METRICS["fid"].measure(look)
    value = Interval(*((1 + getattr(a, end)) * (1 + getattr(b, end)) for end in ("value", "low", "high")))
    copy, real = ((1 + x) * (1 + y) for x, y in zip(anchors_a, anchors_b, strict=True))
    return value, copy, real


METRICS: dict[str, Metric] = {
    "swd": Metric("Sliced Wasserstein distance x 1000", between_sets("small", swd), ("sets",)),
    "color": Metric("Hellinger distance of Lab histograms", between_sets("histogram", hellinger_distance), ("sets",)),
    "gram": Metric("Gram distance, SqueezeNet", gram, ("features",)),
    "pyramid_kernel": Metric(
        "Kernel distance, SqueezeNet (not KID)", between_sets("statistics", kernel_distance), ("features", "sets")
    ),
    "pyramid_frechet": Metric(
        "Frechet distance, SqueezeNet (not FID)", between_sets("moments", frechet_of_moments), ("features", "sets")
    ),
    "content": Metric("Content distance, SqueezeNet", to_photo("content", relative_error), ("features", "photo")),
    "ssim": Metric("SSIM with the photo", to_photo("pixels", ssim), ("torchmetrics", "photo"), "higher"),
    "psnr": Metric("PSNR with the photo, dB", to_photo("pixels", psnr), ("torchmetrics", "photo"), "higher"),
    "checkerboard": Metric("Pixel-to-pixel energy, 255ths", energy),
    "fid": Metric("FID", between_sets("inception", fid), ("inception", "sets")),
    "kid": Metric("KID", between_sets("inception", kernel_distance), ("inception", "sets")),
    "lpips": Metric("LPIPS with the photo, AlexNet", to_photo("pixels", lpips), ("lpips", "photo")),
    "artfid": Metric("ArtFID with FID's Inception", artfid, ("inception", "lpips", "sets", "photo")),
    "adversarial_gain": Metric("Gain under PGD of 2/255", under_change(adversarial_gain), ("size", "photo")),
    "jpeg_gain": Metric("Gain under JPEG quality 75", under_change(jpeg_gain), ("size", "photo")),
    "flicker": Metric("Flicker of a panning, zooming camera", under_change(flicker), ("size", "photo")),
    "rise_with_strength": Metric(
        "Part of the strength steps that rise", under_change(rise_with_strength), ("size", "photo"), "higher"
    ),
}
