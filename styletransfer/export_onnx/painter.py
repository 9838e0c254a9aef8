"""Networks and styles of a painter as ONNX files."""

import json
import shutil
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from styletransfer.catalog import STYLES_FOLDER
from styletransfer.color import KNEE, LUMA, MAX_STATISTICS, REGULARIZER, recolor
from styletransfer.export_onnx.networks import write
from styletransfer.models.style_adapter import StyleAdapter, adapted, changes
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.pipelines.painting import COLOR, PANORAMA, SIZE, TONE
from styletransfer.pipelines.photo import MAX_STRENGTH
from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from styletransfer.styles import keep_color, unit


class Painter(nn.Module):
    """Colours, strokes and a style's adapter for pictures of any size.

    An index pads them: the stylizer's own padding is a branch, which exports fix.
    """

    def __init__(self, stylizer: StyleGenerator):
        super().__init__()
        self.stylizer = stylizer

    def forward(
        self, photo: Tensor, matrix: Tensor, offset: Tensor, kept: Tensor, code: Tensor, factors: dict[str, Tensor]
    ) -> Tensor:
        """Painting (1, 3, H, W) of `photo` (1, 3, H, W) in [-1, 1], H and W at least 16, in the style of `code` (1, D).

        Colours move by `matrix` (3, 3) and `offset` (3,), and strokes keep the share `kept` (1,) of the chroma that it then
        has; the `factors` are those of a style file. The strokes are whole whatever the strength, which is for the caller to
        blend, over the recoloured photo and at its full size.
        """
        base = recolor(photo, matrix[None], offset[None])  # onnxruntime takes no shorter one
        height, width = photo.shape[-2:]
        rows, columns = (mirrored(side, self.stylizer.size_multiple) for side in (height, width))
        padded = base[:, :, rows][:, :, :, columns]
        painting = adapted(self.stylizer, changes(factors), padded, code)[..., :height, :width]
        gate = code.square().mean().sqrt().clamp(1e-6, 1.0)
        return keep_color(base + (painting - base) / gate, base, kept).clamp(-1, 1)


class Look(nn.Module):
    """The encoder for pictures of any size, its scale in whole numbers, without the branch for small pictures."""

    def __init__(self, encoder: StyleEncoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, picture: Tensor) -> Tensor:
        """Code (1, D) with unit root mean square of `picture` (1, 3, H, W) in [-1, 1], H and W at least 16."""
        sides = picture.shape[-2:]
        short = torch.sym_min(*sides)
        target = torch.sym_min(short, self.encoder.config.size)
        size = tuple((2 * side * target + short) // (2 * short) for side in sides)  # rounded
        x = F.interpolate(picture, size=size, mode="bilinear", antialias=True, align_corners=False)
        return unit(self.encoder.head(self.encoder.moments(x)))


def mirrored(size: int, multiple: int) -> Tensor:
    """Indices 0 to `size` - 1 and back, up to the next multiple."""
    last = size - 1
    return last - (torch.arange((size + multiple - 1) // multiple * multiple) - last).abs()


def export(pipe: StyleTransferPipeline, folder: Path) -> None:
    """Write `stylizer.onnx` (photo, colours, code, adapter -> painting), `encoder.onnx` (picture -> code), `styles.json` and, as
    the package has them, the style files into `folder`.
    """
    picture, code = torch.zeros(1, 3, 75, 66), torch.zeros(1, pipe.stylizer.config.code_size)
    factors = StyleAdapter.of(pipe.stylizer, rank=3).factors()
    colors = {"matrix": torch.eye(3), "offset": torch.zeros(3), "kept": torch.zeros(1)}
    write(
        Painter(pipe.stylizer),
        {"photo": picture, **colors, "code": code, "factors": factors},
        "painting",
        folder / "stylizer.onnx",
    )
    write(Look(pipe.encoder), {"picture": picture}, "code", folder / "encoder.onnx")
    shutil.rmtree(folder / STYLES_FOLDER, ignore_errors=True)
    (folder / STYLES_FOLDER).mkdir()
    for name, style in pipe.named.items():
        style.save(folder / STYLES_FOLDER / f"{name}.safetensors")
    book = {
        "max_strength": MAX_STRENGTH,
        "size": SIZE,
        "panorama": PANORAMA,
        "tone": TONE,
        "color": COLOR,
        "statistics": MAX_STATISTICS,
        "regularizer": REGULARIZER,
        "knee": KNEE,
        "luma": LUMA,
        "adapter": {name: list(factor.shape) for name, factor in factors.items()},  # a style without one has zeros for it
        "styles": [{"name": name, **style.about} for name, style in pipe.named.items()],
    }
    (folder / "styles.json").write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
