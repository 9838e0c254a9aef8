"""The pictures of a package: photos, what it makes of them, and all of that on one sheet."""

import math
from collections.abc import Sequence
from pathlib import Path

from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL import Image, ImageOps

from styletransfer.sheet import Cell, contact_sheet

COLUMNS = 9  # of a sheet, at most
SIDE = 200  # pixels of the longer side of a picture on it
FROM_NOISE = 4  # rows and columns of pictures from noise


def write_samples(
    pipeline: DiffusionPipeline, folder: Path, photos: Sequence[Image.Image], paintings: Sequence[Image.Image] = ()
) -> None:
    """`photo-1.jpg` ..., the first photo in every named style as `<style>.jpg`, and `sheet.jpg`, each photo in all of them.

    A painter without named styles shows the photos in the styles of `paintings`. Of pictures from noise there is the sheet alone.
    """
    if pipeline.task.takes == "noise":
        made = [("", picture) for picture in pipeline(seeds=list(range(FROM_NOISE**2))).images]
        save(contact_sheet(rows_of(made, FROM_NOISE), SIDE), folder / "sheet.jpg")
        return
    named = [name for name in pipeline.looks if name]
    blank = Image.new("RGB", photos[0].size, "white")
    rows = [] if pipeline.looks else [[("", blank), *(("", painting) for painting in paintings)]]
    for number, photo in enumerate(photos, 1):
        photo = photo.reduce(pipeline.scale)
        save(photo, folder / f"photo-{number}.jpg")
        results = [pipeline(photo, style).images[0] for style in pipeline.looks or paintings]
        for name, result in zip(named, results if number == 1 else (), strict=False):
            save_thumbnail(result, folder / f"{name}.jpg")
        pictures = [photo.resize(results[0].size, Image.Resampling.NEAREST), *results]
        captions = ["photo", *named] if number == 1 and named else [""] * len(pictures)
        rows += rows_of(list(zip(captions, pictures, strict=True)), COLUMNS)
    save(contact_sheet(rows, SIDE), folder / "sheet.jpg")


def rows_of(cells: list[Cell], most: int) -> list[list[Cell]]:
    """`cells` in as few rows of at most `most` as there can be, filled evenly."""
    columns = math.ceil(len(cells) / math.ceil(len(cells) / most))
    return [cells[first : first + columns] for first in range(0, len(cells), columns)]


def save_thumbnail(picture: Image.Image, path: Path) -> None:
    """The middle square of a picture, as pages show a style."""
    save(ImageOps.fit(picture.convert("RGB"), (256, 256), Image.Resampling.LANCZOS), path)


def save(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=92)
