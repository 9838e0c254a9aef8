"""Pictures enlarged by a network in tiles: the memory that this takes does not grow with the picture."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise, product

import torch
from PIL import Image
from torch import Tensor, nn

from styletransfer.images import at_least, to_pil, to_tensor

TILE = 128  # pixels of the input: what a tile takes stays in the cache of a processor
KEPT = 31 * 2**20  # bytes, just below glibc's limit of what it learns to keep
WORTHWHILE = 1.1  # an enlargement below this is left to interpolation


def enlarge(
    network: nn.Module | None,
    image: Image.Image,
    size: tuple[int, int],
    progress: Callable[[float], None] | None = None,
) -> Image.Image:
    """The colours of `image` at `size` (width, height), in RGB.

    The network, an `UpscaleGenerator`, makes it as large or larger, as far as its stages go, and interpolation does the rest; all
    of it below 1.1 times the size, or without a network. `progress` is called with the share of the network's work that is done,
    up to 1.

    `enlarge(network, painting, (3000, 4000)).save("large.png")`
    """
    image = image.convert("RGB")
    ratio = max(size[0] / image.width, size[1] / image.height)
    if network is not None and ratio >= WORTHWHILE:
        level = min(max(1, math.ceil(math.log2(ratio))), len(network.stages))
        scale = 2**level
        canvas = Image.new("RGB", (scale * image.width, scale * image.height))
        for left, top, tile, share in enlarged_tiles(network, image, level):
            canvas.paste(to_pil(tile), (scale * left, scale * top))
            if progress is not None:
                progress(share)
        image = canvas
    elif progress is not None:
        progress(1.0)
    shrinks = size[0] < image.width
    return image.resize(size, Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC)


@torch.no_grad()
def enlarged_tiles(network: nn.Module, image: Image.Image, level: int) -> Iterator[tuple[int, int, Tensor, float]]:
    """What `network` makes of `image`, in tiles (1, 3, h, w): left and top in the image, the tile, the share that is done.

    Each is what the network makes of the whole image, there.
    """
    torch.empty(KEPT // 4)  # once freed, glibc keeps so much for the next tile and does not return it: a quarter faster
    columns, rows = cuts(image.width), cuts(image.height)
    count, scale, more = (len(columns) - 1) * (len(rows) - 1), 2**level, network.overlap
    for number, ((top, bottom), (left, right)) in enumerate(product(pairwise(rows), pairwise(columns)), 1):
        x, y = max(left - more, 0), max(top - more, 0)
        seen = image.crop((x, y, min(right + more, image.width), min(bottom + more, image.height)))
        tile = network(at_least(to_tensor(seen).to(network.device, network.dtype)), level=level)
        tile = tile[..., scale * (top - y) : scale * (bottom - y), scale * (left - x) : scale * (right - x)]
        yield left, top, tile, number / count


def cuts(side: int) -> list[int]:
    """Where a side of `side` pixels is cut into the fewest parts of about one length, at most `TILE`; both ends included."""
    parts = math.ceil(side / TILE)
    return [round(side * part / parts) for part in range(parts + 1)]
