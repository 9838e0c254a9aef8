"""The flagship pipeline: photos and a style in, paintings out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

from styletransfer.catalog import STYLES_FOLDER, check_style, read_index
from styletransfer.color import Palette
from styletransfer.images import to_tensor, upright
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.pipelines import standalone
from styletransfer.pipelines.base import forget_paths, write_code
from styletransfer.pipelines.loading import fetch, load_network, package_files, weights_file
from styletransfer.pipelines.painting import COLOR, SIZE, TONE, Controls, Painter, check_number
from styletransfer.styles import Style, check_name

MAX_STRENGTH = 1.5
STYLE_FILE = "style.safetensors"  # in a repository or folder that holds a single style
NETWORKS = {"stylizer": StyleGenerator, "encoder": StyleEncoder, "enlarger": UpscaleGenerator}
OPTIONAL = ("enlarger",)
OUTPUT_TYPES = ("pil", "np", "pt")

StyleLike = str | Style | Mapping[str | Style, float] | Image.Image


@dataclass
class StyleTransferOutput(BaseOutput):
    """Paintings, in the order of the photos: PIL images, arrays (H, W, 3) or tensors (3, H, W) with values in [0, 1]."""

    images: list[Image.Image] | list[np.ndarray] | list[Tensor]


class StyleTransferPipeline(Painter, DiffusionPipeline):
    """Paint photos in named styles, in mixtures of them, or in the style of any painting.

    The photo takes the colours of the style in closed form (`styletransfer.color`), is painted at a working size by the
    generator, with the style's adapter merged into its weights, and enlarged to its own size by another generator: strokes have
    one size, whatever the resolution.

    Args:
        stylizer: Generator that paints strokes over a recoloured photo by a style code.
        encoder: Encoder that finds the style code of a painting.
        enlarger: Generator that enlarges paintings; without one they are enlarged by interpolation.
        styles: The named styles.

    Example:
        `load_pipeline("model_cards/painter")(photo, style={"starry-night": 0.5, "great-wave": 0.5}, strength=0.8).images[0]`
    """

    model_cpu_offload_seq = "encoder->stylizer->enlarger"
    _optional_components: ClassVar = list(OPTIONAL)

    def __init__(
        self,
        stylizer: StyleGenerator,
        encoder: StyleEncoder,
        enlarger: UpscaleGenerator | None = None,
        styles: Sequence[Style] = (),
    ):
        super().__init__()
        if stylizer.config.code_size != encoder.config.code_size:
            sizes = f"{encoder.config.code_size} floats, the stylizer takes {stylizer.config.code_size}"
            raise ValueError(f"the networks do not fit together: the encoder's codes have {sizes}")
        self.register_modules(stylizer=stylizer, encoder=encoder, enlarger=enlarger)
        self.named: dict[str, Style] = {}
        for style in styles:
            self.add_style(style)

    @classmethod
    def from_pretrained(
        cls,
        path_or_repo: str | Path,
        revision: str | None = None,
        token: str | None = None,
        dtype: torch.dtype | None = None,
        variant: str | None = None,
    ) -> "StyleTransferPipeline":
        """Pipeline of a package; `load_pipeline` calls it."""
        folder = fetch(path_or_repo, revision, token, package_files(variant))
        index = read_index(folder)
        networks = {}
        for name, network in NETWORKS.items():
            if name in OPTIONAL and index.get(name) in (None, [None, None]):
                continue
            if index.get(name) != [network.__module__, network.__name__]:
                raise ValueError(f"{folder}/model_index.json must give {network.__name__} as {name}, got {index.get(name)}")
            networks[name] = load_network(network, folder / name, dtype, variant)
        return cls(**networks, styles=[Style.load(path) for path in sorted((folder / STYLES_FOLDER).glob("*.safetensors"))])

    def save_pretrained(self, folder: str | Path, safe_serialization: bool = True, variant: str | None = None) -> None:
        """Write the package: the networks, the named styles, `model_index.json`, and the code that plain diffusers needs.

        A variant lies beside other weights: `load_pipeline(folder, dtype=torch.float16).save_pretrained(folder, variant="fp16")`.
        """
        if not safe_serialization:
            raise ValueError("a package is made of safetensors files")
        weights_file(variant)
        folder = Path(folder)
        super().save_pretrained(folder, variant=variant)
        networks = {name: network for name, network in NETWORKS.items() if getattr(self, name) is not None}
        forget_paths(folder, networks)
        write_code(folder, standalone, networks)
        for style in self.named.values():
            style.save(folder / STYLES_FOLDER / f"{style.name}.safetensors")

    @property
    def styles(self) -> list[str]:
        """Names of the styles."""
        return list(self.named)

    def add_style(self, style: Style) -> None:
        self.check_fit(style)
        if style.name in self.named:
            raise ValueError(f"there is a style {style.name!r} already; give this one another name")
        self.named[style.name] = style

    def load_style(
        self, path_or_repo: str | Path, name: str | None = None, revision: str | None = None, token: str | None = None
    ) -> Style:
        """Add a style file, or the `style.safetensors` of a folder or of a Hub repository, to `styles`.

        `pipe.load_style("my-style.safetensors")`
        """
        path = fetch(path_or_repo, revision, token, files=(STYLE_FILE,))
        style = Style.load(path / STYLE_FILE if path.is_dir() else path)
        if name is not None:
            style = style.named(name)
        self.add_style(style)
        return style

    @torch.no_grad()
    def encode_style(self, painting: Image.Image | Sequence[Image.Image], name: str = "my style") -> Style:
        """The style of a painting, or of several, of which each photo takes the nearest in colour.

        `pipe.encode_style(painting, name="my style").save("my-style.safetensors")`
        """
        check_name(name)
        paintings = [painting] if isinstance(painting, Image.Image) else list(painting)
        if not paintings:
            raise ValueError("encode_style needs at least one painting")
        pixels = [to_tensor(painting) for painting in paintings]
        codes = [self.code_of(painting.to(self._execution_device)) for painting in pixels]
        self.maybe_free_model_hooks()
        return Style(torch.stack(codes), name, tuple(Palette.of(painting) for painting in pixels))

    @torch.no_grad()
    def __call__(
        self,
        image: Image.Image | Sequence[Image.Image],
        style: StyleLike,
        strength: float = 1.0,
        mask: Image.Image | Sequence[Image.Image] | None = None,
        tone: float = TONE,
        color: float = COLOR,
        brush: float = 1.0,
        size: int = SIZE,
        output_type: str = "pil",
        return_dict: bool = True,
        progress: Callable[[float], None] | None = None,
    ) -> StyleTransferOutput | tuple:
        """Paint one photo or several, of any sizes. Every painting has the size of its photo.

        Args:
            image: A photo, in any mode of PIL, or a list of photos.
            style: Name of a style, a `Style`, weights of several of either such as {"starry-night": 0.5, "great-wave": 0.5}, or
                a painting.
            strength: 0 returns the photo, 1 the style, up to 1.5 more than that.
            mask: Picture of the size of the photo: white is painted, black stays as it is bit for bit, grey blends. One for all
                photos, or a list of one for each.
            tone: How far the photo's lightness moves to that of the style, from 0 to 1.
            color: How far its colours move to those of the style, from 0 to 1.
            brush: Size of the strokes, from 0.5, fine, to 2, broad.
            size: Shorter side in pixels at which strokes are painted, from 64 to 2048; the result is enlarged or shrunk from it.
            output_type: "pil" for pictures, with the photo's transparency; "np" or "pt" for their colours in [0, 1].
            return_dict: Whether to return a `StyleTransferOutput`, or else a tuple.
            progress: Called with the part that is done, 0 to 1. What it raises ends the work.
        """
        photos = [image] if isinstance(image, Image.Image) else list_of_pictures(image, "image")
        masks = [mask] * len(photos) if mask is None or isinstance(mask, Image.Image) else list_of_pictures(mask, "mask")
        if len(masks) != len(photos):
            raise ValueError(f"there must be one mask for each of {len(photos)} photos, or a single one, got {len(masks)}")
        controls = Controls(tone, color, brush, size)
        if output_type not in OUTPUT_TYPES:
            raise ValueError(f"output_type must be one of {', '.join(OUTPUT_TYPES)}, got {output_type!r}")
        parts = self.resolve(style, strength)
        images = []
        for number, (photo, where) in enumerate(zip(photos, masks, strict=True)):
            report = None if progress is None else lambda part, done=number: progress((done + part) / len(photos))
            painting = self.paint(upright(photo), where, parts, controls, report)
            if report is not None:
                report(1.0)
            if output_type != "pil":
                painting = to_tensor(painting)[0].add(1).div(2)
                painting = painting if output_type == "pt" else painting.permute(1, 2, 0).numpy()
            images.append(painting)
        self.maybe_free_model_hooks()
        return StyleTransferOutput(images=images) if return_dict else (images,)

    def resolve(self, style: StyleLike, strength: float = 1.0) -> list[tuple[Style, float]]:
        """What `style` at `strength` is made of: styles and their weights."""
        check_number("strength", strength, MAX_STRENGTH)
        if isinstance(style, Image.Image):
            style = self.encode_style(style)
        if isinstance(style, str | Style):
            style = {style: 1.0}
        if not isinstance(style, Mapping) or not style:
            kinds = "the name of a style, a Style, weights of several of either, or a painting as a PIL image"
            raise TypeError(f"style must be {kinds}, got {style!r}")
        for part, weight in style.items():
            if isinstance(part, Style):
                self.check_fit(part)
            else:
                check_style(part, self.styles)
            check_number(f"the weight of {getattr(part, 'name', part)}", weight, MAX_STRENGTH)
        total = strength * sum(style.values())
        if total > MAX_STRENGTH * (1 + 1e-6):  # a rounding error is no mistake
            raise ValueError(f"strength times the sum of the weights must be at most {MAX_STRENGTH}, got {total:.3g}")
        styles = [(part if isinstance(part, Style) else self.named[part], weight) for part, weight in style.items()]
        return [(part, float(strength * weight)) for part, weight in styles]


def list_of_pictures(pictures: Sequence[Image.Image], name: str) -> list[Image.Image]:
    if isinstance(pictures, str | bytes) or not isinstance(pictures, Sequence):
        raise TypeError(f"{name} must be a PIL image or a list of them, got {type(pictures).__name__}")
    if not pictures:
        raise ValueError(f"{name} is an empty list")
    return list(pictures)
