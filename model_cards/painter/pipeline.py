"""The pipeline that travels inside a package, for people who have diffusers and not styletransfer.

`DiffusionPipeline.from_pretrained("user/painter", trust_remote_code=True)(photo, style="starry-night").images[0]`

It paints as styletransfer does. What it imports of the house is put into its file when a package is written.
"""

from pathlib import Path
from typing import ClassVar

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput, ModelMixin
from huggingface_hub import snapshot_download
from PIL import Image

"""Colour transport: a photo in the palette of a painting, in closed form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

REGULARIZER = 4e-3  # added to every variance: a deviation of 0.06 of [-1, 1], so that a flat photo is not blown up into noise
KNEE = 0.85  # colours beyond this part of the gamut are compressed
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
MAX_STATISTICS = 256  # pixels of the shorter side that a palette is measured on


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours as a Gaussian: `mean` (3,) and `covariance` (3, 3) of RGB in [-1, 1].

    `Palette.of(painting)`, `Palette.from_colors(["#0b3d91", "#f4d35e", "#ffffff"])`
    """

    mean: Tensor
    covariance: Tensor

    def __post_init__(self):
        shapes = tuple(self.mean.shape), tuple(self.covariance.shape)
        if shapes != ((3,), (3, 3)):
            raise ValueError(f"a palette has a mean (3,) and a covariance (3, 3), got {shapes[0]} and {shapes[1]}")
        if not torch.isfinite(self.mean).all() or not torch.isfinite(self.covariance).all():
            raise ValueError("a palette must be finite")
        covariance = self.covariance.detach()
        if not torch.allclose(covariance, covariance.mT, atol=1e-4) or torch.linalg.eigvalsh(covariance)[0] < -1e-4:
            raise ValueError("the covariance of a palette must be symmetric and without negative variances")
        if self.mean.abs().max() > 1.01 or covariance.diagonal().max() > 1.01:
            raise ValueError("a palette must be one of colours in [-1, 1]")

    @classmethod
    def of(cls, picture: Tensor) -> "Palette":
        """Palette of the whole `picture` (1, 3, H, W) in [-1, 1]; a large one is averaged down first."""
        shrink = min(picture.shape[-2:]) // MAX_STATISTICS
        colours = F.avg_pool2d(picture, shrink) if shrink > 1 else picture
        colours = colours[0].flatten(1).double()
        mean = colours.mean(dim=1)
        centred = colours - mean[:, None]
        return cls(mean.float(), (centred @ centred.T / centred.shape[1]).float())

    @classmethod
    def from_colors(cls, colors: Sequence[str]) -> "Palette":
        """Palette of colours such as "#0b3d91", all of the same weight."""
        wrong = [color for color in colors if not isinstance(color, str) or not re.fullmatch(r"#[0-9a-fA-F]{6}", color)]
        if not colors or wrong:
            raise ValueError(f"colours must look like #0b3d91, got {wrong or 'none'}")
        values = torch.tensor([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in colors]) / 127.5 - 1
        return cls.of(values.T.view(1, 3, 1, -1))

    def distance(self, other: "Palette") -> Tensor:
        """Squared 2-Wasserstein distance to another palette (Givens & Shortt 1984, prop. 7)."""
        root = square_root(self.covariance)
        cross = square_root(root @ other.covariance @ root)
        spread = torch.trace(self.covariance + other.covariance - 2 * cross)
        return (self.mean - other.mean).square().sum() + spread.clamp_min(0)


def transport(source: Palette, target: Palette, tone: float = 1.0, color: float = 1.0) -> tuple[Tensor, Tensor]:
    """The affine map x -> x @ matrix.T + offset, (3, 3) and (3,), that moves colours of `source` towards `target`.

    The linear Monge-Kantorovich map (Pitié & Kokaram 2007, eq. 18): of all maps between the two Gaussians, it moves colours the
    least. With `tone` and `color` both t, it is (1 - t) I + t T, a point of the geodesic between the two. `tone` alone moves
    lightness, the mean of the channels, and `color` what a colour has beyond it. Differentiable.
    """
    eye = torch.eye(3, dtype=source.mean.dtype, device=source.mean.device)
    start, end = (palette.covariance + REGULARIZER * eye for palette in (source, target))
    root = square_root(start)
    inverse = torch.linalg.inv(root)
    full = inverse @ square_root(root @ end @ root) @ inverse
    lightness = torch.full_like(eye, 1 / 3)  # projects on the grey axis
    amount = tone * lightness + color * (eye - lightness)
    matrix = eye + amount @ (full - eye)
    offset = amount @ (target.mean - full @ source.mean)
    return matrix, offset


