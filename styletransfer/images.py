"""Pictures to tensors and back. The only file that knows that images are (B, 3, H, W) in [-1, 1]."""

import io
import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import ExifTags, Image, ImageCms, ImageOps
from torch import Tensor

from styletransfer.formats import FORMATS, MAX_PIXELS
from styletransfer.memory import max_pixels

MIN_SIZE = 16  # pixels: the networks take nothing smaller
STRIP = 256  # rows that are worked on at a time
MAX_PROFILE = 1_000_000  # bytes of an ICC profile: a PNG with a larger one is not opened again
# what Pillow's readers raise where a file is damaged: tests/odd_pictures.py
ODD = (LookupError, ArithmeticError, RuntimeError, TypeError, AssertionError, EOFError, struct.error, zlib.error)
UNREADABLE = (OSError, SyntaxError, ValueError, *ODD)
logger = logging.getLogger(__name__)


def open_image(path: str | Path) -> Image.Image:
    """The picture at `path`, as `upright` gives it; of an animation or of several pages the first, which the log says.

    Nothing of the file but its pixels and its ICC profile comes along: no EXIF, no XMP, no place where it was taken.

    Raises:
        OSError: where there is nothing, or nothing that may be read.
        ValueError: where it is no picture, is damaged, or has too many pixels, for everybody or for the memory that is free.

    `pipe(open_image("photo.jpg"), style="great-wave")`
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own words about a file would come before the sentence
        try:
            image = Image.open(path, formats=FORMATS)
        except PermissionError:
            raise
        except Image.DecompressionBombError:
            raise ValueError(f"{path} is too large: at most {MAX_PIXELS / 1e6:.0f} megapixels can be read") from None
        except UNREADABLE:
            raise ValueError(f"{path} is not a picture that can be read") from None
        with image:
            try:
                picture = upright(image)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            if image.format != "MPO" and getattr(image, "is_animated", False):  # the others of an MPO are of the same photo
                logger.warning("%s holds several pictures: the first one is taken", path)
    return picture


def upright(image: Image.Image) -> Image.Image:
    """`image` as people see it: 8-bit RGB, or RGBA if anything is transparent, turned as its EXIF orientation says.

    Takes every mode of PIL. Of an animation it is the current frame, the first one of a freshly opened file. `info` holds at most
    an ICC profile of RGB, which the pixels are to be seen by; where a file has another one, they are converted to sRGB. What is
    upright already comes back as it is.
    """
    if not isinstance(image, Image.Image):
        raise TypeError(f"a picture must be a PIL image, got {type(image).__name__}; styletransfer.open_image(path) opens files")
    width, height = image.size
    if width * height == 0:
        raise ValueError(f"the picture is empty: {width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise ValueError(
            f"the picture is too large: {width} x {height} pixels, at most {MAX_PIXELS / 1e6:.0f} megapixels can be read"
        )
    plain = type(image) is Image.Image and image.mode in ("RGB", "RGBA") and image.info.keys() <= {"icc_profile"}
    if plain and not image.getexif():
        return image
    if width * height > (most := max_pixels()):
        sizes = f"{width} x {height} pixels, at most {most / 1e6:.1f} megapixels fit"
        raise ValueError(f"the picture is too large for the memory that is free: {sizes}")
    try:
        image.load()
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:  # the function below copies all others, too
            image = ImageOps.exif_transpose(image)
        profile = image.info.get("icc_profile") or b""
        if image.mode == "F" or image.mode.startswith("I"):
            image = eight_bit(image)
        elif image.mode == "La":
            image = image.convert("LA")  # PIL has no way from it to RGBA
        elif image.mode == "RGB" and isinstance(clear := image.info.get("transparency"), tuple) and max(clear) > 255:
            image = image.copy()
            image.info["transparency"] = tuple(value >> 8 for value in clear)  # of 16 bits, as the pixels were in the file
        if profile[16:20] not in (b"", b"RGB ") and (converted := to_srgb(image, profile)):
            image = converted
        colours = image.convert("RGBA" if image.has_transparency_data else "RGB")
        if profile[16:20] == b"RGB " and len(profile) > MAX_PROFILE:
            colours, profile = to_srgb(colours, profile) or colours, b""
    except Image.DecompressionBombError:
        raise ValueError("the picture cannot be read: it holds more pixels than it says") from None
    except UNREADABLE as error:
        raise ValueError(f"the picture cannot be read: {' '.join(str(error).split()) or type(error).__name__}") from None
    colours.info = {"icc_profile": profile} if profile[16:20] == b"RGB " else {}
    return colours


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The colours of `image` by its ICC `profile` in sRGB; None where the profile is broken or one of other colours."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (OSError, ImageCms.PyCMSError):
        return None


def eight_bit(image: Image.Image) -> Image.Image:
    """Grey `image` of 16 or 32 bits, or of floats, as mode L, or LA if one of its values stands for transparency.

    Whole numbers up to 255 are taken as they are, larger ones as 16 bits. Floats are taken as 0 to 1, or else as whole numbers.
    """
    top = max(values.max() if np.isfinite(values).all() else np.inf for _, values in strips(image))
    if top == np.inf:
        raise ValueError("it holds values that are not finite")
    if image.mode == "F" and top <= 1:
        scale = 255.0
    elif image.mode.startswith("I;16") or top > 255:
        scale = 255 / 65535
    else:
        scale = 1.0
    clear = image.info.get("transparency")
    grey = Image.new("L" if clear is None else "LA", image.size)
    for where, values in strips(image):
        strip = Image.fromarray((values * scale).round().clip(0, 255).astype(np.uint8))
        if clear is not None:
            strip.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
        grey.paste(strip, where)
    return grey


def strips(image: Image.Image) -> Iterator[tuple[tuple[int, int, int, int], np.ndarray]]:
    """`image` in strips of some rows, as boxes and arrays: an array of the whole takes several times its memory."""
    for top in range(0, image.height, STRIP):
        box = (0, top, image.width, min(top + STRIP, image.height))
        yield box, np.asarray(image.crop(box))


def to_tensor(image: Image.Image) -> Tensor:
    """Colours (1, 3, H, W) in [-1, 1] of any `image`, its transparency left out."""
    values = np.array(upright(image).convert("RGB"))
    return torch.from_numpy(values).permute(2, 0, 1)[None].float().div_(127.5).sub_(1)


def to_pil(pixels: Tensor, like: Image.Image | None = None) -> Image.Image:
    """Picture of `pixels` (3, H, W) or (1, 3, H, W) in [-1, 1], with the transparency and ICC profile of the picture `like`.

    What `to_tensor` reads comes back bit for bit.
    """
    if pixels.ndim == 4:
        (pixels,) = pixels
    values = pixels.detach().float().add(1).mul_(127.5).round_().clamp_(0, 255).byte()
    image = Image.fromarray(values.permute(1, 2, 0).contiguous().cpu().numpy())
    if like is not None:
        like = upright(like)
        image.info = dict(like.info)
        if like.mode == "RGBA":
            image.putalpha(like.getchannel("A"))
    return image


def to_mask(image: Image.Image, size: tuple[int, int] | None = None) -> Image.Image:
    """Mask of a picture, mode L: 255 where it is white, 0 where it is black or transparent.

    `size` is the width and height of its photo, which a mask must have.
    """
    image = upright(image)
    if size is not None and image.size != size:
        sizes = f"{image.width} x {image.height} and {size[0]} x {size[1]}"
        raise ValueError(f"the mask must have the size of its photo, got {sizes}")
    return on(image, "black").convert("L")


def mask_to_tensor(mask: Image.Image) -> Tensor:
    """Mask (1, 1, H, W) in [0, 1] of a picture of mode L."""
    return torch.from_numpy(np.array(mask))[None, None].float().div_(255)


def on(image: Image.Image, color: str) -> Image.Image:
    """The upright `image` without its transparency, on a ground of one colour."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, color)
    ground.paste(image, mask=image.getchannel("A"))
    ground.info = dict(image.info)
    return ground


def at_least(pixels: Tensor, size: int = MIN_SIZE) -> Tensor:
    """`pixels` (B, C, H, W) of any size, grown at the right and at the bottom by repeating its last row and column."""
    missing = [max(size - side, 0) for side in pixels.shape[-2:]]
    return F.pad(pixels, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else pixels
