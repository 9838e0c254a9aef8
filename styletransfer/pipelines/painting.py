"""How a photo is painted: its colours in closed form, its strokes by a network, at one size, enlarged to that of the photo."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import torch
from PIL import Image
from torch import Tensor

from styletransfer.color import Palette, recolor, transport
from styletransfer.images import STRIP, at_least, mask_to_tensor, to_mask, to_pil, to_tensor
from styletransfer.models.style_adapter import adapted, changes, misfits
from styletransfer.styles import Style, keep_color, mix, unit
from styletransfer.tiling import enlarge

SIZE = 384  # pixels of the shorter side at which strokes are painted
SIZES = (64, 2048)
BRUSHES = (0.5, 2.0)
TONE = 0.5  # at 1 a snow scene turns as dark as its Rembrandt
COLOR = 0.8  # at 1 skin and sky are of one hue where a painting has but one
PANORAMA = 4  # times the shorter side: a photo that is longer is painted at a smaller size


@dataclass(frozen=True)
class Controls:
    """How a style is painted, beside its strength; `StyleTransferPipeline.__call__` says what each means."""

    tone: float = TONE
    color: float = COLOR
    brush: float = 1.0
    size: int = SIZE

    def __post_init__(self):
        check_number("tone", self.tone, 1)
        check_number("color", self.color, 1)
        check_number("brush", self.brush, BRUSHES[1], BRUSHES[0])
        check_number("size", self.size, SIZES[1], SIZES[0])


class Painter:
    """What pipelines with a `stylizer`, an `encoder` and an `enlarger`, perhaps None, do with one photo.

    Packages carry this file, and those of the house that it imports, for people without styletransfer.
    """

    def check_fit(self, style: Style) -> None:
        size, wanted = style.codes.shape[1], self.stylizer.config.code_size
        if size != wanted:
            raise ValueError(f"style {style.name!r} has codes of {size} floats, this package takes {wanted}")
        if wrong := misfits(self.stylizer, style.adapter):
            raise ValueError(f"style {style.name!r} was learned for another network: {wrong[0]} does not fit")

    def paint(
        self,
        photo: Image.Image,
        mask: Image.Image | None,
        parts: list[tuple[Style, float]],
        controls: Controls,
        progress: Callable[[float], None] | None = None,
    ) -> Image.Image:
        """The painting of an upright `photo`, of its size, with its transparency."""
        where = None if mask is None else to_mask(mask, photo.size)
        total = sum(weight for _, weight in parts)
        if not total:
            return photo.copy()
        gate = min(total, 1.0)
        small = shrunk(photo, working_size(photo.size, controls))
        pixels = to_tensor(small)
        colors = self.colors(Palette.of(pixels), parts, gate * controls.tone, gate * controls.color)
        base = recolor(pixels, *colors).to(self._execution_device)
        painted = self.render(base, parts, Palette.of(pixels))
        painted = base + (painted - base) / gate  # the strokes alone, which are blended at the size of the photo
        if controls.color < 1:
            painted = keep_color(painted, base, 1 - controls.color)
        painting = enlarge(self.enlarger, to_pil(painted.clamp(-1, 1)), photo.size, progress)
        if gate < 1 or where is not None:
            blend(photo, painting, colors, gate, where)
        painting.info = dict(photo.info)
        if photo.mode == "RGBA":
            painting.putalpha(photo.getchannel("A"))
        return painting

    def colors(self, photo: Palette, parts: list[tuple[Style, float]], tone: float, color: float) -> tuple[Tensor, Tensor]:
        """The map of colours of a photo with this palette: the mean of the maps to each style's, by their weights."""
        total = sum(weight for _, weight in parts)
        matrix, offset = torch.eye(3), torch.zeros(3)
        for style, weight in parts:
            if style.palettes:
                one, shift = transport(photo, style.palettes[style.nearest(photo)], tone, color)
                matrix, offset = matrix + weight / total * (one - torch.eye(3)), offset + weight / total * shift
        return matrix, offset

    def render(self, base: Tensor, parts: list[tuple[Style, float]], photo: Palette) -> Tensor:
        """What the generator makes of the recoloured photo `base` (1, 3, H, W), whose palette was `photo`."""
        weights = base.new_tensor([weight for _, weight in parts])
        codes = torch.stack([style.codes[style.nearest(photo)] for style, _ in parts]).to(base.device)
        added: dict[str, Tensor] = {}
        for (style, _), share in zip(parts, weights / weights.sum(), strict=True):
            factors = {name: factor.to(base.device) for name, factor in style.adapter.items()}
            for name, change in changes(factors).items():
                added[name] = added.get(name, 0) + share * change
        added = {name: change.to(self.stylizer.dtype) for name, change in added.items()}
        height, width = base.shape[-2:]
        with self.precision(self.stylizer):
            return adapted(self.stylizer, added, at_least(base), mix(codes, weights)[None])[..., :height, :width].float()

    def code_of(self, painting: Tensor) -> Tensor:
        """Code (D,) of `painting` (1, 3, H, W)."""
        with self.precision(self.encoder):
            return unit(self.encoder(at_least(painting))[0].float())

    def precision(self, network) -> torch.autocast:
        # weights of half precision work on float32 pictures: only the network's residual is rounded, never the photo
        return torch.autocast(self._execution_device.type, network.dtype, enabled=network.dtype != torch.float32)


def shrunk(photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The colours of an upright `photo` at `size`, those of transparent pixels, too."""
    colours = photo if photo.mode == "RGB" else photo.convert("RGB")
    return colours.resize(size, Image.Resampling.BICUBIC, reducing_gap=3)


def working_size(size: tuple[int, int], controls: Controls) -> tuple[int, int]:
    """Width and height at which a photo of this `size` is painted: the same for its thumbnail and its original."""
    short = max(round(controls.size / controls.brush), 16)
    scale = min(short / min(size), PANORAMA * short / max(size))
    return tuple(max(round(side * scale), 1) for side in size)


def blend(
    photo: Image.Image, painting: Image.Image, colors: tuple[Tensor, Tensor], gate: float, mask: Image.Image | None
) -> None:
    """Leave the part `gate` of the `painting` over the recoloured `photo`; where `mask` is black it becomes the photo itself."""
    for top in range(0, photo.height, STRIP):
        box = (0, top, photo.width, min(top + STRIP, photo.height))
        before = to_tensor(photo.crop(box))
        after = torch.lerp(recolor(before, *colors), to_tensor(painting.crop(box)), gate)
        if mask is not None:
            after = torch.lerp(before, after, mask_to_tensor(mask.crop(box)))
        painting.paste(to_pil(after), box)


def check_number(name: str, value: float, top: float, bottom: float = 0) -> None:
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value) or not bottom <= value <= top:
        raise ValueError(f"{name} must be a number from {bottom} to {top}, got {value!r}")
