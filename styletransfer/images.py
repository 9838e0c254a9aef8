"""Pictures to tensors and back. The only file that knows that images are (B, 3, H, W) in [-1, 1]."""

import struct
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import Tensor

from styletransfer.formats import FORMATS, MAX_PIXELS

MIN_SIZE = 16  # pixels: the networks take nothing smaller
UNREADABLE = (OSError, SyntaxError, ValueError, struct.error, EOFError, KeyError, IndexError, OverflowError)


def open_image(path: str | Path) -> Image.Image:
    """The picture at `path`, as `upright` gives it.

    `pipe(open_image("photo.jpg"), style="great-wave")`
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    if not path.is_file():
        raise ValueError(f"{path} is not a file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # `upright` has a limit of its own
            image = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError:
        raise ValueError(f"{path} is too large: at most {MAX_PIXELS / 1e6:.0f} megapixels can be read") from None
    except UNREADABLE:
        raise ValueError(f"{path} is not a picture that can be read") from None
    with image:
        try:
            return upright(image)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def upright(image: Image.Image) -> Image.Image:
    """`image` as people see it: 8-bit RGB, or RGBA if anything is transparent, turned as its EXIF orientation says.

    Takes every mode of PIL. Of an animation it is the current frame, the first one of a freshly opened file. An ICC profile is
    kept in `info` where it still describes the pixels, which is where it is a profile of RGB.
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
    try:
        image.load()
        image = ImageOps.exif_transpose(image)
        profile = image.info.get("icc_profile")
        if image.mode == "F" or image.mode.startswith("I"):
            image = eight_bit(image)
        elif image.mode == "La":
            image = image.convert("LA")  # PIL has no way from it to RGBA
        transparent = image.has_transparency_data
        colours = image.convert("RGBA" if transparent else "RGB")
    except UNREADABLE as error:
        raise ValueError(f"the picture cannot be read: {error}") from None
    colours.info = {"icc_profile": profile} if profile and profile[16:20] == b"RGB " else {}
    return colours


def eight_bit(image: Image.Image) -> Image.Image:
    """Grey `image` of 16 or 32 bits, or of floats, as mode L.

    Whole numbers up to 255 are taken as they are, larger ones as 16 bits. Floats are taken as 0 to 1, or else as whole numbers.
    """
    values = np.asarray(image)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not finite")
    top = values.max()
    if image.mode == "F" and top <= 1:
        scale = 255.0
    elif image.mode.startswith("I;16") or top > 255:
        scale = 255 / 65535
    else:
        scale = 1.0
    return Image.fromarray((values * scale).round().clip(0, 255).astype(np.uint8))


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


def to_mask(image: Image.Image, size: tuple[int, int] | None = None) -> Tensor:
    """Mask (1, 1, H, W) in [0, 1] of a picture: 1 where it is white, 0 where it is black or transparent.

    `size` is the width and height of its photo, which a mask must have.
    """
    image = upright(image)
    if size is not None and image.size != size:
        sizes = f"{image.width} x {image.height} and {size[0]} x {size[1]}"
        raise ValueError(f"the mask must have the size of its photo, got {sizes}")
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "black"), image)
    return torch.from_numpy(np.array(image.convert("L")))[None, None].float().div_(255)


def at_least(pixels: Tensor, size: int = MIN_SIZE) -> Tensor:
    """`pixels` (B, C, H, W) of any size, grown at the right and at the bottom by repeating its last row and column."""
    missing = [max(size - side, 0) for side in pixels.shape[-2:]]
    return F.pad(pixels, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else pixels
