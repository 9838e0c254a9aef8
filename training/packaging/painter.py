"""Write what a painter training made as a package that `load_pipeline` opens."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import nn

from styletransfer.pipelines.style_transfer import StyleLike, StyleTransferPipeline
from training.data.file_list import describe_lists
from training.data.folders import PhotosAndPaintings
from training.options import Run
from training.packaging.cards import explain
from training.packaging.package import describe, save_sample, sheet

SHOWN = 5  # paintings that a painter without named styles is shown with
COLUMNS = 9  # of a sheet, at most


@dataclass(frozen=True)
class PainterExport:
    """Turns the averaged networks into a package, with a card and with samples."""

    config: Run
    held: PhotosAndPaintings

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        write_painter(self.pipeline(nets), self.held, folder)
        results = "Not measured. `python -m training evaluate` scores a package."
        explain(folder, "template.md", address=self.config.hub.repo, results=results, **self.words())

    def pipeline(self, nets: Mapping[str, nn.Module]) -> StyleTransferPipeline:
        return StyleTransferPipeline(**on_cpu(nets))

    def words(self) -> dict[str, str]:
        """What the card cannot read off the package."""
        data = self.config.data
        return {
            "data": describe_lists({"photos": data.photos, "paintings": data.paintings}),
            "sources": "The pictures and their licences are those of whoever trained this package.",
            "training": describe(self.config),
        }


def on_cpu(nets: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    return {name: net.cpu().eval() for name, net in nets.items()}


def write_painter(pipeline: StyleTransferPipeline, held: PhotosAndPaintings, folder: Path) -> None:
    """Save `pipeline` with the first of the photos `held` in its named styles, or else in those of a few of its paintings."""
    pipeline.save_pretrained(folder)
    photo, samples = held.photos.images[0], folder / "samples"
    if pipeline.styles:
        write_samples(pipeline, [photo], samples)
        return
    paintings = held.paintings
    chosen = [paintings[len(paintings) * number // SHOWN] for number in range(min(SHOWN, len(paintings)))]
    results = paint(pipeline, photo, chosen)
    save_sample(photo, samples / "photo-1.jpg")
    blank = Image.new("RGB", photo.size, "white")
    save_sample(sheet([squares([blank, *chosen]), squares([photo, *results])]), samples / "sheet.jpg")


def write_samples(pipeline: StyleTransferPipeline, photos: list[Image.Image], folder: Path) -> None:
    """`photo-1.jpg` ..., the first photo in every named style as `<style>.jpg`, and `sheet.jpg`, each photo in all of them."""
    rows = []
    for number, photo in enumerate(photos, 1):
        save_sample(photo, folder / f"photo-{number}.jpg")
        results = paint(pipeline, photo, pipeline.styles)
        if number == 1:
            for style, result in zip(pipeline.styles, results, strict=True):
                save_sample(thumbnail(result, 256), folder / f"{style}.jpg")
        cells = squares([photo, *results])
        columns = math.ceil(len(cells) / math.ceil(len(cells) / COLUMNS))
        rows += [cells[first : first + columns] for first in range(0, len(cells), columns)]
    save_sample(sheet(rows), folder / "sheet.jpg")


def paint(pipeline: StyleTransferPipeline, photo: Image.Image, styles: Sequence[StyleLike]) -> list[Image.Image]:
    return [pipeline(photo, style).images[0] for style in styles]


def squares(pictures: list[Image.Image]) -> list[Image.Image]:
    return [thumbnail(picture, 200) for picture in pictures]


def thumbnail(picture: Image.Image, size: int) -> Image.Image:
    """The middle square of a picture."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.convert("RGB").resize((size, size), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))
