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
from training.data.folders import held_out, picture_files
from training.evaluate.describe import SMALL
from training.evaluate.independent import named_paintings
from training.evaluate.metrics.pictures import SIDE, standard


@dataclass(frozen=True)
class Subject:
    """
    Args:
        photos: What the results of every look are compared with, in their order; none for pictures from noise.
        copies: What a package that does nothing would give.
        looks: Real pictures by style or domain; the name is None where a package has one look.
        make: The results of a look, of its pipeline as people call it.
        protocol: How, in words.
        side: Pixels of the standard pictures.
        jpeg: Whether results and copies pass through JPEG, because the real pictures did; not where all have `side` pixels.
    """

    photos: list[Image.Image]
    copies: list[Image.Image]
    looks: dict[str | None, list[Path]]
    make: Callable[[str | None], Iterable[Image.Image]]
    protocol: str
    side: int = SIDE
    jpeg: bool = False
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
    limit: int = 200,
    held: bool = False,
    names: Path | None = None,
) -> Subject:
    """
    Args:
        limit: Of the pictures of a folder.
        held: Whether to take the photos alone that training holds out of their folder.
        names: A json of the names of the styles' paintings, as `named_paintings` reads it.

    Raises:
        ValueError: where pictures are missing.
    """
    if pipe.task.takes == "noise":
        return from_noise(pipe, two_or_more("real pictures", "--paintings", paintings, limit))
    files = two_or_more("photos", "--photos", photos, limit, held)
    if pipe.scale > 1:
        return enlarged(pipe, files, evenly(picture_files(paintings), limit) if paintings else files)
    if paintings is None:
        raise ValueError("give real paintings to judge by: --paintings DIR, with a painting or a sub-folder for each style")
    looks = {style: [path] for style, path in named_paintings(pipe.styles, paintings, names).items()}
    for name in pipe.looks:
        folder = paintings / (name or "")
        if name not in looks and folder.is_dir() and len(found := picture_files(folder)) > 1:
            looks[name] = evenly(found, limit)
    missing = [name or "them" for name in pipe.looks if name not in looks]
    if not looks:
        single_or = "a painting of its name, or " if pipe.styles else ""
        raise ValueError(f"{paintings} must have {single_or}two pictures or more in a folder for each of {', '.join(missing)}")
    pictures = [open_image(path) for path in files]
    protocol = (
        f"shorter side {SIDE} px, centre crop {SIDE} x {SIDE}; results and photos pass through JPEG quality 90, "
        f"as paintings did; {SMALL} px for the sliced Wasserstein distance"
    )
    return Subject(
        pictures,
        pictures,
        {name: looks[name] for name in pipe.looks if name in looks},
        lambda look: (pipe(picture, look).images[0] for picture in pictures),
        protocol,
        jpeg=True,
        warnings=tuple(f"no score for {name}: {paintings} has no painting of its name, nor two in a folder" for name in missing),
    )


def enlarged(pipe: PhotoPipeline, files: list[Path], real: list[Path]) -> Subject:
    """Photos are shrunk first, and the results compared with what they were; the copy is a bicubic enlargement."""
    pictures = [to_pil(standard(open_image(path))) for path in files]
    small = [picture.resize((SIDE // pipe.scale,) * 2, Image.Resampling.BICUBIC) for picture in pictures]
    copies = [picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC) for picture in small]
    protocol = f"photos of {SIDE} x {SIDE} px, shrunk {pipe.scale} times and enlarged again; the copy is a bicubic enlargement"
    return Subject(pictures, copies, {None: real}, lambda look: (pipe(picture).images[0] for picture in small), protocol)


def from_noise(pipe: GenerationPipeline, real: list[Path]) -> Subject:
    """As many pictures as there are real ones, from the seeds 0, 1, 2, ...; the copy is a single real one over and over."""
    side = min(pipe(0).images[0].size)
    copies = [to_pil(standard(open_image(real[0]), side))] * len(real)
    protocol = f"{side} x {side} px; seeds 0 to {len(real) - 1}; the copy is one real picture over and over"
    return Subject([], copies, {None: real}, lambda look: pipe(list(range(len(real)))).images, protocol, side)


def two_or_more(what: str, option: str, folder: Path | None, limit: int, held: bool = False) -> list[Path]:
    """Pictures below `folder`, or those alone that a training on it never sees."""
    if folder is None:
        raise ValueError(f"give {what} to judge by: {option} DIR")
    files = evenly(held_out(folder) if held else picture_files(folder), limit)
    if len(files) < 2:
        raise ValueError(f"at least two {what} are needed, {folder} has {len(files)}")
    return files


def evenly(paths: list[Path], count: int) -> list[Path]:
    """At most `count` of the `paths`, from the first to the last."""
    return paths if len(paths) <= count else [paths[int(at)] for at in torch.linspace(0, len(paths) - 1, count)]