def recolor(image: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """`image` (B, 3, H, W) in [-1, 1] under the affine map of `transport`, kept within [-1, 1].

    `matrix` is (3, 3) or (B, 3, 3), `offset` (3,) or (B, 3). What leaves the gamut is compressed, not clipped: pale palettes
    would burn skies to white. A map that changes nothing returns the image.
    """
    moved = torch.einsum("...ij,...jhw->...ihw", matrix, image) + offset[..., :, None, None]
    return compress(moved, image)


def compress(moved: Tensor, image: Tensor) -> Tensor:
    """`moved` (B, 3, H, W) brought into [-1, 1]: luma, then chroma, each beyond a knee: `KNEE`, or where `image` was."""
    weights = moved.new_tensor(LUMA).view(1, 3, 1, 1)
    luma, before = ((picture * weights).sum(dim=1, keepdim=True) for picture in (moved, image))
    chroma, chroma_before = moved - luma, image - before
    squeezed = soft_limit(luma, before * luma.sign())
    reach, reach_before = reach_of(chroma, squeezed), reach_of(chroma_before, before)
    return squeezed + chroma * (soft_limit(reach, reach_before) / reach.clamp_min(1e-6)).clamp_max(1)


def reach_of(chroma: Tensor, luma: Tensor) -> Tensor:
    """How far `chroma` goes towards the edge of the gamut at `luma`: 1 on the edge."""
    room = torch.where(chroma > 0, 1 - luma, 1 + luma).clamp_min(1e-3)
    return (chroma.abs() / room).amax(dim=1, keepdim=True)


def soft_limit(value: Tensor, before: Tensor) -> Tensor:
    """`value` with its size limited to 1, softly beyond a knee: `KNEE`, or `before` where that was larger."""
    knee = before.clamp(KNEE, 0.999)
    size = value.abs()
    beyond = knee + (1 - knee) * torch.tanh((size - knee) / (1 - knee))
    return value.sign() * torch.where(size > knee, beyond, size)


def square_root(matrix: Tensor) -> Tensor:
    """Symmetric square root of a symmetric positive semidefinite `matrix` (..., 3, 3)."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ torch.diag_embed(values.clamp_min(0).sqrt()) @ vectors.mT
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

"""Which pictures are opened at all, known without torch."""

MAX_PIXELS = 64_000_000
# not EPS, for which Pillow starts Ghostscript on what a stranger wrote, nor formats that nobody keeps photos in (JPEG covers MPO)
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "PPM", "TIFF", "AVIF", "JPEG2000", "ICO", "PCX", "QOI", "SGI", "TGA")
"""How much memory is free, and how many pixels fit into it."""

from pathlib import Path


try:
    import psutil  # accelerate brings it; packages carry this file to people who may have neither
except ImportError:
    psutil = None

CGROUP = Path("/sys/fs/cgroup")  # of the container, where there is one
WORKING = 300_000_000  # bytes that a painter takes for strokes and tiles, whatever the size of the photo
PER_PIXEL = (
    20  # bytes from reading a photo to writing its painting, with a mask: 14 to 16 were measured, see docs/measurements.md
)


def free_memory() -> float:
    """Bytes that can still be had, in the machine or, where it has a limit, in its container; infinite where nobody knows."""
    free = psutil.virtual_memory().available if psutil else float("inf")
    try:
        limit, used, lines = ((CGROUP / f"memory.{name}").read_text() for name in ("max", "current", "stat"))
        cached = dict(line.split() for line in lines.splitlines())["inactive_file"]
        return min(free, int(limit) - int(used) + int(cached))
    except (OSError, ValueError, KeyError):  # no container, or one without a limit, which says "max"
        return free


def max_pixels(per_pixel: int = PER_PIXEL) -> int:
    """How many pixels a picture may have now that `per_pixel` bytes are needed for each."""
    return int(min(MAX_PIXELS, max(free_memory() - WORKING, 0) / per_pixel))

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
"""How a photo is painted: its colours in closed form, its strokes by a network, at one size, enlarged to that of the photo."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import torch
from PIL import Image
from torch import Tensor

"""A named style as a low-rank change of the generator's weights."""

from collections.abc import Mapping
from threading import Lock

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.func import functional_call

"""The base of every network."""

from importlib import import_module

from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin


class Network(ModelMixin, ConfigMixin):
    """A torch module whose arguments are its config, and which a folder or a repository of the Hub can hold."""

    @classmethod
    def from_pretrained(cls, path_or_repo, *arguments, **options):
        """Network in a folder or in a repository of the Hub; `styletransfer.pipelines.loading.from_pretrained` names the options.

        `StyleGenerator.from_pretrained("model_cards/painter", subfolder="stylizer")`
        """
        if not __name__.startswith("styletransfer."):  # a copy in a package, for people without styletransfer
            return super().from_pretrained(path_or_repo, *arguments, **options)
        return import_module("styletransfer.pipelines.loading").from_pretrained(cls, path_or_repo, *arguments, **options)

# functional_call puts the changed weights into the network for as long as it runs: two threads at once would paint with each
# other's, and leave them there
TURNS = Lock()


class StyleAdapter(Network):
    """Low-rank changes of the convolutions of a `StyleGenerator`, and changes of the biases of its modulations.

    A convolution's weight W (O, I, k, k), as a matrix (O, I k k), becomes W + up @ down with `up` (O, rank) and `down`
    (rank, I k k) (LoRA, Hu et al. 2022, https://arxiv.org/abs/2106.09685, eq. 3). `up` starts at zero: a new adapter changes
    nothing. Merged into the weights it costs nothing, and adapters of several styles are mixed by a weighted sum.

    Args:
        shapes: Shape of each parameter of the generator that changes, by its name there.
        rank: Of the changes of the convolutions.

    Example:
        `adapted(stylizer, StyleAdapter.of(stylizer)(), photo, code)`
    """

    @register_to_config
    def __init__(self, shapes: dict[str, list[int]], rank: int = 16):
        super().__init__()
        self.down, self.up, self.bias = nn.ParameterDict(), nn.ParameterDict(), nn.ParameterDict()
        for name, (out_channels, *rest) in shapes.items():
            key = name.replace(".", "/")  # a dot would be a sub-module
            if rest:
                columns = torch.Size(rest).numel()
                self.down[key] = nn.Parameter(torch.randn(rank, columns) / columns**0.5)
                self.up[key] = nn.Parameter(torch.zeros(out_channels, rank))
            else:
                self.bias[key] = nn.Parameter(torch.zeros(out_channels))

    @classmethod
    def of(cls, stylizer: nn.Module, rank: int = 16) -> "StyleAdapter":
        """An adapter that fits `stylizer`, and changes nothing yet."""
        changed = {
            name: list(parameter.shape)
            for name, parameter in stylizer.named_parameters()
            if parameter.ndim == 4 or name.endswith("affine.bias")
        }
        return cls(shapes=changed, rank=rank)

    def factors(self) -> dict[str, Tensor]:
        """What a style file holds: `<parameter>.down` and `<parameter>.up` of convolutions, `<parameter>` of biases."""
        kept = {key.replace("/", "."): value for key, value in self.bias.items()}
        for kind, factors in (("down", self.down), ("up", self.up)):
            kept |= {f"{key.replace('/', '.')}.{kind}": value for key, value in factors.items()}
        return kept

    @torch.no_grad()
    def load_factors(self, factors: Mapping[str, Tensor]) -> None:
        """Take the values of `factors`, as a style file holds them: the same names and shapes as `factors()`."""
        own = self.factors()
        wrong = own.keys() ^ factors.keys() or {name for name in own if own[name].shape != factors[name].shape}
        if wrong:
            raise ValueError(f"these factors of another adapter do not fit: {', '.join(sorted(wrong)[:3])}")
        for name, factor in own.items():
            factor.copy_(factors[name])

    def forward(self) -> dict[str, Tensor]:
        """What to add to each parameter of the generator, by its name there; convolutions as matrices (O, I k k)."""
        return changes(self.factors())


def changes(factors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the `factors` of an adapter add to each parameter; to convolutions a matrix (O, I k k)."""
    added = {}
    for name, factor in factors.items():
        base, _, kind = name.rpartition(".")
        if kind == "up":
            added[base] = factor @ factors[f"{base}.down"]
        elif kind != "down":
            added[name] = factor
    return added


def adapted(stylizer: nn.Module, added: Mapping[str, Tensor], *inputs: Tensor) -> Tensor:
    """What `stylizer` makes of `inputs` with `added` on top of its parameters."""
    with TURNS:
        parameters = dict(stylizer.named_parameters())
        changed = {name: parameters[name] + change.view_as(parameters[name]) for name, change in added.items()}
        return functional_call(stylizer, changed, inputs)


def misfits(stylizer: nn.Module, factors: Mapping[str, Tensor]) -> list[str]:
    """Names of the `factors` that do not belong to a parameter of `stylizer`, or have another shape than it needs."""
    parameters = dict(stylizer.named_parameters())
    wrong = []
    for name, factor in factors.items():
        base, _, kind = name.rpartition(".")
        if kind in ("up", "down"):
            other = factors.get(f"{base}.{'down' if kind == 'up' else 'up'}")
            weight = parameters.get(base)
            size = None if weight is None else (weight.shape[0], weight[0].numel())
            up, down = (factor, other) if kind == "up" else (other, factor)
            fits = up is not None and down is not None and up.ndim == down.ndim == 2 and up.shape[1] == down.shape[0]
            fits = fits and size == (up.shape[0], down.shape[1])
        else:
            fits = name in parameters and parameters[name].shape == factor.shape
        if not fits:
            wrong.append(name)
    return wrong
"""What a user steers with: styles and their files, mixing, and the photo's own colours."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

"""Files that are whole or not there: a crash, Ctrl-C or a full disk leaves what was there before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_whole(path: str | Path) -> Iterator[Path]:
    """Inside, the path of a new file to write, which becomes `path` at the end. Folders are made.

    `with write_whole("painting.png") as part: picture.save(part)`
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.part{path.suffix}")  # writers of pictures go by the ending
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno and error.filename in (None, str(part)):  # people know the file by its name
            error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with write_whole(path) as part:
        part.write_text(text, encoding="utf-8")


def write_bytes(path: str | Path, content: bytes | memoryview) -> None:
    """Write `content`, whole or not at all."""
    with write_whole(path) as part:
        part.write_bytes(content)

FORMAT = "styletransfer.style.v2"
ABOUT = ("title", "artist", "year", "group", "source", "licence")  # what a style file may say of its painting
LONGEST = 300  # characters of each
TYPES = {
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
}
MAX_PAINTINGS = 1000  # of one style: every photo is compared with each
LARGEST = 20  # megabytes of a style file: many times what an adapter takes


@dataclass(frozen=True, eq=False)
class Style:
    """A style: the code and the palette of each painting it was made of, and what the generator learned of them.

    Args:
        codes: One (K, D) for each painting, with unit root mean square.
        name: What to call it. Slashes, commas and equal signs are kept for paths and mixtures of styles.
        palettes: The colours of each painting; a photo takes the code and the colours of the nearest. Without palettes the photo
            keeps its colours, and there is one code.
        adapter: Factors of a `StyleAdapter`, by name; empty for a style that the encoder saw and nobody trained.
        about: Of the painting: `title`, `artist`, `year`, the `group` that it hangs with on the page, `source`, `licence`.

    Example:
        `pipe.encode_style(painting, name="my style").save("my-style.safetensors")`
    """

    codes: Tensor
    name: str
    palettes: tuple[Palette, ...] = ()
    adapter: Mapping[str, Tensor] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        check_name(self.name)
        codes = self.codes
        if not isinstance(codes, Tensor) or codes.ndim != 2 or not codes.numel() or not codes.is_floating_point():
            got = f"{tuple(codes.shape)} of {codes.dtype}" if isinstance(codes, Tensor) else type(codes).__name__
            raise ValueError(f"codes of style {self.name!r} must be a tensor (K, D) of floats, got {got}")
        if len(codes) > MAX_PAINTINGS:
            raise ValueError(f"style {self.name!r} is made of {len(codes)} paintings, and at most {MAX_PAINTINGS} are taken")
        codes = codes.detach().float().cpu()
        rms = codes.square().mean(dim=1).sqrt()
        if not torch.isfinite(codes).all() or (rms - 1).abs().max() > 0.01:
            raise ValueError(f"codes of style {self.name!r} must be finite, each with root mean square 1, got {rms.tolist()}")
        if len(self.palettes) != len(codes) and (self.palettes or len(codes) > 1):
            raise ValueError(f"style {self.name!r} must have a palette for each of {len(codes)} codes, got {len(self.palettes)}")
        if broken := [name for name, factor in self.adapter.items() if not torch.isfinite(factor).all()]:
            raise ValueError(f"style {self.name!r} has values that are not finite in its adapter: {', '.join(broken[:3])}")
        object.__setattr__(self, "codes", codes)

    def save(self, path: str | Path) -> None:
        """Write a style file, of half a megabyte with an adapter; `Style.load` and `pipe.load_style` read it."""
        tensors = {"codes": self.codes.contiguous()}
        if self.palettes:
            tensors["means"] = torch.stack([palette.mean for palette in self.palettes])
            tensors["covariances"] = torch.stack([palette.covariance for palette in self.palettes])
        tensors |= {f"adapter.{name}": factor.half().contiguous() for name, factor in self.adapter.items()}
        write_bytes(path, save(tensors, metadata={"format": FORMAT, "name": self.name, **self.about}))

    @classmethod
    def load(cls, path: str | Path) -> "Style":
        size = Path(path).stat().st_size / 1e6 if Path(path).is_file() else 0
        if size > LARGEST:
            raise ValueError(f"{path} is too large for a style file: {size:.0f} MB, at most {LARGEST}")
        tensors, metadata = read_tensors(path)
        known = {"codes", "means", "covariances"}
        if metadata.get("format") != FORMAT or "name" not in metadata or "codes" not in tensors:
            raise ValueError(f"{path} is not a style file: it should hold a tensor called codes, and say format {FORMAT}")
        if unknown := [name for name in tensors if name not in known and not name.startswith("adapter.")]:
            raise ValueError(f"{path} is not a style file: it holds {unknown[0]!r}")
        means, covariances = tensors.get("means", torch.empty(0, 3)), tensors.get("covariances", torch.empty(0, 3, 3))
        if means.ndim != 2 or covariances.ndim != 3 or len(means) != len(covariances):
            raise ValueError(f"{path} must hold a mean and a covariance for each palette")
        return cls(
            tensors["codes"],
            metadata["name"],
            tuple(Palette(mean.float(), covariance.float()) for mean, covariance in zip(means, covariances, strict=True)),
            {name.removeprefix("adapter."): tensor.float() for name, tensor in tensors.items() if name.startswith("adapter.")},
            {name: metadata[name][:LONGEST] for name in ABOUT if name in metadata},
        )

    def named(self, name: str) -> "Style":
        """The same style under another name."""
        return replace(self, name=name)

    def nearest(self, photo: Palette) -> int:
        """Number of the painting whose palette is nearest to that of `photo`, so that different photos keep different colours."""
        return min(range(len(self.palettes)), key=lambda number: self.palettes[number].distance(photo), default=0)


def check_name(name: str) -> None:
    fits = isinstance(name, str) and 1 <= len(name) <= 64 and name.isprintable() and name == name.strip()
    if not fits or set(name) & set("/\\,="):
        raise ValueError(f"a style's name must be 1 to 64 characters without / \\ , = and without spaces around, got {name!r}")


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file.

    Raises:
        FileNotFoundError: where there is none.
        ValueError: where it is none, or holds numbers that are not computed with, such as floats of 8 bits.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with safe_open(path, "pt") as file:
            tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RuntimeError, AttributeError) as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from None
    for name, tensor in tensors.items():
        if tensor.dtype not in TYPES:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise ValueError(f"{path} holds {kind} in {name}; convert its tensors to float16 or float32")
    return tensors, metadata


def unit(code: Tensor) -> Tensor:
    """`code` (..., D) scaled to a root mean square of 1; zero stays zero."""
    return code / code.square().mean(dim=-1, keepdim=True).sqrt().clamp_min(1e-6)


def mix(codes: Tensor, weights: Tensor) -> Tensor:
    """Sum (D,) of `codes` (N, D) by `weights` (N,), with the sum of the weights as its root mean square."""
    return weights.sum() * unit(weights @ codes)


def keep_color(painted: Tensor, photo: Tensor, degree: float) -> Tensor:
    """`painted` (B, 3, H, W) in [-1, 1] with its own luma, and chroma a share `degree` of the way to that of `photo`.

    What a colour has beyond its luma is its chroma: the Cb and Cr of BT.601 are linear in it. Where the two do not fit into
    [-1, 1] together the chroma shrinks, so that brush strokes and hues survive.
    """
    weights = painted.new_tensor(LUMA).view(1, 3, 1, 1)
    luma = (painted * weights).sum(dim=1, keepdim=True)
    chroma = torch.lerp(painted - luma, photo - (photo * weights).sum(dim=1, keepdim=True), degree)
    room = torch.where(chroma > 0, 1 - luma, 1 + luma) / chroma.abs().clamp_min(1e-6)
    return luma + chroma * room.amin(dim=1, keepdim=True).clamp(0, 1)
"""Pictures enlarged by a network in tiles: the memory that this takes does not grow with the picture."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise, product

import torch
from PIL import Image
from torch import Tensor, nn


TILE = 128  # pixels of the input: what a tile takes stays in the cache of a processor
KEPT = 31 * 2**20  # bytes, just below glibc's limit of what it learns to keep
WORTHWHILE = 1.1  # an enlargement below this is left to interpolation


def enlarge(
    network: nn.Module | None,
    image: Image.Image,
    size: tuple[int, int],
    progress: Callable[[float], None] | None = None,
) -> Image.Image:
    """The colours of `image` at `size` (width, height), in RGB.

    The network, an `UpscaleGenerator`, makes it as large or larger, as far as its stages go, and interpolation does the rest; all
    of it below 1.1 times the size, or without a network. `progress` is called with the share of the network's work that is done,
    up to 1.

    `enlarge(network, painting, (3000, 4000)).save("large.png")`
    """
    image = image.convert("RGB")
    ratio = max(size[0] / image.width, size[1] / image.height)
    if network is not None and ratio >= WORTHWHILE:
        level = min(max(1, math.ceil(math.log2(ratio))), len(network.stages))
        scale = 2**level
        canvas = Image.new("RGB", (scale * image.width, scale * image.height))
        for left, top, tile, share in enlarged_tiles(network, image, level):
            canvas.paste(to_pil(tile), (scale * left, scale * top))
            if progress is not None:
                progress(share)
        image = canvas
    elif progress is not None:
        progress(1.0)
    shrinks = size[0] < image.width
    return image.resize(size, Image.Resampling.LANCZOS if shrinks else Image.Resampling.BICUBIC)


@torch.no_grad()
def enlarged_tiles(network: nn.Module, image: Image.Image, level: int) -> Iterator[tuple[int, int, Tensor, float]]:
    """What `network` makes of `image`, in tiles (1, 3, h, w): left and top in the image, the tile, the share that is done.

    Each is what the network makes of the whole image, there.
    """
    torch.empty(KEPT // 4)  # once freed, glibc keeps so much for the next tile and does not return it: a quarter faster
    columns, rows = cuts(image.width), cuts(image.height)
    count, scale, more = (len(columns) - 1) * (len(rows) - 1), 2**level, network.overlap
    for number, ((top, bottom), (left, right)) in enumerate(product(pairwise(rows), pairwise(columns)), 1):
        x, y = max(left - more, 0), max(top - more, 0)
        seen = image.crop((x, y, min(right + more, image.width), min(bottom + more, image.height)))
        tile = network(at_least(to_tensor(seen).to(network.device, network.dtype)), level=level)
        tile = tile[..., scale * (top - y) : scale * (bottom - y), scale * (left - x) : scale * (right - x)]
        yield left, top, tile, number / count


def cuts(side: int) -> list[int]:
    """Where a side of `side` pixels is cut into the fewest parts of about one length, at most `TILE`; both ends included."""
    parts = math.ceil(side / TILE)
    return [round(side * part / parts) for part in range(parts + 1)]

SIZE = 384  # pixels of the shorter side at which strokes are painted
SIZES = (64, 2048)
BRUSHES = (0.5, 2.0)
TONE = 0.5  # at 1 a snow scene turns as dark as its Rembrandt
COLOR = 0.8  # at 1 skin and sky are of one hue where a painting has but one
PANORAMA = 4  # times the shorter side: a photo that is longer is painted at a smaller size


@dataclass(frozen=True)
class Controls:
    """How a style is painted, beside its strength; `StyleTransferPipeline.__call__` says what each means."""

    tone: float = TONE
    color: float = COLOR
    brush: float = 1.0
    size: int = SIZE

    def __post_init__(self):
        check_number("tone", self.tone, 1)
        check_number("color", self.color, 1)
        check_number("brush", self.brush, BRUSHES[1], BRUSHES[0])
        check_number("size", self.size, SIZES[1], SIZES[0])


class Painter:
    """What pipelines with a `stylizer`, an `encoder` and an `enlarger`, perhaps None, do with one photo.

    Packages carry this file, and those of the house that it imports, for people without styletransfer.
    """

    def check_fit(self, style: Style) -> None:
        size, wanted = style.codes.shape[1], self.stylizer.config.code_size
        if size != wanted:
            raise ValueError(f"style {style.name!r} has codes of {size} floats, this package takes {wanted}")
        if wrong := misfits(self.stylizer, style.adapter):
            raise ValueError(f"style {style.name!r} was learned for another network: {wrong[0]} does not fit")

    def paint(
        self,
        photo: Image.Image,
        mask: Image.Image | None,
        parts: list[tuple[Style, float]],
        controls: Controls,
        progress: Callable[[float], None] | None = None,
    ) -> Image.Image:
        """The painting of an upright `photo`, of its size, with its transparency."""
        where = None if mask is None else to_mask(mask, photo.size)
        total = sum(weight for _, weight in parts)
        if not total:
            return photo.copy()
        gate = min(total, 1.0)
        small = shrunk(photo, working_size(photo.size, controls))
        pixels = to_tensor(small)
        colors = self.colors(Palette.of(pixels), parts, gate * controls.tone, gate * controls.color)
        base = recolor(pixels, *colors).to(self._execution_device)
        painted = self.render(base, parts, Palette.of(pixels))
        painted = base + (painted - base) / gate  # the strokes alone, which are blended at the size of the photo
        if controls.color < 1:
            painted = keep_color(painted, base, 1 - controls.color)
        painting = enlarge(self.enlarger, to_pil(painted.clamp(-1, 1)), photo.size, progress)
        if gate < 1 or where is not None:
            blend(photo, painting, colors, gate, where)
        painting.info = dict(photo.info)
        if photo.mode == "RGBA":
            painting.putalpha(photo.getchannel("A"))
        return painting

    def colors(self, photo: Palette, parts: list[tuple[Style, float]], tone: float, color: float) -> tuple[Tensor, Tensor]:
        """The map of colours of a photo with this palette: the mean of the maps to each style's, by their weights."""
        total = sum(weight for _, weight in parts)
        matrix, offset = torch.eye(3), torch.zeros(3)
        for style, weight in parts:
            if style.palettes:
                one, shift = transport(photo, style.palettes[style.nearest(photo)], tone, color)
                matrix, offset = matrix + weight / total * (one - torch.eye(3)), offset + weight / total * shift
        return matrix, offset

    def render(self, base: Tensor, parts: list[tuple[Style, float]], photo: Palette) -> Tensor:
        """What the generator makes of the recoloured photo `base` (1, 3, H, W), whose palette was `photo`."""
        weights = base.new_tensor([weight for _, weight in parts])
        codes = torch.stack([style.codes[style.nearest(photo)] for style, _ in parts]).to(base.device)
        added: dict[str, Tensor] = {}
        for (style, _), share in zip(parts, weights / weights.sum(), strict=True):
            factors = {name: factor.to(base.device) for name, factor in style.adapter.items()}
            for name, change in changes(factors).items():
                added[name] = added.get(name, 0) + share * change
        added = {name: change.to(self.stylizer.dtype) for name, change in added.items()}
        height, width = base.shape[-2:]
        with self.precision(self.stylizer):
            return adapted(self.stylizer, added, at_least(base), mix(codes, weights)[None])[..., :height, :width].float()

    def code_of(self, painting: Tensor) -> Tensor:
        """Code (D,) of `painting` (1, 3, H, W)."""
        with self.precision(self.encoder):
            return unit(self.encoder(at_least(painting))[0].float())

    def precision(self, network) -> torch.autocast:
        # weights of half precision work on float32 pictures: only the network's residual is rounded, never the photo
        return torch.autocast(self._execution_device.type, network.dtype, enabled=network.dtype != torch.float32)


def shrunk(photo: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The colours of an upright `photo` at `size`, those of transparent pixels, too."""
    colours = photo if photo.mode == "RGB" else photo.convert("RGB")
    return colours.resize(size, Image.Resampling.BICUBIC, reducing_gap=3)


def working_size(size: tuple[int, int], controls: Controls) -> tuple[int, int]:
    """Width and height at which a photo of this `size` is painted: the same for its thumbnail and its original."""
    short = max(round(controls.size / controls.brush), 16)
    scale = min(short / min(size), PANORAMA * short / max(size))
    return tuple(max(round(side * scale), 1) for side in size)


def blend(
    photo: Image.Image, painting: Image.Image, colors: tuple[Tensor, Tensor], gate: float, mask: Image.Image | None
) -> None:
    """Leave the part `gate` of the `painting` over the recoloured `photo`; where `mask` is black it becomes the photo itself."""
    for top in range(0, photo.height, STRIP):
        box = (0, top, photo.width, min(top + STRIP, photo.height))
        before = to_tensor(photo.crop(box))
        after = torch.lerp(recolor(before, *colors), to_tensor(painting.crop(box)), gate)
        if mask is not None:
            after = torch.lerp(before, after, mask_to_tensor(mask.crop(box)))
        painting.paste(to_pil(after), box)


def check_number(name: str, value: float, top: float, bottom: float = 0) -> None:
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value) or not bottom <= value <= top:
        raise ValueError(f"{name} must be a number from {bottom} to {top}, got {value!r}")


class StyleTransferPipeline(Painter, DiffusionPipeline):
    """Paint photos in the styles of the package, in mixtures of them, or in the style of any painting."""

    _optional_components: ClassVar = ["enlarger"]

    def __init__(self, stylizer: ModelMixin, encoder: ModelMixin, enlarger: ModelMixin | None = None):
        super().__init__()
        self.register_modules(stylizer=stylizer, encoder=encoder, enlarger=enlarger)
        self.named: dict[str, Style] = {}

    @property
    def styles(self) -> list[str]:
        """Names of the styles."""
        if not self.named:
            folder = Path(self.stylizer.config._name_or_path).parent
            if folder.parent.name == "snapshots":
                # diffusers fetched the networks into this snapshot, and nothing that it does not know; nor does it pass on its
                # token, so a private repository needs one that is saved or in HF_TOKEN
                cache, name = folder.parents[2], self.config._name_or_path
                snapshot_download(name, revision=folder.name, cache_dir=cache, allow_patterns="styles/*.safetensors")
            for path in sorted(folder.glob("styles/*.safetensors")):
                self.add_style(Style.load(path))
        return list(self.named)

    def add_style(self, style: Style) -> None:
        """Add a style, such as `Style.load("my-style.safetensors")`."""
        self.check_fit(style)
        self.named[style.name] = style

    @torch.no_grad()
    def __call__(
        self,
        image: Image.Image,
        style: str | dict[str, float] | Image.Image,
        strength: float = 1.0,
        mask: Image.Image | None = None,
        tone: float = TONE,
        color: float = COLOR,
        brush: float = 1.0,
        size: int = SIZE,
    ) -> ImagePipelineOutput:
        """Paint `image` by the name of a style, weights of several, or a painting. Strength 0 is the photo, 1 the style.

        `mask`: white is painted, black stays. `tone` and `color`: how far lightness and colours move to those of the style, 0 to
        1. `brush`: from 0.5, fine strokes, to 2, broad ones. `size`: shorter side in pixels at which strokes are painted.
        """
        if isinstance(style, Image.Image):
            pixels = to_tensor(style)
            code = self.code_of(pixels.to(self._execution_device))
            parts = [(Style(code[None], "painting", (Palette.of(pixels),)), strength)]
        else:
            weights = {style: 1.0} if isinstance(style, str) else style
            if unknown := [name for name in weights if name not in self.styles]:
                raise ValueError(f"there is no style {unknown[0]!r}, only {', '.join(self.styles)}")
            parts = [(self.named[name], strength * weight) for name, weight in weights.items()]
        painting = self.paint(upright(image), mask, parts, Controls(tone, color, brush, size))
        return ImagePipelineOutput(images=[painting])
