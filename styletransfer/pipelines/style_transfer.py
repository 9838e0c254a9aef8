"""The flagship pipeline: photos and a style in, paintings out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch
from PIL import Image
from torch import Tensor

from styletransfer.catalog import STYLES_FOLDER, check_style, read_index
from styletransfer.color import Palette, recolor
from styletransfer.images import to_tensor
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.pipelines import standalone
from styletransfer.pipelines.base import disk_errors, forget_paths, write_code
from styletransfer.pipelines.loading import fetch, load_network, package_files, weights_file
from styletransfer.pipelines.painting import COLOR, SIZE, TONE, Controls, Painter, check_number
from styletransfer.pipelines.photo import MAX_STRENGTH, PhotoOutput, PhotoPipeline, Picture, Report, as_numbers
from styletransfer.styles import Style, check_name, keep_color

STYLE_FILE = "style.safetensors"  # in a repository or folder that holds a single style
NETWORKS = {"stylizer": StyleGenerator, "encoder": StyleEncoder, "enlarger": UpscaleGenerator}
OPTIONAL = ("enlarger",)

StyleLike = str | Style | Mapping[str | Style, float] | Image.Image


class StyleTransferPipeline(Painter, PhotoPipeline):
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
        with disk_errors(folder):
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
        style: StyleLike | None = None,
        strength: float = 1.0,
        mask: Image.Image | Sequence[Image.Image] | None = None,
        tone: float = TONE,
        color: float = COLOR,
        brush: float = 1.0,
        size: int = SIZE,
        output_type: str = "pil",
        return_dict: bool = True,
        progress: Report | None = None,
    ) -> PhotoOutput | tuple:
        """Paint one photo or several, of any sizes. Every painting has the size of its photo.

        Args:
            image: A photo, in any mode of PIL, or a list of photos.
            style: Name of a style, a `Style`, weights of several of either such as {"starry-night": 0.5, "great-wave": 0.5}, or
                a painting. Where the package has a single style it may be left out.
            strength: 0 returns the photo, 1 the style, up to 1.5 more than that.
            mask: Picture of the size of the photo: white is painted, black stays as it is bit for bit, grey blends. One for all
                photos, or a list of one for each.
            tone: How far the photo's lightness moves to that of the style, from 0 to 1.
            color: How far its colours move to those of the style, from 0 to 1.
            brush: Size of the strokes, from 0.5, fine, to 2, broad.
            size: Shorter side in pixels at which strokes are painted, from 64 to 2048; the result is enlarged or shrunk from it.
            output_type: "pil" for pictures, with the photo's transparency; "np" or "pt" for their colours in [0, 1].
            return_dict: Whether to return a `PhotoOutput`, or else a tuple.
            progress: Called with the part that is done, 0 to 1. What it raises ends the work.
        """
        controls = Controls(tone, color, brush, size)
        parts = self.resolve(style, strength)

        def make(photo: Image.Image, where: Image.Image | None, report: Report | None) -> Picture:
            painting = self.paint(photo, where, parts, controls, report)
            return painting if output_type == "pil" else as_numbers(to_tensor(painting), output_type)

        return self.each(image, mask, output_type, return_dict, progress, make)

    def on_tensors(self, photo: Tensor, style: StyleLike | None = None, strength: float = 1.0) -> Tensor:
        """The painting of `photo` (1, 3, H, W) in [-1, 1] at its own size, with gradients."""
        if not strength:
            return photo
        parts, palette, controls, gate = self.resolve(style, strength), Palette.of(photo), Controls(), min(strength, 1)
        base = recolor(photo, *self.colors(palette, parts, gate * controls.tone, gate * controls.color))
        strokes = (self.render(base, parts, palette) - base) / gate
        painting = keep_color(base + strokes, base, 1 - controls.color).clamp(-1, 1)
        return torch.lerp(base, painting, gate)

    def resolve(self, style: StyleLike | None, strength: float = 1.0) -> list[tuple[Style, float]]:
        """What `style` at `strength` is made of: styles and their weights."""
        check_number("strength", strength, MAX_STRENGTH)
        if style is None and len(self.named) == 1:
            (style,) = self.named
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
