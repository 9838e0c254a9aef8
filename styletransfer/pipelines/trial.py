"""What a package of a stranger would take, known before it takes it."""

import math
import weakref
from collections.abc import Iterator
from pathlib import Path

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from styletransfer.catalog import read_package
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.generation import BATCH, GenerationPipeline
from styletransfer.pipelines.painting import BRUSHES, PANORAMA, SIZE
from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from styletransfer.pipelines.translation import TranslationPipeline
from styletransfer.styles import Style
from styletransfer.tiling import TILE

MAX_BYTES = 4_000_000_000  # of activations in the largest call of the page


def examine(folder: Path) -> None:
    """Open the package in `folder`, and refuse it where the page could not use it.

    Raises:
        ValueError or OSError: as `load_pipeline`, and where one of its networks takes more than `MAX_BYTES`.
    """
    read_package(folder)
    for name, network, inputs in largest_calls(load_pipeline(folder)):
        needed = peak_bytes(network, *inputs)
        if needed > MAX_BYTES:
            raise ValueError(
                f"its {name} would take {needed / 1e9:.1f} GB of memory for one call, and at most {MAX_BYTES / 1e9:g} GB are lent"
            )


def examine_style(path: Path) -> None:
    """Open the style file at `path`, and refuse it as `Style.load` does."""
    Style.load(path)


def largest_calls(pipe: DiffusionPipeline) -> Iterator[tuple[str, nn.Module, tuple[Tensor, ...]]]:
    """The networks of `pipe` by name, with inputs on the meta device as large as the page ever gives them."""

    def image(height: int, width: int) -> Tensor:
        return torch.empty(1, 3, height, width, device="meta")

    def tile(network: nn.Module) -> Tensor:
        return image(TILE + 2 * network.overlap, TILE + 2 * network.overlap)

    match pipe:
        case GenerationPipeline():
            z_size = pipe.noise_generator.config.z_size
            yield "noise_generator", pipe.noise_generator, (torch.empty(BATCH, z_size, device="meta"),)
        case TranslationPipeline() if pipe.scale > 1:
            yield "translator", pipe.translator, (tile(pipe.translator),)
        case TranslationPipeline():
            side = math.isqrt(int(pipe.task.megapixels * 1e6))
            label = [torch.zeros(1, dtype=torch.long, device="meta")] if "num_domains" in pipe.translator.config else []
            yield "translator", pipe.translator, (image(side, side), *label)
        case StyleTransferPipeline():
            code, high = torch.empty(1, pipe.stylizer.config.code_size, device="meta"), int(SIZE / BRUSHES[0])  # the finest brush
            yield "stylizer", pipe.stylizer, (image(high, PANORAMA * high), code)
            yield "encoder", pipe.encoder, (image(pipe.encoder.config.size, pipe.encoder.config.size),)
            if pipe.enlarger is not None:
                yield "enlarger", pipe.enlarger, (tile(pipe.enlarger),)


def peak_bytes(network: nn.Module, *inputs: Tensor) -> int:
    """Bytes of the tensors, `inputs` among them, that are alive at once at most while `network` runs on the meta device.

    The network moves there and its weights are lost: nothing is computed, and no memory is taken.
    """
    network = nn.Module.to(network, "meta")
    with torch.no_grad(), LiveBytes() as live:
        live.count(inputs)
        network(*inputs)
    return live.peak


class LiveBytes(TorchDispatchMode):
    """Counts the bytes of all tensors that are made inside, as long as they live."""

    def __init__(self):
        super().__init__()
        self.live, self.peak, self.known = 0, 0, set()

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        made = function(*arguments, **(options or {}))
        self.count(made)
        return made

    def count(self, tensors) -> None:
        for storage in (tensor.untyped_storage() for tensor in tree_leaves(tensors) if isinstance(tensor, Tensor)):
            if id(storage) not in self.known:  # a view of another has the other's storage
                self.known.add(id(storage))
                self.live += storage.nbytes()
                self.peak = max(self.peak, self.live)
                weakref.finalize(storage, self.forget, id(storage), storage.nbytes())

    def forget(self, storage: int, size: int) -> None:
        self.known.discard(storage)
        self.live -= size
