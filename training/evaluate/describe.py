"""What the metrics see of a picture: named tensors with one row for each picture."""

from collections.abc import Callable, Iterable, Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from styletransfer.images import to_tensor
from styletransfer.models.features import FeaturePyramid
from training.evaluate.metrics.pictures import as_jpeg, batches
from training.evaluate.metrics.sharpness import checkerboard_energy
from training.evaluate.metrics.statistics import network_statistics
from training.evaluate.metrics.style import lab_histogram
from training.losses.perceptual import gram_matrix
from training.options import Features

# of SqueezeNet 1.1
STYLE_LAYERS = (1, 4, 7, 10, 12)  # conv1, fire3, 5, 7 and 9
GRAM_LAYERS = (1, 4, 7, 10)
CONTENT_LAYER = 7  # fire5
SMALL = 128  # pixels: side of the pictures for the sliced Wasserstein distance; smaller ones stay as they are

Parts = dict[str, Tensor]
Extractor = Callable[[Tensor], Parts]


def describe(images: Iterable[Image.Image], extractors: Sequence[Extractor], side: int, jpeg: bool = False) -> Parts:
    """Rows of every extractor for the standard pictures of `images`, and of `energy` for the middle of each at its own size."""
    energies, rows = [], {}

    def watched():
        for image in images:
            energies.append(checkerboard_energy(middle(to_tensor(image), side)))  # resizing would hide a checkerboard
            yield as_jpeg(image) if jpeg else image

    with torch.no_grad():
        for batch in batches(watched(), side=side):
            for extract in extractors:
                for name, part in extract(batch).items():
                    rows.setdefault(name, []).append(part)
    return {name: torch.cat(parts) for name, parts in rows.items()} | {"energy": torch.cat(energies)}


def middle(image: Tensor, side: int) -> Tensor:
    """The centre of `image` (B, 3, H, W), at most `side` pixels high and wide."""
    top, left = (max(size - side, 0) // 2 for size in image.shape[-2:])
    return image[..., top : top + side, left : left + side]


def pixels(batch: Tensor) -> Parts:
    small = F.interpolate(batch, size=(SMALL, SMALL), mode="area") if batch.shape[-1] > SMALL else batch
    return {"pixels": batch, "small": small, "histogram": lab_histogram(batch)}


class Pyramid:
    """Parts by one pass of a frozen SqueezeNet, scaled so that the scale of its weights does not matter.

    `statistics` (N, D): channel means and deviations, each layer with unit root mean square; `moments` (N, C, C + 1): second and
    first moments of fire5 over positions, with unit root mean square; `content` (N, C, h, w); `gram_<layer>` (N, C, C).
    """

    def __init__(self, features: Features):
        if features.network != "squeezenet1_1":
            raise ValueError(f"the metrics are defined on squeezenet1_1, got --features.network {features.network}")
        self.network = FeaturePyramid(features.network, STYLE_LAYERS, features.weights, features.normalization)

    def __call__(self, batch: Tensor) -> Parts:
        features = self.network(batch)
        content = features[CONTENT_LAYER]
        points = to_unit(content.flatten(1)).view_as(content).flatten(2)  # (B, C, h * w)
        second = points @ points.mT / points.shape[2]
        grams = {f"gram_{layer}": gram_matrix(features[layer]) for layer in GRAM_LAYERS}
        return grams | {
            "statistics": torch.cat([to_unit(network_statistics({layer: part})) for layer, part in features.items()], dim=1),
            "moments": torch.cat([second, points.mean(dim=2, keepdim=True)], dim=2),
            "content": content,
        }


def to_unit(rows: Tensor) -> Tensor:
    """`rows` (B, D), each with a root mean square of 1."""
    return rows / rows.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-12)
