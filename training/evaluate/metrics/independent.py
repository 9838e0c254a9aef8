"""Style and content of painted photos by features that no loss sees."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from styletransfer.images import to_tensor
from training.evaluate.metrics.statistics import network_statistics
from training.evaluate.metrics.vision_transformer import PATCH, VisionTransformer

STYLE_BLOCKS, CONTENT_BLOCK = (2, 5, 8), 9
SIDE = 224  # pixels: shorter side of a picture as the network sees it
LONGEST = 3 * SIDE  # pixels: a handscroll is squeezed
NEAREST = 5
EQUAL = 1e-4  # cosines that differ by less are those of one picture, seen twice

Size = tuple[int, int]  # width and height in pixels


@dataclass(frozen=True)
class Seen:
    """What the network sees of N pictures.

    Args:
        style: Means and deviations of the channels after three blocks, (N, 6 * D).
        content: Of each picture the vectors of its patches, (D, h, w).
    """

    style: Tensor
    content: tuple[Tensor, ...]

    @property
    def sizes(self) -> list[Size]:
        return [(patches.shape[2] * PATCH, patches.shape[1] * PATCH) for patches in self.content]


class IndependentFeatures:
    """Scores painted photos by a vision transformer whose features no loss sees.

    Style is the cosine of two pictures' channel statistics (blocks 2, 5 and 8, counted from 0), each standardised over held-out
    paintings: near 0 for unlike paintings, 1 for a painting and itself. Content is the mean cosine of the vectors that a result
    and its photo have at the same place after block 9.

    Args:
        network: What sees the pictures, 224 px on the shorter side, whatever their size.
        paintings: Paintings that no training saw, or their `Seen.style`: they set the scale, and compete with a result's own.

    Example:
        `features = IndependentFeatures(load_vision_transformer(path), paintings)`
        `features.compare(features.see([result]), features.see([photo]), features.see([painting]).style)["style"].mean()`
    """

    def __init__(self, network: VisionTransformer, paintings: Iterable[Image.Image] | Tensor):
        self.network = network
        style = paintings if isinstance(paintings, Tensor) else see(network, paintings).style
        if len(style) < 2:
            raise ValueError(f"statistics are standardised over two paintings or more, got {len(style)}")
        deviation, self.mean = torch.std_mean(style, dim=0)
        self.deviation = deviation.clamp_min(1e-6)
        self.paintings = self.standardised(style)  # (M, 6 * D)

    def standardised(self, style: Tensor) -> Tensor:
        """Statistics (N, 6 * D) in deviations from those of the held-out paintings, rows of length 1."""
        return F.normalize((style - self.mean) / self.deviation, dim=1)

    def see(self, pictures: Iterable[Image.Image], sizes: Sequence[Size] | None = None) -> Seen:
        return see(self.network, pictures, sizes)

    def compare(self, results: Seen, photos: Seen, paintings: Tensor) -> dict[str, Tensor]:
        """Values (N,) of results, their photos, and the statistics of their paintings, (N, 6 * D) or (1, 6 * D) for one of all.

        `style` and `content` are cosines; `top5`: the painting is among the 5 nearest of all held-out ones and itself.
        """
        rows, own = self.standardised(results.style), self.standardised(paintings)
        style = (rows * own).sum(dim=1)
        rivals = own @ self.paintings.T < 1 - EQUAL  # a painting that is held out is no rival of itself
        nearer = (rivals & (rows @ self.paintings.T > style[:, None])).sum(dim=1)
        content = [F.cosine_similarity(a, b, dim=0).mean() for a, b in zip(results.content, photos.content, strict=True)]
        return {"style": style, "top5": nearer < NEAREST, "content": torch.stack(content)}


@torch.no_grad()
def see(network: VisionTransformer, pictures: Iterable[Image.Image], sizes: Sequence[Size] | None = None) -> Seen:
    """Pictures as the network sees them, of `sizes` where they are given."""
    style, content = [], []
    for number, picture in enumerate(pictures):
        pixels = as_input(picture, sizes[number] if sizes else None)
        features = network(pixels[None], (*STYLE_BLOCKS, CONTENT_BLOCK))
        content.append(features.pop(CONTENT_BLOCK)[0])
        style.append(network_statistics(features)[0])
    return Seen(torch.stack(style), tuple(content))


def as_input(picture: Image.Image, size: Size | None = None) -> Tensor:
    """(3, H, W) in [-1, 1]; without `size` the shorter side has 224 px and the longer one the nearest multiple of 14."""
    if size is None:
        scale = SIDE / min(picture.size)
        size = tuple(min(round(side * scale / PATCH) * PATCH, LONGEST) for side in picture.size)
    return to_tensor(picture.convert("RGB").resize(size, Image.Resampling.BICUBIC))[0]
