"""What every pipeline that turns photos into pictures can be asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

from styletransfer.images import upright
from styletransfer.tasks import TASKS, Task

MAX_STRENGTH = 1.5
OUTPUT_TYPES = ("pil", "np", "pt")

Report = Callable[[float], None]
Picture = Image.Image | np.ndarray | Tensor


@dataclass
class PhotoOutput(BaseOutput):
    """Pictures, in the order of the photos: PIL images, arrays (H, W, 3) or tensors (3, H, W) with values in [0, 1]."""

    images: list[Image.Image] | list[np.ndarray] | list[Tensor]


class PhotoPipeline(DiffusionPipeline):
    """A photo and a style in, a picture out. The command line, the page, ONNX export and evaluation ask for nothing else.

    A subclass has an entry in `styletransfer.tasks.TASKS`, which names its `controls`, and gives

    * `styles`, the names to choose from; none where the network has one look, and `style` is then left out;
    * `scale`, how many times as large as its photo a picture is;
    * `resolve(style, strength)`, which refuses what is wrong before any photo is read;
    * `__call__(image, style, strength, mask, ..., output_type, return_dict, progress)`, made of `each`: photos of any mode and
      size, upright and with their transparency; 0 is the photo itself, 1 the style, up to 1.5 more than that; where the mask is
      black the photo stays bit for bit;
    * `on_tensors(photo, style, strength)`, the same for a tensor (1, 3, H, W) in [-1, 1] at its own size, with gradients.
    """

    scale = 1

    @property
    def task(self) -> Task:
        return TASKS[type(self).__name__]

    @property
    def looks(self) -> list[str | None]:
        """The styles, or None alone for one look that has no name."""
        return self.styles or ([] if self.task.any_painting else [None])

    def each(
        self,
        image: Image.Image | Sequence[Image.Image],
        mask: Image.Image | Sequence[Image.Image] | None,
        output_type: str,
        return_dict: bool,
        progress: Report | None,
        make: Callable[[Image.Image, Image.Image | None, Report | None], Picture],
    ) -> PhotoOutput | tuple:
        """What `make` gives for each upright photo, its mask and a function to report the part that is done, 0 to 1."""
        photos = [image] if isinstance(image, Image.Image) else list_of_pictures(image, "image")
        masks = [mask] * len(photos) if mask is None or isinstance(mask, Image.Image) else list_of_pictures(mask, "mask")
        if len(masks) != len(photos):
            raise ValueError(f"there must be one mask for each of {len(photos)} photos, or a single one, got {len(masks)}")
        if output_type not in OUTPUT_TYPES:
            raise ValueError(f"output_type must be one of {', '.join(OUTPUT_TYPES)}, got {output_type!r}")
        images = []
        for number, (photo, where) in enumerate(zip(photos, masks, strict=True)):
            report = None if progress is None else lambda part, done=number: progress((done + part) / len(photos))
            images.append(make(upright(photo), where, report))
            if report is not None:
                report(1.0)
        self.maybe_free_model_hooks()
        return PhotoOutput(images=images) if return_dict else (images,)


def list_of_pictures(pictures: Sequence[Image.Image], name: str) -> list[Image.Image]:
    if isinstance(pictures, str | bytes) or not isinstance(pictures, Sequence):
        raise TypeError(f"{name} must be a PIL image or a list of them, got {type(pictures).__name__}")
    if not pictures:
        raise ValueError(f"{name} is an empty list")
    return list(pictures)


def as_numbers(pixels: Tensor, output_type: str) -> np.ndarray | Tensor:
    """Colours in [0, 1] of `pixels` (1, 3, H, W) in [-1, 1]: "pt" a tensor (3, H, W) on the CPU, "np" an array (H, W, 3)."""
    pixels = pixels[0].add(1).div(2).clamp(0, 1).cpu()
    return pixels if output_type == "pt" else pixels.permute(1, 2, 0).numpy()
