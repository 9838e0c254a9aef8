"""A contact sheet: pictures in rows and columns, with captions."""

import unicodedata
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

GAP = 8  # pixels between cells
FONTS = ("NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "Arial.ttf")  # the first that is installed; Pillow's own has no accents

Cell = tuple[str, Image.Image]


def contact_sheet(rows: Sequence[Sequence[Cell]], size: int) -> Image.Image:
    """One picture of rows of (caption, picture), each picture shrunk to fit a square of `size` pixels, its caption above it.

    A row without captions takes no room for them; a caption too wide for its column ends in an ellipsis.
    `contact_sheet([[("photo", photo), ("monet", painting)]], size=320).save("sheet.jpg")`
    """
    rows = [[(caption, thumbnail(picture, size)) for caption, picture in row] for row in rows]
    columns = max(len(row) for row in rows)
    widths = [max(row[column][1].width for row in rows if column < len(row)) for column in range(columns)]
    heights = [max(picture.height for _, picture in row) for row in rows]
    letters = max(size // 16, 14)  # captions stay readable on sheets that are shown smaller than they are
    lines = [letters * 2 if any(caption for caption, _ in row) else 0 for row in rows]
    extent = (sum(widths) + GAP * (columns + 1), sum(heights) + sum(lines) + GAP * (len(rows) + 1))
    sheet = Image.new("RGB", extent, "white")
    draw, font = ImageDraw.Draw(sheet), installed_font(letters)
    top = GAP
    for row, height, line in zip(rows, heights, lines, strict=True):
        left = GAP
        for (caption, picture), width in zip(row, widths, strict=False):
            draw.text(
                (left + width / 2, top + line / 2), shortened(drawable(caption, font), width, font), "black", font, anchor="mm"
            )
            sheet.paste(picture, (left, top + line))
            left += width + GAP
        top += line + height + GAP
    return sheet


def thumbnail(picture: Image.Image, size: int) -> Image.Image:
    """`picture` in RGB, on white where it is transparent, shrunk to fit a square of `size` pixels."""
    if picture.has_transparency_data:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    picture = picture.convert("RGB")
    return picture if max(picture.size) <= size else ImageOps.contain(picture, (size, size), Image.Resampling.LANCZOS)


def installed_font(size: int) -> ImageFont.FreeTypeFont:
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def drawable(text: str, font: ImageFont.FreeTypeFont) -> str:
    """`text`, with the plain letter in place of an accented one that `font` lacks."""
    missing = bytes(font.getmask("\uffff"))
    return "".join(unicodedata.normalize("NFKD", one)[0] if bytes(font.getmask(one)) == missing else one for one in text)


def shortened(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """`text`, or as much of it as fits `width` pixels with an ellipsis."""
    if font.getlength(text) <= width:
        return text
    fitting = (text[:end].rstrip() + "…" for end in range(len(text) - 1, 0, -1))
    return next((short for short in fitting if font.getlength(short) <= width), "")
