"""The network of a translator as an ONNX file."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from styletransfer.export_onnx.networks import write
from styletransfer.pipelines.photo import MAX_STRENGTH
from styletransfer.pipelines.translation import TranslationPipeline


class Translator(nn.Module):
    """The translator for pictures of any size. An index pads them: the network's own padding is a branch, which exports fix."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor, label: Tensor | None = None) -> Tensor:
        """Picture (1, 3, H, W), larger by the `scale` of the network, of `photo` (1, 3, H, W) in [-1, 1], H and W at least 16.

        `label` (1,) is the number of the domain, where there are several. The strength is for the caller to blend.
        """
        scale = self.network.config.get("scale", 1)
        height, width = photo.shape[-2:]
        rows, columns = (mirrored(side, self.network.size_multiple) for side in (height, width))
        padded = photo[:, :, rows][:, :, :, columns]
        result = self.network(padded) if label is None else self.network(padded, label)
        return result[..., : scale * height, : scale * width].clamp(-1, 1)


def mirrored(size: int, multiple: int) -> Tensor:
    """Indices 0 to `size` - 1, back and forth, up to the next multiple."""
    period = 2 * torch.arange(size)[-1:]  # a tensor: ONNX knows no remainder by a size
    index = torch.arange((size + multiple - 1) // multiple * multiple) % period
    return torch.minimum(index, period - index)


def export(pipe: TranslationPipeline, folder: Path) -> None:
    """Write `translator.onnx` (photo, and the number of the style where there are several -> picture) and `styles.json`."""
    inputs = {"photo": torch.zeros(1, 3, 75, 66)} | ({"label": torch.tensor([0])} if pipe.styles else {})
    write(Translator(pipe.translator), inputs, "picture", folder / "translator.onnx")
    book = {"max_strength": MAX_STRENGTH, "scale": pipe.scale, "styles": [{"name": name} for name in pipe.styles]}
    (folder / "styles.json").write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
