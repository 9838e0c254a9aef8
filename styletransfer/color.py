"""Colour transport: a photo in the palette of a painting, in closed form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

REGULARIZER = 4e-3  # added to every variance: a deviation of 0.06 of [-1, 1], so that a flat photo is not blown up into noise
KNEE = 0.85  # colours beyond this part of the gamut are compressed
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
MAX_STATISTICS = 256  # pixels of the shorter side that a palette is measured on


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours as a Gaussian: `mean` (3,) and `covariance` (3, 3) of RGB in [-1, 1].

    `Palette.of(painting)`, `Palette.from_colors(["#0b3d91", "#f4d35e", "#ffffff"])`
    """

    mean: Tensor
    covariance: Tensor

    def __post_init__(self):
        shapes = tuple(self.mean.shape), tuple(self.covariance.shape)
        if shapes != ((3,), (3, 3)):
            raise ValueError(f"a palette has a mean (3,) and a covariance (3, 3), got {shapes[0]} and {shapes[1]}")
        if not torch.isfinite(self.mean).all() or not torch.isfinite(self.covariance).all():
            raise ValueError("a palette must be finite")
        covariance = self.covariance.detach()
        if not torch.allclose(covariance, covariance.mT, atol=1e-4) or torch.linalg.eigvalsh(covariance)[0] < -1e-4:
            raise ValueError("the covariance of a palette must be symmetric and without negative variances")
        if self.mean.abs().max() > 1.01 or covariance.diagonal().max() > 1.01:
            raise ValueError("a palette must be one of colours in [-1, 1]")

    @classmethod
    def of(cls, picture: Tensor) -> "Palette":
        """Palette of the whole `picture` (1, 3, H, W) in [-1, 1]; a large one is averaged down first."""
        shrink = min(picture.shape[-2:]) // MAX_STATISTICS
        colours = F.avg_pool2d(picture, shrink) if shrink > 1 else picture
        colours = colours[0].flatten(1).double()
        mean = colours.mean(dim=1)
        centred = colours - mean[:, None]
        return cls(mean.float(), (centred @ centred.T / centred.shape[1]).float())

    @classmethod
    def from_colors(cls, colors: Sequence[str]) -> "Palette":
        """Palette of colours such as "#0b3d91", all of the same weight."""
        wrong = [color for color in colors if not isinstance(color, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", color)]
        if not colors or wrong:
            raise ValueError(f"colours must look like #0b3d91, got {wrong or 'none'}")
        values = torch.tensor([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors]) / 127.5 - 1
        return cls.of(values.T.view(1, 3, 1, -1))

    def distance(self, other: "Palette") -> Tensor:
        """Squared 2-Wasserstein distance to another palette (Givens & Shortt 1984, prop. 7)."""
        root = square_root(self.covariance)
        cross = square_root(root @ other.covariance @ root)
        spread = torch.trace(self.covariance + other.covariance - 2 * cross)
        return (self.mean - other.mean).square().sum() + spread.clamp_min(0)


def transport(source: Palette, target: Palette, tone: float = 1.0, color: float = 1.0) -> tuple[Tensor, Tensor]:
    """The affine map x -> x @ matrix.T + offset, (3, 3) and (3,), that moves colours of `source` towards `target`.

    The linear Monge-Kantorovich map (Pitié & Kokaram 2007, eq. 18): of all maps between the two Gaussians, it moves colours the
    least. With `tone` and `color` both t, it is (1 - t) I + t T, a point of the geodesic between the two. `tone` alone moves
    lightness, the mean of the channels, and `color` what a colour has beyond it. Differentiable.
    """
    eye = torch.eye(3, dtype=source.mean.dtype, device=source.mean.device)
    start, end = (palette.covariance + REGULARIZER * eye for palette in (source, target))
    root = square_root(start)
    inverse = torch.linalg.inv(root)
    full = inverse @ square_root(root @ end @ root) @ inverse
    lightness = torch.full_like(eye, 1 / 3)  # projects on the grey axis
    amount = tone * lightness + color * (eye - lightness)
    matrix = eye + amount @ (full - eye)
    offset = amount @ (target.mean - full @ source.mean)
    return matrix, offset


def recolor(image: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """`image` (B, 3, H, W) in [-1, 1] under the affine map of `transport`, kept within [-1, 1].

    `matrix` is (3, 3) or (B, 3, 3), `offset` (3,) or (B, 3). What leaves the gamut is compressed, not clipped: pale palettes
    would burn skies to white. A map that changes nothing returns the image.
    """
    moved = torch.einsum("...ij,...jhw->...ihw", matrix, image) + offset[..., :, None, None]
    return compress(moved, image)


def compress(moved: Tensor, image: Tensor) -> Tensor:
    """`moved` (B, 3, H, W) brought into [-1, 1]: luma, then chroma, each beyond a knee: `KNEE`, or where `image` was."""
    weights = moved.new_tensor(LUMA).view(1, 3, 1, 1)
    luma, before = ((picture * weights).sum(dim=1, keepdim=True) for picture in (moved, image))
    chroma, chroma_before = moved - luma, image - before
    squeezed = soft_limit(luma, before * luma.sign())
    reach, reach_before = reach_of(chroma, squeezed), reach_of(chroma_before, before)
    return squeezed + chroma * (soft_limit(reach, reach_before) / reach.clamp_min(1e-6)).clamp_max(1)


def reach_of(chroma: Tensor, luma: Tensor) -> Tensor:
    """How far `chroma` goes towards the edge of the gamut at `luma`: 1 on the edge."""
    room = torch.where(chroma > 0, 1 - luma, 1 + luma).clamp_min(1e-3)
    return (chroma.abs() / room).amax(dim=1, keepdim=True)


def soft_limit(value: Tensor, before: Tensor) -> Tensor:
    """`value` with its size limited to 1, softly beyond a knee: `KNEE`, or `before` where that was larger."""
    knee = before.clamp(KNEE, 0.999)
    size = value.abs()
    beyond = knee + (1 - knee) * torch.tanh((size - knee) / (1 - knee))
    return value.sign() * torch.where(size > knee, beyond, size)


def square_root(matrix: Tensor) -> Tensor:
    """Symmetric square root of a symmetric positive semidefinite `matrix` (..., 3, 3)."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag_embed(values.clamp_min(0).sqrt()) @ vectors.mT
