"""Photos and paintings from folders: checked before the first update, decoded once, cropped by position."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import Dataset
from tqdm import tqdm

from styletransfer.color import Palette, recolor, transport
from training.data.worlds import scene
from training.options import Crops, Labelled

PARTS = ("train", "held")
SCENES = 64  # that are drawn where there are no photos
SHRUNK = (1.2, 2.0)  # side of a detailed crop before it is shrunk, in crops: pictures are seldom sharp to the last pixel
TONES = (0.4, 1.0)  # amounts of the painting's lightness that the painter practises with


class ImageFolder:
    """Every picture below a folder, decoded once and kept in memory as bytes.

    Args:
        root: Searched with its sub-folders, or a single picture; hidden files are skipped, anything else must be a picture.
        shortest: The crop. A picture whose shorter side is shorter is refused.
        part: "held" for every tenth picture, "train" for the others, None for all. Fewer than ten are not parted.
        limit: Pictures are shrunk until their shorter side is at most so many crops; infinity keeps their pixels.

    Raises:
        ValueError: naming every file that is broken, too small or no picture, before training starts.
    """

    def __init__(self, root: Path, shortest: int, part: str | None = None, limit: float = 2):
        paths = picture_files(root, part)
        with ThreadPoolExecutor() as pool:
            results = list(
                tqdm(pool.map(lambda path: decode(path, shortest, limit), paths), f"reading {root.name}", len(paths), leave=False)
            )
        faults = [result for result in results if isinstance(result, str)]
        if faults:
            raise ValueError(f"{len(faults)} of {len(paths)} files in {root} cannot be used:\n  " + "\n  ".join(faults))
        self.paths, self.images = paths, results

    def __len__(self) -> int:
        return len(self.images)


def picture_files(root: Path, part: str | None = None) -> list[Path]:
    """Files below `root`, hidden ones left out, or `root` itself; of ten and more the `part` that `ImageFolder` takes.

    Raises:
        ValueError: where there is no picture.
    """
    if not root.exists():
        raise ValueError(f"no folder of pictures at {root}")
    paths = sorted(p for p in root.rglob("*") if p.is_file() and not any(q.startswith(".") for q in p.relative_to(root).parts))
    if root.is_file():
        paths = [root]
    if not paths:
        raise ValueError(f"the folder {root} holds no pictures")
    held = paths[9::10]
    if part is None or not held:
        return paths
    return held if part == "held" else [path for path in paths if path not in {*held}]


def held_out(root: Path) -> list[Path]:
    """The pictures below `root` that a training on it never sees: every tenth, and none of fewer than ten."""
    paths, trained = picture_files(root), {*picture_files(root, "train")}
    return [path for path in paths if path not in trained]


def scored_on(folders: Iterable[Path]) -> str:
    """What the samples of part "held" of these folders are, in words. Where there is no folder, they are other drawn scenes."""
    held = [bool(held_out(folder)) for folder in folders]
    if all(held):
        return "held-out data"
    return "partly held-out data" if any(held) else "training data"


def domain_folders(root: Path) -> list[Path]:
    return sorted(p for p in root.glob("*") if p.is_dir() and not p.name.startswith("."))


def painting_folders(root: Path) -> list[Path]:
    """The folders of paintings in `root`, or else `root`."""
    return domain_folders(root) or [root]


def held_paintings(root: Path) -> list[Path]:
    """Files that `PhotosAndPaintings` holds out."""
    return [path for folder in painting_folders(root) for path in held_out(folder)]


def folders_of(data: Crops) -> list[Path]:
    """The folders that a training draws its pictures from, each of which is parted for itself; none where it draws scenes."""
    folders = {name: folder for name, folder in vars(data).items() if isinstance(folder, Path)}
    if isinstance(data, Labelled) and folders:
        return domain_folders(data.folder)
    return [part for name, folder in folders.items() for part in (painting_folders(folder) if name == "paintings" else [folder])]


def decode(path: Path, shortest: int, limit: float = 2) -> Image.Image | str:
    """The picture at `path`, right way up, in RGB; or a sentence about what is wrong with it."""
    try:
        with Image.open(path) as image:
            image = ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:
        return f"{path}: no readable picture ({type(error).__name__}: {error})"
    if min(image.size) < shortest:
        return f"{path}: {image.width} x {image.height} pixels, but the crop needs {shortest}; use a smaller --data.crop"
    if min(image.size) > limit * shortest:
        most = round(limit * shortest)
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


def detailed_crop(image: Image.Image, size: int, rng: np.random.Generator) -> np.ndarray:
    """As `random_crop`, with the finest detail of the image: half of the crops are its pixels, half are shrunk a little."""
    side = size if rng.random() < 0.5 else min(round(size * rng.uniform(*SHRUNK)), *image.size)
    left, top = (int(rng.integers(length - side + 1)) for length in image.size)
    cut = image.crop((left, top, left + side, top + side))
    pixels = np.asarray(cut if side == size else cut.resize((size, size), Image.Resampling.LANCZOS))
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
        replay: Older paintings, or folders of them, that half of the samples are of.
        parted: Whether the parts have other paintings, or other photos alone.
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
        replay: Path | None = None,
        parted: bool = True,
    ):
        self.crop, self.seed, self.part = crop, seed, PARTS.index(part)
        rng = np.random.default_rng([self.part, seed])
        scenes = [Image.fromarray(scene(crop, rng)) for _ in range(SCENES)] if photos is None else []
        self.photos = Palettes(scenes or ImageFolder(photos, crop, part).images)
        new, old = painting_folders(paintings), [] if replay is None else painting_folders(replay)
        part, limit = part if parted else None, 1 / painting_scale[0]
        self.groups = [Palettes(ImageFolder(group, crop, part, limit).images) for group in (*new, *old)]
        self.first = [sum(len(group.images) for group in self.groups[:number]) for number in range(len(self.groups))]
        self.new = len(new)  # groups that are not replayed
        self.photo_scale, self.painting_scale = photo_scale, painting_scale

    @property
    def paintings(self) -> list[Image.Image]:
        """All of them, in the order of their labels."""
        return [painting for group in self.groups for painting in group.images]

    def __getitem__(self, position: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng([self.part, self.seed, position])
        old = self.new < len(self.groups) and position % 2
        group = int(rng.integers(self.new, len(self.groups)) if old else rng.integers(self.new))
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
