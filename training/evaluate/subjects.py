"""What is judged of a package: its results, what a package that does nothing would give, and the real pictures."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from styletransfer import open_image
from styletransfer.images import to_pil
from styletransfer.pipelines.generation import GenerationPipeline
from styletransfer.pipelines.photo import PhotoPipeline
from training.data.folders import held_out
from training.evaluate.describe import SMALL
from training.evaluate.independent import named_paintings
from training.evaluate.metrics.pictures import SIDE, standard

MOST = 200  # pictures of a folder, unless told otherwise
PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Subject:
    """
    Args:
        photos: What the results of every look are compared with, in their order; none for pictures from noise.
        copies: What a package that does nothing would give.
        looks: Real pictures by style or domain; the name is None where a package has one look.
        make: The results of a look, of its pipeline as people call it.
        side: Pixels of the standard pictures.
        jpeg: Whether results and copies pass through JPEG, because the real pictures did; not where all have `side` pixels.
        protocol: All this in words.
    """

    photos: list[Image.Image]
    copies: list[Image.Image]
    looks: dict[str | None, list[Path]]
    make: Callable[[str | None], Iterable[Image.Image]]
    side: int
    jpeg: bool
    protocol: str
    warnings: tuple[str, ...] = ()

    @property
    def single(self) -> dict[str, Path]:
        """The painting of each style that is made of one."""
        return {look: files[0] for look, files in self.looks.items() if look is not None and len(files) == 1}

    def read(self, path: Path) -> Image.Image:
        """A real picture: as it is, or of the size of the results where that is fixed."""
        picture = open_image(path)
        return picture if self.jpeg else to_pil(standard(picture, self.side))


def subject(
    pipe: PhotoPipeline | GenerationPipeline,
    photos: Path | None,
    paintings: Path | None,
    limit: int | None,
    held: bool = False,
    names: Path | None = None,
) -> Subject:
    """
    Args:
        held: Whether to take the photos alone that training holds out of their folder.
        names: A json of the names of the styles' paintings, as `named_paintings` reads it.
    """
    if pipe.task.takes == "noise":
        return from_noise(pipe, paintings, limit or MOST)
    if photos is None:
        raise ValueError("give photos to judge by: --photos DIR")
    files = evenly(held_out(photos), limit or MOST) if held else listed(photos, limit or MOST)
    if len(files) < 2:
        raise ValueError(f"at least two photos are needed, {photos} has {len(files)}")
    if pipe.scale > 1:
        return enlarged(pipe, files, paintings, limit or MOST)
    if paintings is None:
        raise ValueError("give real paintings to judge by: --paintings DIR, with a painting or a sub-folder for each style")
    single = {style: [path] for style, path in named_paintings(pipe.styles, paintings, names).items()}
    looks = {
        name: found
        for name in pipe.looks
        if (found := single.get(name)) or len(found := listed(folder_of(paintings, name), limit or MOST)) > 1
    }
    missing = [name or "them" for name in pipe.looks if name not in looks]
    if not looks:
        single_or = "a painting of its name, or " if pipe.styles else ""
        raise ValueError(f"{paintings} must have {single_or}two pictures or more in a folder for each of {', '.join(missing)}")
    pictures = [open_image(path) for path in files]

    def make(look: str | None) -> Iterable[Image.Image]:
        return (pipe(picture, look).images[0] for picture in pictures)

    protocol = (
        f"shorter side {SIDE} px, centre crop {SIDE} x {SIDE}; results and photos pass through JPEG quality 90, "
        f"as paintings did; {SMALL} px for the sliced Wasserstein distance"
    )
    warnings = (
        (f"no score for {', '.join(missing)}: {paintings} has no painting of their names, nor two in folders",) if missing else ()
    )
    return Subject(pictures, pictures, looks, make, SIDE, True, protocol, warnings)


def enlarged(pipe: PhotoPipeline, files: list[Path], paintings: Path | None, limit: int) -> Subject:
    """Photos are shrunk first, and the results compared with what they were; the copy is a bicubic enlargement."""
    pictures = [to_pil(standard(open_image(path))) for path in files]
    small = [picture.resize((SIDE // pipe.scale,) * 2, Image.Resampling.BICUBIC) for picture in pictures]
    copies = [picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC) for picture in small]
    real = listed(paintings, limit) if paintings else files
    protocol = f"photos of {SIDE} x {SIDE} px, shrunk {pipe.scale} times and enlarged again; the copy is a bicubic enlargement"
    return Subject(pictures, copies, {None: real}, lambda look: (pipe(x).images[0] for x in small), SIDE, False, protocol)


def from_noise(pipe: GenerationPipeline, pictures: Path | None, limit: int) -> Subject:
    """As many pictures as there are real ones, from the seeds 0, 1, 2, ...; the copy is a single real one over and over."""
    if pictures is None:
        raise ValueError("give real pictures of what the package makes from noise: --paintings DIR")
    files = listed(pictures, limit)
    if len(files) < 2:
        raise ValueError(f"at least two real pictures are needed, {pictures} has {len(files)}")
    side = min(pipe(0).images[0].size)
    copies = [to_pil(standard(open_image(files[0]), side))] * len(files)
    protocol = f"{side} x {side} px; seeds 0 to {len(files) - 1}; the copy is one real picture over and over"
    return Subject([], copies, {None: files}, lambda look: pipe(list(range(len(files)))).images, side, False, protocol)


def folder_of(paintings: Path, look: str | None) -> Path:
    return paintings if look is None else paintings / look


def listed(folder: Path, limit: int) -> list[Path]:
    """At most `limit` pictures of `folder`, evenly spread over their names."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES and p.name[0] != ".") if folder.is_dir() else []
    return evenly(paths, limit)


def evenly(paths: list[Path], count: int) -> list[Path]:
    """At most `count` of the `paths`, from the first to the last."""
    return paths if len(paths) <= count else [paths[int(at)] for at in torch.linspace(0, len(paths) - 1, count)]
