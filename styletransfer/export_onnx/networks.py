"""Networks and style codes of a package, as files that need neither torch nor this library."""

import json
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from styletransfer.catalog import Package
from styletransfer.images import MIN_SIZE
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.style_transfer import MAX_STRENGTH
from styletransfer.styles import CHOICE_TEMPERATURE, unit

OPSET = 20
MAX_SIDE = 16384  # pixels


class Painter(nn.Module):
    """The stylizer for pictures of any size. An index pads them: the network's own padding is a branch, which exports fix."""

    def __init__(self, stylizer: StyleGenerator):
        super().__init__()
        self.stylizer = stylizer

    def forward(self, photo: Tensor, code: Tensor) -> Tensor:
        """Painting (1, 3, H, W) of `photo` (1, 3, H, W) in [-1, 1], H and W at least 16, in the style of `code` (1, D)."""
        height, width = photo.shape[-2:]
        rows, columns = (mirrored(side, self.stylizer.size_multiple) for side in (height, width))
        return self.stylizer(photo[:, :, rows][:, :, :, columns], code)[..., :height, :width]


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


def export(package: Package, folder: Path) -> None:
    """Write `stylizer.onnx` (photo, code -> painting), `encoder.onnx` (picture -> code) and `styles.json` into `folder`.

    `export(read_package("model_cards/painter"), Path("site"))`

    Raises:
        ModuleNotFoundError: without the libraries that write ONNX.
        ValueError: for a package that does not paint by style codes.
    """
    if package.kind != "StyleTransferPipeline":
        raise ValueError(f"{package.path} is a {package.kind}; only packages that paint by style codes can be exported")
    if not (find_spec("onnx") and find_spec("onnxscript")):
        raise ModuleNotFoundError("ONNX files are written by two more libraries: pip install onnx onnxscript")
    pipe = load_pipeline(package.path)
    folder.mkdir(parents=True, exist_ok=True)
    picture, code = torch.zeros(1, 3, 75, 66), torch.zeros(1, pipe.stylizer.config.code_size)
    write(Painter(pipe.stylizer), {"photo": picture, "code": code}, "painting", folder / "stylizer.onnx")
    write(Look(pipe.encoder), {"picture": picture}, "code", folder / "encoder.onnx")
    book = {
        "max_strength": MAX_STRENGTH,
        "temperature": CHOICE_TEMPERATURE,
        "styles": [{"name": name, "codes": style.codes.tolist()} for name, style in pipe.named.items()],
    }
    (folder / "styles.json").write_text(json.dumps(book) + "\n", encoding="utf-8")


def write(network: nn.Module, inputs: dict[str, Tensor], output: str, path: Path) -> None:
    """`network` as one ONNX file for pictures of any height and width; its first input is the picture."""
    sides = {axis: torch.export.Dim(name, min=MIN_SIZE, max=MAX_SIDE) for axis, name in ((2, "height"), (3, "width"))}
    torch.onnx.export(
        network.eval(),
        tuple(inputs.values()),
        path,
        input_names=list(inputs),
        output_names=[output],
        dynamic_shapes=(sides, *[None] * (len(inputs) - 1)),
        dynamo=True,
        external_data=False,
        opset_version=OPSET,
        verbose=False,
    )
