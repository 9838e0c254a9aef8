"""`python -m benchmarks.contact_sheet PACKAGE PHOTO... -o sheet.jpg`: photos down, styles (or strengths of one style) across."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps
from tqdm import tqdm

GAP, LABEL = 6, 26  # pixels between cells and for the line of labels


def contact_sheet(labels: Sequence[str], rows: Sequence[Sequence[Image.Image]], size: int) -> Image.Image:
    """One picture of rows of pictures, each shrunk to fit a square of `size` pixels, with a label above each column."""
    rows = [[thumbnail(image, size) for image in row] for row in rows]
    heights = [max(image.height for image in row) for row in rows]
    widths = [max(row[column].width for row in rows) for column in range(len(labels))]
    sheet = Image.new("RGB", (sum(widths) + GAP * (len(widths) + 1), LABEL + sum(heights) + GAP * (len(heights) + 1)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    left = GAP
    for column, (label, width) in enumerate(zip(labels, widths, strict=True)):
        draw.text((left + width / 2, LABEL / 2), label, "black", font, anchor="mm")
        top = LABEL + GAP
        for row, height in zip(rows, heights, strict=True):
            sheet.paste(row[column], (left, top))
            top += height + GAP
        left += width + GAP
    return sheet


def thumbnail(image: Image.Image, size: int) -> Image.Image:
    image = image.convert("RGB")
    return image if max(image.size) <= size else ImageOps.contain(image, (size, size), Image.Resampling.LANCZOS)


def paint(pipe: Callable, photos: Sequence[Image.Image], cells: dict[str, tuple[str, float]]) -> list[list[Image.Image]]:
    """For each photo a row: the photo, then its painting for each label's (style, strength)."""
    return [
        [photo, *(pipe(photo, style=style, strength=strength).images[0] for style, strength in cells.values())]
        for photo in tqdm(photos, "photos", leave=False)
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contact_sheet", description=__doc__)
    parser.add_argument("package", help="folder or Hub id")
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, help="the sheet, a .jpg or .png file")
    parser.add_argument("--size", type=int, default=320, help="longer side of the pictures on the sheet, in pixels")
    parser.add_argument("--strength", type=float, default=1.0)
    parser.add_argument("--style", help="show this style alone, at the strengths in --strengths")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0, 0.25, 0.5, 0.75, 1, 1.25])
    options = parser.parse_args(arguments)

    from styletransfer import load_pipeline, open_image

    try:
        pipe = load_pipeline(options.package)
        if options.style:
            cells = {f"{options.style} {strength:g}": (options.style, strength) for strength in options.strengths}
        else:
            cells = {style: (style, options.strength) for style in pipe.styles}
        rows = paint(pipe, [open_image(path) for path in options.photos], cells)
        contact_sheet(["photo", *cells], rows, options.size).save(options.output, quality=92)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
