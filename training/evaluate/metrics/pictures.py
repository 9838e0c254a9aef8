"""How every picture is shown to a metric: the same file format, the same resize and the same crop for all."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice

import torch
from PIL import Image, ImageOps
from torch import Tensor

from styletransfer.images import to_tensor

SIDE = 256


def as_jpeg(image: Image.Image, quality: int = 90) -> Image.Image:
    """`image` as it comes back from a JPEG file: results that never were one would else be known by their missing artefacts."""
    buffer = BytesIO()
    image.convert("RGB").save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def standard(image: Image.Image, side: int = SIDE) -> Tensor:
    """(3, S, S) in [-1, 1]: the shorter side resized to `side` pixels, the centre cut out. Nothing is enlarged."""
    if min(image.size) < side:
        raise ValueError(
            f"a picture to judge must be at least {side} pixels on its shorter side, got {image.width} x {image.height}"
        )
    return to_tensor(ImageOps.fit(image.convert("RGB"), (side, side), Image.Resampling.BICUBIC))[0]


def batches(images: Iterable[Image.Image], size: int = 16, side: int = SIDE) -> Iterator[Tensor]:
    """Standard pictures, (B, 3, S, S) with B at most `size`."""
    images = iter(images)
    while chunk := list(islice(images, size)):
        yield torch.stack([standard(image, side) for image in chunk])
