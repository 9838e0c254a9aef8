"""What there is to know about a picture file before it is trained on, found out in a few milliseconds."""

import dataclasses
import hashlib
import io
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps
from tqdm import tqdm

COSINES = np.cos(np.pi / 32 * (np.arange(32) + 0.5) * np.arange(16)[:, None])  # (16, 32), the slow waves of a DCT


@dataclass(frozen=True)
class Picture:
    """A file, and what is wrong with it (`fault`) or what it shows. A cache of another version of these fields is not used."""

    path: Path
    bytes: int
    changed: int
    """Time of its last change in nanoseconds."""
    digest: str = ""
    """Of the file's bytes: equal for copies."""
    look: str = ""
    """Perceptual hash, 256 bits in hexadecimal: near for pictures that look alike."""
    width: int = 0
    height: int = 0
    mode: str = ""
    """Of the colours, as Pillow calls it."""
    contrast: float = 0.0
    """Standard deviation of the brightness, 0..127."""
    color: float = 0.0
    """Mean distance between the strongest and the weakest of the three colours, 0..255."""
    transparent: bool = False
    fault: str = ""

    @property
    def shortest(self) -> int:
        return min(self.width, self.height)

    @property
    def deep(self) -> bool:
        """Whether a pixel has more than 8 bits of one brightness; Pillow clips them to white."""
        return self.mode.startswith(("I", "F"))

    def is_current(self) -> bool:
        status = self.path.stat()
        return (self.bytes, self.changed) == (status.st_size, status.st_mtime_ns)


def files(folder: Path) -> list[Path]:
    """Every file below a folder that a training would read: all but hidden ones. Of a single picture, itself."""
    if folder.is_file():
        return [folder]
    return sorted(p for p in folder.rglob("*") if p.is_file() and not any(q.startswith(".") for q in p.relative_to(folder).parts))


def inspect(path: Path) -> Picture:
    """Read and decode one file. JPEG is decoded small, which is as strict and several times as fast."""
    status = path.stat()
    facts = {"path": path, "bytes": status.st_size, "changed": status.st_mtime_ns}
    try:
        content = path.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            mode, (width, height) = image.mode, image.size
            image.draft(None, (64, 64))
            if image.getexif().get(ExifTags.Base.Orientation) in (5, 6, 7, 8):  # lies on its side
                width, height = height, width
            image = ImageOps.exif_transpose(image)
            transparent = image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] < 255
            small = image.convert("RGB").resize((32, 32), Image.Resampling.BOX)
    except Exception as error:
        fault = str(error) if str(error) and "BytesIO" not in str(error) else "not a picture"
        return Picture(**facts, fault=f"no readable picture ({type(error).__name__}: {fault})")
    pixels, gray = np.asarray(small, np.float32), np.asarray(small.convert("L"), np.float32)
    return Picture(
        **facts,
        digest=hashlib.blake2b(content, digest_size=16).hexdigest(),
        look=look(gray),
        width=width,
        height=height,
        mode=mode,
        contrast=float(gray.std()),
        color=float(np.ptp(pixels, axis=2).mean()),
        transparent=transparent,
    )


def look(gray: np.ndarray) -> str:
    """Perceptual hash of a brightness (32, 32): which of its slow waves are above the median (Zauner 2010, sec. 3.2.1).

    Of 16 x 16 waves, not 8 x 8 as there: a few plain pictures shared those by chance.
    """
    waves = (COSINES @ gray @ COSINES.T).ravel()
    return np.packbits(waves > np.median(waves[1:])).tobytes().hex()  # the first wave is the mean brightness


def inspect_all(paths: list[Path], cache: Path | None = None) -> list[Picture]:
    """Inspect every file, but take from `cache`, a JSON file, what is known of files of the same size and time."""
    known = {picture.path: picture for picture in recall(cache)} if cache else {}
    new = [path for path in paths if path not in known or not known[path].is_current()]
    with ThreadPoolExecutor() as pool:
        for picture in tqdm(pool.map(inspect, new), "checking pictures", len(new), leave=False, disable=not new):
            known[picture.path] = picture
    pictures = [known[path] for path in paths]
    if cache and new:
        remember(pictures, cache)
    return pictures


def recall(cache: Path) -> list[Picture]:
    try:
        return [Picture(**entry | {"path": Path(entry["path"])}) for entry in json.loads(cache.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError, KeyError):  # none yet, or of another version: look at all pictures again
        return []


def remember(pictures: list[Picture], cache: Path) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    part = cache.with_name(f"{cache.name}.{os.getpid()}")  # the processes of one training may all write it
    part.write_text(json.dumps([dataclasses.asdict(picture) for picture in pictures], default=str), encoding="utf-8")
    part.replace(cache)
