"""Contact sheets: what stands where."""

import numpy as np
from PIL import Image, ImageFont

from styletransfer.sheet import GAP, contact_sheet, drawable, shortened, thumbnail

CAPTION = 28  # pixels of the line of captions on a sheet of small pictures


def plain(colour: str, size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.new("RGB", size, colour)


def ink(sheet: Image.Image, box: tuple[int, int, int, int]) -> bool:
    """Whether anything dark stands in a box of the sheet."""
    return bool((np.asarray(sheet.crop(box).convert("L")) < 100).any())


def test_every_picture_lies_under_its_caption():
    sheet = contact_sheet([[("photo", plain("red")), ("monet", plain("lime"))], [("", plain("blue")), ("", plain("yellow"))]], 60)
    assert sheet.size == (2 * 60 + 3 * GAP, 2 * 40 + CAPTION + 3 * GAP)
    first, second = GAP + CAPTION, GAP + CAPTION + 40 + GAP
    for colour, left, top in (
        ((255, 0, 0), GAP, first),
        ((0, 255, 0), 60 + 2 * GAP, first),
        ((0, 0, 255), GAP, second),
        ((255, 255, 0), 60 + 2 * GAP, second),
    ):
        assert np.all(np.asarray(sheet.crop((left, top, left + 60, top + 40))) == colour)
    assert ink(sheet, (GAP, GAP, GAP + 60, first)) and ink(sheet, (60 + 2 * GAP, GAP, 120 + 2 * GAP, first))


def test_without_captions_no_room_for_them():
    sheet = contact_sheet([[("", plain("red"))]], 60)
    assert sheet.size == (60 + 2 * GAP, 40 + 2 * GAP)
    assert np.all(np.asarray(sheet.crop((0, 0, sheet.width, GAP))) == 255)


def test_rows_may_differ_in_length_and_pictures_in_size():
    sheet = contact_sheet([[("a", plain("red", (30, 50))), ("b", plain("red", (20, 20)))], [("c", plain("red", (60, 10)))]], 100)
    assert sheet.size == (60 + 20 + 3 * GAP, 50 + 10 + 2 * CAPTION + 3 * GAP)


def test_captions_grow_with_the_pictures():
    pictures = [plain("red", (640, 40))]
    heights = [contact_sheet([[(caption, picture) for picture in pictures]], 640).height for caption in ("a", "")]
    assert heights[0] - heights[1] == 80  # letters of 40 pixels


def test_large_pictures_shrink_and_small_ones_do_not_grow():
    assert thumbnail(plain("red", (300, 150)), 100).size == (100, 50)
    assert thumbnail(plain("red", (30, 15)), 100).size == (30, 15)


def test_what_is_transparent_is_white():
    assert thumbnail(Image.new("RGBA", (4, 4), (255, 0, 0, 0)), 10).getpixel((0, 0)) == (255, 255, 255)


def test_an_accent_that_the_font_lacks_is_left_out():
    """Instead of an empty box; fonts that are installed have them."""
    assert drawable("Café (at night)", ImageFont.load_default(16)) == "Cafe (at night)"


def test_a_caption_that_is_too_wide_is_shortened():
    font = ImageFont.load_default(16)
    assert shortened("monet", 200, font) == "monet"
    short = shortened("a style with quite a long name", 80, font)
    assert short.startswith("a sty") and short.endswith("…") and font.getlength(short) <= 80
    assert shortened("monet", 3, font) == ""
