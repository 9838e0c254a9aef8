"""Pictures in every format and mode that Pillow writes, odd in every way, and damaged: the same ones each time.

python -m tests.odd_pictures FOLDER
"""

import io
import random
import sys
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms

SIZES = ((70, 65), (1, 1), (1, 90), (17, 3))
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "I;16", "F")
FORMATS = {  # ending -> what Pillow calls it
    "avif": "AVIF",
    "bmp": "BMP",
    "gif": "GIF",
    "jpg": "JPEG",
    "png": "PNG",
    "ppm": "PPM",
    "tiff": "TIFF",
    "webp": "WEBP",
}
DAMAGES = 6  # of each kind, to each of the files that are damaged
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def source(size: tuple[int, int], mode: str, seed: int = 0) -> Image.Image:
    width, height = size
    values = np.random.default_rng(seed).integers(0, 256, (height, width, 4), dtype=np.uint8)
    match mode:
        case "I":
            return Image.fromarray(values[..., 0].astype(np.int32) * 100)
        case "I;16":
            return Image.fromarray(values[..., 0].astype(np.uint16) * 257)
        case "F":
            return Image.fromarray(values[..., 0].astype(np.float32) / 255)
        case "LAB" | "YCbCr" | "CMYK" | "P" | "1":
            return Image.fromarray(values[..., :3]).convert(mode)
        case _:
            return Image.fromarray(values).convert(mode)


def encoded(image: Image.Image, ending: str, **options) -> bytes | None:
    """A file; None where the format does not take the picture."""
    data = io.BytesIO()
    if ending == "avif":
        options["speed"] = 10  # ten times as fast
    try:
        image.save(data, FORMATS[ending], **options)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return data.getvalue()


def as_tuple(corpus):
    return cache(lambda: tuple(corpus()))


@as_tuple
def whole() -> Iterator[tuple[str, bytes, tuple[int, int]]]:
    """Name, content and upright size of every picture that is not damaged."""
    for ending in FORMATS:
        for mode in MODES:
            if (mode, ending) == ("YCbCr", "tiff"):  # Pillow does not read what it writes
                continue
            for size in SIZES:
                if (content := encoded(source(size, mode), ending)) is not None:
                    yield f"{mode.replace(';', '-')}-{size[0]}x{size[1]}.{ending}", content, size
        photo, (width, height) = source(SIZES[0], "RGB"), SIZES[0]
        for orientation in (0, *range(2, 9), 99):
            exif = Image.Exif()
            exif[ExifTags.Base.Orientation] = orientation
            if ending in ("jpg", "png", "webp", "tiff", "avif"):
                size = (height, width) if orientation in (5, 6, 7, 8) else (width, height)
                yield f"turned-{orientation}.{ending}", encoded(photo, ending, exif=exif), size
        for name, profile in (("good", PROFILE), ("ink", PROFILE[:16] + b"CMYK" + PROFILE[20:]), ("junk", b"junk" * 50)):
            if ending in ("jpg", "png", "webp", "tiff", "avif"):
                yield f"profile-{name}.{ending}", encoded(photo, ending, icc_profile=profile), (width, height)
        if ending in ("gif", "png", "webp", "tiff", "avif"):
            frames = [source(SIZES[0], "RGBA", seed) for seed in range(3)]
            content = encoded(frames[0], ending, save_all=True, append_images=frames[1:])
            yield f"film.{ending}", content, (width, height)
    for mode, clear in (("L", 7), ("P", 7), ("RGB", (1, 2, 3)), ("I;16", 257), ("1", 1)):
        yield f"clear-{mode.replace(';', '-')}.png", encoded(source(SIZES[0], mode), "png", transparency=clear), SIZES[0]
    for options in ({"progressive": True}, {"subsampling": 2}, {"quality": 1}):
        yield f"{next(iter(options))}.jpg", encoded(source(SIZES[0], "RGB"), "jpg", **options), SIZES[0]
    for packing in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        content = encoded(source(SIZES[0], "RGB"), "tiff", compression=packing)
        yield f"{packing}.tiff", content, SIZES[0]


@as_tuple
def damaged() -> Iterator[tuple[str, bytes]]:
    """Files that end too early, with bits that are others, or that say they are gigantic or are something else."""
    for ending in FORMATS:
        for mode in ("RGB", "P", "I;16"):
            if (content := encoded(source(SIZES[0], mode), ending)) is None:
                continue
            dice = random.Random(zlib.crc32(f"{ending} {mode}".encode()))
            name = mode.replace(";", "-")
            for number in range(DAMAGES):
                yield f"cut-{name}-{number}.{ending}", content[: dice.randrange(len(content))]
                flipped = bytearray(content)
                # the head says most of what goes wrong
                for _ in range(1 + number % 3):
                    place = dice.randrange(min(len(flipped), 120) if number % 2 else len(flipped))
                    flipped[place] ^= 1 << dice.randrange(8)
                yield f"flipped-{name}-{number}.{ending}", bytes(flipped)
        yield f"empty.{ending}", b""
        yield f"page.{ending}", b"<html>not found</html>"
    gigantic = bytearray(encoded(Image.new("1", (8, 8)), "png"))
    gigantic[16:24] = (30_000).to_bytes(4, "big") * 2
    gigantic[29:33] = zlib.crc32(gigantic[12:29]).to_bytes(4, "big")
    yield "gigantic.png", bytes(gigantic)
    sheet = bytearray(encoded(Image.new("L", (8, 8)), "tiff"))
    for tag in (256, 257):  # width and height
        place = sheet.index(tag.to_bytes(2, "little") + b"\x04\0")
        sheet[place + 8 : place + 12] = (60_000).to_bytes(4, "little")
    yield "gigantic.tiff", bytes(sheet)
    yield "script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content, _ in whole():
        (folder / name).write_bytes(content)
    for name, content in damaged():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
