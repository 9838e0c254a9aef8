"""Photos and paintings from folders: checked before the first update, decoded once, cropped by position."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import Dataset
from tqdm import tqdm

from styletransfer.color import Palette, recolor, transport
from training.data.worlds import scene

PARTS = ("train", "held")
SCENES = 64  # that are drawn where there are no photos
TONES = (0.4, 1.0)  # amounts of the painting's lightness that the painter practises with


class ImageFolder:
    """Every picture below a folder, decoded once and kept in memory as bytes.

    Args:
        root: Searched with its sub-folders, or a single picture; hidden files are skipped, anything else must be a picture.
        shortest: Side of the crops; a shorter picture is refused.
        part: "held" for every tenth picture, "train" for the others, None for all. Fewer than ten are not parted.
        detail: Pictures are shrunk until their shorter side is at most this many crops.

    Raises:
        ValueError: naming every file that is broken, too small or no picture, before training starts.
    """

    def __init__(self, root: Path, shortest: int, part: str | None = None, detail: float = 2):
        if not root.exists():
            raise ValueError(f"no folder of pictures at {root}")
        paths = sorted(
            p for p in root.rglob("*") if p.is_file() and not any(q.startswith(".") for q in p.relative_to(root).parts)
        )
        if root.is_file():
            paths = [root]
        if not paths:
            raise ValueError(f"the folder {root} holds no pictures")
        if part is not None and len(paths) >= 10:
            paths = [path for number, path in enumerate(paths) if (number % 10 == 9) == (part == "held")]
        with ThreadPoolExecutor() as pool:
            results = list(
                tqdm(
                    pool.map(lambda path: decode(path, shortest, detail), paths), f"reading {root.name}", len(paths), leave=False
                )
            )
        faults = [result for result in results if isinstance(result, str)]
        if faults:
            raise ValueError(f"{len(faults)} of {len(paths)} files in {root} cannot be used:\n  " + "\n  ".join(faults))
        self.paths, self.images = paths, results

    def __len__(self) -> int:
        return len(self.images)


def decode(path: Path, shortest: int, detail: float = 2) -> Image.Image | str:
    """The picture at `path`, right way up, in RGB; or a sentence about what is wrong with it."""
    try:
        with Image.open(path) as image:
            image = ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:
        return f"{path}: no readable picture ({type(error).__name__}: {error})"
    if min(image.size) < shortest:
        return f"{path}: {image.width} x {image.height} pixels, but the crop needs {shortest}; use a smaller --data.crop"
    most = round(detail * shortest)
    if min(image.size) > most:
        image = ImageOps.contain(image, (most, 10**6) if image.width < image.height else (10**6, most))
    return image


def random_crop(image: Image.Image, size: int, scale: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """A square of `size` pixels, uint8 (size, size, 3), mirrored half of the time.

    It is cut with a side of `scale` times the shorter side of the image, never less than half of `size`.
    """
    side = max(min(image.size) * rng.uniform(*scale), size / 2)
    left, top = rng.uniform(0, image.width - side), rng.uniform(0, image.height - side)
    box = (left, top, left + side, top + side)
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC, box=box, reducing_gap=2))
    return np.ascontiguousarray(pixels[:, ::-1]) if rng.random() < 0.5 else pixels


def to_tensor(pixels: np.ndarray) -> torch.Tensor:
    """A picture, uint8 (H, W, 3), as a network takes it: (3, H, W) in [-1, 1]."""
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1)


class PhotosAndPaintings(Dataset):
    """Sample number `position` of an endless stream: a crop of a photo, the same in the palette of a painting, a crop of that.

    Folders of paintings are drawn evenly, whatever their size. Everything about a sample follows from (seed, position) alone, so
    a resumed training sees the same samples as one that ran through.

    Args:
        photos: Folder of photos; None draws scenes.
        paintings: Folder of paintings, or of folders of them, which then come up equally often.
        crop: Side of the square crops in pixels.
        part: "train" or "held", as `ImageFolder` parts them; the two share no picture.
        photo_scale, painting_scale: Range of the crop's side relative to the shorter side of the picture.
    """

    def __init__(
        self,
        photos: Path | None,
        paintings: Path,
        crop: int,
        seed: int = 0,
        part: str = "train",
        photo_scale: tuple[float, float] = (0.55, 1.0),
        painting_scale: tuple[float, float] = (0.45, 0.85),
    ):
        folders = sorted(p for p in paintings.glob("*") if p.is_dir() and not p.name.startswith("."))
        rng = np.random.default_rng([PARTS.index(part), seed])
        scenes = [Image.fromarray(scene(crop, rng)) for _ in range(SCENES)] if photos is None else []
        self.photos = Palettes(scenes or ImageFolder(photos, crop, part).images)
        self.groups = [
            Palettes(ImageFolder(folder, crop, part, 1 / painting_scale[0]).images) for folder in folders or [paintings]
        ]
        self.first = [sum(len(group.images) for group in self.groups[:number]) for number in range(len(self.groups))]
        self.crop, self.seed, self.part = crop, seed, PARTS.index(part)
        self.photo_scale, self.painting_scale = photo_scale, painting_scale

    def __getitem__(self, position: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.part, self.seed, position])
        group = int(rng.integers(len(self.groups)))
        number = int(rng.integers(len(self.groups[group].images)))
        painting, target = self.groups[group][number]
        photo, source = self.photos[int(rng.integers(len(self.photos.images)))]
        pixels = to_tensor(random_crop(photo, self.crop, self.photo_scale, rng))
        matrix, offset = transport(source, target, tone=rng.uniform(*TONES))
        return {
            "photo": pixels,
            "recolored": recolor(pixels[None], matrix, offset)[0],
            "painting": to_tensor(random_crop(painting, self.crop, self.painting_scale, rng)),
            "label": torch.tensor(self.first[group] + number),
        }


class Palettes:
    """Pictures, each with the palette of the whole of it."""

    def __init__(self, images: list[Image.Image]):
        self.images = images
        self.palettes = [
            Palette.of(to_tensor(np.asarray(image.resize((64, 64), Image.Resampling.BOX)))[None]) for image in images
        ]

    def __getitem__(self, number: int) -> tuple[Image.Image, Palette]:
        return self.images[number], self.palettes[number]
