"""The flagship pipeline: photos and a style in, paintings out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.utils import BaseOutput
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from styletransfer.catalog import check_style, read_index
from styletransfer.controls import StyleCode, check_name, choose, keep_color, mix, read_tensors, unit
from styletransfer.images import at_least, to_mask, to_pil, to_tensor, upright
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.pipelines import standalone
from styletransfer.pipelines.base import forget_paths, write_code
from styletransfer.pipelines.loading import fetch, load_network, package_files, weights_file

MAX_STRENGTH = 1.5
STYLES_FILE = "styles.safetensors"
STYLE_FILE = "style.safetensors"  # in a repository or folder that holds a single style
NETWORKS = {"stylizer": StyleGenerator, "encoder": StyleEncoder}
OUTPUT_TYPES = ("pil", "np", "pt")

Style = str | StyleCode | Mapping[str | StyleCode, float] | Image.Image


@dataclass
class StyleTransferOutput(BaseOutput):
    """Paintings, in the order of the photos: PIL images, arrays (H, W, 3) or tensors (3, H, W) with values in [0, 1]."""

    images: list[Image.Image] | list[np.ndarray] | list[Tensor]


class StyleTransferPipeline(DiffusionPipeline):
    """Paint photos in named styles, in mixtures of them, or in the style of any painting.

    Args:
        stylizer: Generator that paints a photo by a style code.
        encoder: Encoder that finds the style code of a picture.
        styles: Exemplar codes (K, D) of each named style.

    Example:
        `load_pipeline("model_cards/painter")(photo, style={"monet": 0.5, "ukiyo-e": 0.5}, strength=0.8).images[0]`
    """

    model_cpu_offload_seq = "encoder->stylizer"

    def __init__(self, stylizer: StyleGenerator, encoder: StyleEncoder, styles: Mapping[str, Tensor] | None = None):
        super().__init__()
        if stylizer.config.code_size != encoder.config.code_size:
            sizes = f"{encoder.config.code_size} floats, the stylizer takes {stylizer.config.code_size}"
            raise ValueError(f"the networks do not fit together: the encoder's codes have {sizes}")
        self.register_modules(stylizer=stylizer, encoder=encoder)
        self.style_codes: dict[str, StyleCode] = {}
        for name, codes in (styles or {}).items():
            self.add_style(StyleCode(codes, name))

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
        for name, network in NETWORKS.items():
            if index.get(name) != [network.__module__, network.__name__]:
                raise ValueError(f"{folder}/model_index.json must give {network.__name__} as {name}, got {index.get(name)}")
        networks = {name: load_network(network, folder / name, dtype, variant) for name, network in NETWORKS.items()}
        return cls(**networks, styles=read_tensors(folder / STYLES_FILE)[0])

    def save_pretrained(self, folder: str | Path, safe_serialization: bool = True, variant: str | None = None) -> None:
        """Write the package: both networks, the named styles, `model_index.json`, and the code that plain diffusers needs.

        A variant lies beside other weights: `load_pipeline(folder, dtype=torch.float16).save_pretrained(folder, variant="fp16")`.
        """
        if not safe_serialization:
            raise ValueError("a package is made of safetensors files")
        weights_file(variant)
        folder = Path(folder)
        super().save_pretrained(folder, variant=variant)
        forget_paths(folder, NETWORKS)
        write_code(folder, standalone, NETWORKS)
        save_file({name: style.codes.contiguous() for name, style in self.style_codes.items()}, folder / STYLES_FILE)

    @property
    def styles(self) -> list[str]:
        """Names of the styles."""
        return list(self.style_codes)

    def add_style(self, style: StyleCode) -> None:
        self.check_size(style)
        if style.name in self.style_codes:
            raise ValueError(f"there is a style {style.name!r} already; give this one another name")
        self.style_codes[style.name] = style

    def load_style(
        self, path_or_repo: str | Path, name: str | None = None, revision: str | None = None, token: str | None = None
    ) -> StyleCode:
        """Add a style file, or the `style.safetensors` of a folder or of a Hub repository, to `styles`.

        `pipe.load_style("my-style.safetensors")`
        """
        path = fetch(path_or_repo, revision, token, files=(STYLE_FILE,))
        style = StyleCode.load(path / STYLE_FILE if path.is_dir() else path)
        if name is not None:
            style = StyleCode(style.codes, name)
        self.add_style(style)
        return style

    @torch.no_grad()
    def encode_style(self, painting: Image.Image | Sequence[Image.Image], name: str = "my style") -> StyleCode:
        """The style of a painting, or of several, as one exemplar each.

        `pipe.encode_style(painting, name="my style").save("my-style.safetensors")`
        """
        check_name(name)
        paintings = [painting] if isinstance(painting, Image.Image) else list(painting)
        if not paintings:
            raise ValueError("encode_style needs at least one painting")
        looks = [self.look(to_tensor(painting).to(self._execution_device)) for painting in paintings]
        self.maybe_free_model_hooks()
        return StyleCode(torch.stack(looks), name)

    @torch.no_grad()
    def __call__(
        self,
        image: Image.Image | Sequence[Image.Image],
        style: Style,
        strength: float = 1.0,
        mask: Image.Image | Sequence[Image.Image] | None = None,
        preserve_color: float = 0.0,
        output_type: str = "pil",
        return_dict: bool = True,
    ) -> StyleTransferOutput | tuple:
        """Paint one photo or several, of any sizes. Every painting has the size of its photo.

        Args:
            image: A photo, in any mode of PIL, or a list of photos.
            style: Name of a style, a `StyleCode`, weights of several of either such as {"monet": 0.5, "ukiyo-e": 0.5}, or a
                painting.
            strength: 0 returns the photo, 1 the style, up to 1.5 more than that.
            mask: Picture of the size of the photo: white is painted, black stays as it is bit for bit, grey blends. One for all
                photos, or a list of one for each.
            preserve_color: How much of the photo's own colours to keep, from 0 to 1.
            output_type: "pil" for pictures, with the photo's transparency; "np" or "pt" for their colours in [0, 1].
            return_dict: Whether to return a `StyleTransferOutput`, or else a tuple.
        """
        photos = [image] if isinstance(image, Image.Image) else list_of_pictures(image, "image")
        masks = [mask] * len(photos) if mask is None or isinstance(mask, Image.Image) else list_of_pictures(mask, "mask")
        if len(masks) != len(photos):
            raise ValueError(f"there must be one mask for each of {len(photos)} photos, or a single one, got {len(masks)}")
        check_number("preserve_color", preserve_color, 1)
        if output_type not in OUTPUT_TYPES:
            raise ValueError(f"output_type must be one of {', '.join(OUTPUT_TYPES)}, got {output_type!r}")
        parts = self.resolve(style, strength)
        images = [self.paint(photo, mask, parts, preserve_color, output_type) for photo, mask in zip(photos, masks, strict=True)]
        self.maybe_free_model_hooks()
        return StyleTransferOutput(images=images) if return_dict else (images,)

    def resolve(self, style: Style, strength: float = 1.0) -> list[tuple[StyleCode, float]]:
        """What `style` at `strength` is made of: styles and their weights."""
        check_number("strength", strength, MAX_STRENGTH)
        if isinstance(style, Image.Image):
            style = self.encode_style(style)
        if isinstance(style, str | StyleCode):
            style = {style: 1.0}
        if not isinstance(style, Mapping) or not style:
            kinds = "the name of a style, a StyleCode, weights of several of either, or a painting as a PIL image"
            raise TypeError(f"style must be {kinds}, got {style!r}")
        for part, weight in style.items():
            if isinstance(part, StyleCode):
                self.check_size(part)
            else:
                check_style(part, self.styles)
            check_number(f"the weight of {getattr(part, 'name', part)}", weight, MAX_STRENGTH)
        total = strength * sum(style.values())
        if total > MAX_STRENGTH * (1 + 1e-6):  # a rounding error is no mistake
            raise ValueError(f"strength times the sum of the weights must be at most {MAX_STRENGTH}, got {total:.3g}")
        codes = [(part if isinstance(part, StyleCode) else self.style_codes[part], weight) for part, weight in style.items()]
        return [(code, float(strength * weight)) for code, weight in codes]

    def check_size(self, style: StyleCode) -> None:
        size, wanted = style.codes.shape[1], self.stylizer.config.code_size
        if size != wanted:
            raise ValueError(f"style {style.name!r} has codes of {size} floats, this package takes {wanted}")

    def paint(self, photo, mask, parts, preserve_color, output_type) -> Image.Image | np.ndarray | Tensor:
        """One photo from PIL to the painting in the wanted form."""
        photo = upright(photo)
        before = to_tensor(photo).to(self._execution_device)
        after = before
        weights = before.new_tensor([weight for _, weight in parts])
        if mask is not None:
            mask = to_mask(mask).to(before.device)
            if mask.shape[-2:] != before.shape[-2:]:
                sizes = f"{mask.shape[-1]} x {mask.shape[-2]} and {photo.width} x {photo.height}"
                raise ValueError(f"the mask must have the size of its photo, got {sizes}")
        if weights.any():
            after = self.render(before, mix(self.codes(before, [style for style, _ in parts]), weights)).clamp(-1, 1)
            if preserve_color:
                after = keep_color(after, before, preserve_color)
            if mask is not None:
                after = torch.lerp(before, after, mask)
        if output_type == "pil":
            return to_pil(after, like=photo)
        after = after[0].add(1).div(2).clamp(0, 1).cpu()
        return after if output_type == "pt" else after.permute(1, 2, 0).numpy()

    def codes(self, photo: Tensor, styles: list[StyleCode]) -> Tensor:
        """A code (N, D) for each of `styles`; where a style has several exemplars, `photo` (1, 3, H, W) chooses."""
        look = self.look(photo) if any(len(style.codes) > 1 for style in styles) else None
        codes = [style.codes.to(photo.device) for style in styles]
        return torch.stack([unit(code[0]) if len(code) == 1 else choose(code, look) for code in codes])

    def look(self, picture: Tensor) -> Tensor:
        """Code (D,) of `picture` (1, 3, H, W)."""
        with self.precision(self.encoder):
            return unit(self.encoder(at_least(picture))[0].float())

    def render(self, photo: Tensor, code: Tensor) -> Tensor:
        """Painting (1, 3, H, W) of `photo` (1, 3, H, W) by `code` (D,)."""
        height, width = photo.shape[-2:]
        with self.precision(self.stylizer):
            return self.stylizer(at_least(photo), code[None])[..., :height, :width].float()

    def precision(self, network) -> torch.autocast:
        # weights of half precision work on float32 pictures: only the network's residual is rounded, never the photo
        return torch.autocast(self._execution_device.type, network.dtype, enabled=network.dtype != torch.float32)


def list_of_pictures(pictures: Sequence[Image.Image], name: str) -> list[Image.Image]:
    if isinstance(pictures, str | bytes) or not isinstance(pictures, Sequence):
        raise TypeError(f"{name} must be a PIL image or a list of them, got {type(pictures).__name__}")
    if not pictures:
        raise ValueError(f"{name} is an empty list")
    return list(pictures)


def check_number(name: str, value: float, top: float) -> None:
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value) or not 0 <= value <= top:
        raise ValueError(f"{name} must be a number from 0 to {top}, got {value!r}")
