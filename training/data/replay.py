"""Rehearsal of the old styles of a painter, against forgetting: their paintings, or new ones that the painter itself makes.

A network that learns new domains alone forgets the others (French 1999). What is given or painted here is trained on beside the
new paintings, as deep generative replay does (Shin et al. 2017, https://arxiv.org/abs/1705.08690, sec. 3).
"""

import json
import random
import shutil
from collections import Counter
from pathlib import Path

from PIL import Image, ImageOps
from tqdm import tqdm

from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from styletransfer.styles import check_name
from training.check.domains import subfolders
from training.check.pictures import files
from training.data.folders import decode

EVERY, MOST = 5, 24  # every fifth picture is held out, but no more than these
SIDE = 1.5  # of the paintings that are made, in crops
MADE = "replay.json"  # in the folder: that it is one of these, and how many paintings of each style the painter made


def arrange(
    folder: Path,
    painter: StyleTransferPipeline,
    photos: Path,
    paintings: Path,
    crop: int,
    given: Path | None = None,
    count: int = 32,
    seed: int = 0,
) -> None:
    """Lay out `folder` as {train,held}/{photos,paintings/<style>}, as `training.data.split` does, by links and new paintings.

    Every style of `painter` has held-out paintings, and every style of `paintings` is trained on.

    Args:
        folder: A new one. It is there as a whole or, if this is interrupted, not at all.
        painter: Paints the old styles that nobody has paintings of.
        photos: Folder of photos, some of which are held out.
        paintings: Folder with a sub-folder for each style to learn, new or old.
        crop: Side of the training crops in pixels; paintings get the size at which their strokes suit it.
        given: Folder with sub-folders of paintings of other old styles.
        count: Paintings to make of each old style that is in neither folder; 0 makes none to train on.
        seed: Decides which photos are painted.

    Raises:
        ValueError: if there are no styles to learn, a folder's name cannot be that of a style, none in `given` is that of an old
            one, a folder of pictures is empty, or a photo to paint is broken.
    """
    new, old = subfolders(paintings), subfolders(given) if given else {}
    if not new:
        raise ValueError(f"{paintings} must hold one folder of paintings for each style, and holds none")
    for name in new:
        check_name(name)
    if given and not old.keys() & {*painter.styles}:
        raise ValueError(f"{given} must hold folders of paintings of old styles, which are {', '.join(painter.styles)}")
    train, held = parted(photos)
    # what is scored later is painted by the old painter too: the references must be of other photos
    references, scored = (held[::2], held[1::2]) if len(held) > 1 else (held, held)
    orders: list[tuple[Path, str, Path]] = []  # photo, style, file to paint it into
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    link(train, part / "train" / "photos")
    link(scored, part / "held" / "photos")
    for style in sorted({*painter.styles, *new}):
        places = [part / name / "paintings" / style for name in ("train", "held")]
        source = new.get(style) or old.get(style)
        if source is None:
            chosen = random.Random(f"{seed} {style}").sample(train, min(count, len(train)))
            for pictures, place in zip((chosen, references), places, strict=True):
                orders += [(photo, style, place / f"{number:04d}.jpg") for number, photo in enumerate(pictures)]
        elif style in painter.styles:
            for pictures, place in zip(parted(source), places, strict=True):
                link(pictures, place)
        else:
            link(files(source), places[0])
    for photo, style, file in tqdm(orders, "painting the old styles", unit="painting", disable=not orders):
        image = decode(photo, crop)
        if isinstance(image, str):
            raise ValueError(image)
        file.parent.mkdir(parents=True, exist_ok=True)
        # a crop of a painting is 0.65 of its side on average (PhotosAndPaintings), here that of a training crop: strokes keep
        # their size
        painter(smaller(image, round(SIDE * crop)), style).images[0].save(file, quality=95)
    painted = Counter(style for _, style, file in orders if file.is_relative_to(part / "train"))
    (part / MADE).write_text(json.dumps({"painted": painted}) + "\n", encoding="utf-8")
    part.replace(folder)


def parted(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures to train on and pictures held out. Fewer than ten are not parted, and serve as both."""
    pictures = files(folder) if folder.is_dir() else []
    if not pictures:
        raise ValueError(f"the folder {folder} holds no pictures")
    if len(pictures) < 10:
        return pictures, pictures
    held = pictures[EVERY - 1 :: EVERY][:MOST]
    return sorted({*pictures} - {*held}), held


def link(pictures: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True)
    for number, path in enumerate(pictures):  # files of sub-folders may share their names
        (folder / f"{number:04d}-{path.name}").symlink_to(path.resolve())


def smaller(image: Image.Image, shortest: int) -> Image.Image:
    if min(image.size) <= shortest:
        return image
    return ImageOps.cover(image, (shortest, shortest), Image.Resampling.LANCZOS)
