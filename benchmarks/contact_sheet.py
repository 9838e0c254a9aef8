"""`python -m benchmarks.contact_sheet PACKAGE PHOTO... -o sheet.jpg`: photos down, styles (or strengths of one style) across."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from styletransfer.sheet import contact_sheet


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
    parser.add_argument("--styles", nargs="+", metavar="STYLE", help="these alone, in this order; all by default")
    parser.add_argument("--style", help="show this style alone, at the strengths in --strengths")
    parser.add_argument("--strengths", type=float, nargs="+", default=[0, 0.25, 0.5, 0.75, 1, 1.25])
    options = parser.parse_args(arguments)

    from styletransfer import load_pipeline, open_image

    try:
        pipe = load_pipeline(options.package)
        if options.style:
            cells = {f"{options.style} {strength:g}": (options.style, strength) for strength in options.strengths}
        else:
            cells = {style: (style, options.strength) for style in options.styles or pipe.styles}
        rows = paint(pipe, [open_image(path) for path in options.photos], cells)
        captions = [["photo", *cells], *([""] * (len(cells) + 1) for _ in rows[1:])]
        pairs = [list(zip(names, row, strict=True)) for names, row in zip(captions, rows, strict=True)]
        contact_sheet(pairs, options.size).save(options.output, quality=92)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
