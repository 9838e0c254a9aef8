"""Write what a training made as a package that `load_pipeline` opens."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from training.config import Painter
from training.data.folders import PhotosAndPaintings


@dataclass
class PainterExport:
    config: Painter
    data: PhotosAndPaintings

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        for name, net in nets.items():
            net.save_pretrained(folder / name)
