"""Endless streams of samples for every kind of supervision, from folders of pictures or from drawn scenes.

Sample number `position` follows from (seed, position) alone, so a resumed training sees the same samples as one that ran through.
Part "held" holds other pictures than part "train": other scenes, or every tenth file of a folder. A folder of fewer than ten is
not parted, and both are the whole of it.

    >>> data = unpaired(Unpaired(world="hatching", crop=64), seed=0)
    >>> data[0]["a"].shape
    torch.Size([3, 64, 64])
"""

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from training.data.degrade import shrunk
from training.data.folders import PARTS, ImageFolder, detailed_crop, domain_folders, random_crop, to_tensor
from training.data.worlds import RENDERERS, scene
from training.options import Labelled, Pairs, Pictures, Unpaired

SCALE = (0.6, 1.0)  # side of a crop, relative to the shorter side of its picture

Draw = Callable[[np.random.Generator], np.ndarray]  # makes a picture, uint8 (S, S, 3)


class Stream(Dataset):
    """Sample number `position` is what `sample` makes of a random generator that belongs to this number.

    `sample` can be pickled, for data loaders with processes of their own. `domains` are the names of the labels.
    """

    def __init__(self, sample: Callable[[np.random.Generator], dict], seed: int, part: str, domains: tuple[str, ...] = ()):
        self.sample, self.seed, self.part, self.domains = sample, seed, PARTS.index(part), list(domains)
        cv2.setNumThreads(0)  # pictures are small, and its threads do not survive the fork of a data loader

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        sample = self.sample(np.random.default_rng([self.part, self.seed, position]))
        return {
            name: to_tensor(value) if isinstance(value, np.ndarray) else torch.tensor(value) for name, value in sample.items()
        }


def pictures(config: Pictures, seed: int, part: str = "train") -> Stream:
    """Samples {"real"}."""
    return Stream(partial(independent, {"real": rendered(source(config.folder, config.crop, part), config.world)}), seed, part)


def enlargements(config: Pictures, scale: int, seed: int, part: str = "train") -> Stream:
    """Samples {"real", "small"}: crops with the finest detail of their pictures, and these at 1 / `scale` of their size."""
    draw = partial(scene, config.crop)
    if config.folder is not None:
        draw = partial(detail_of_one, ImageFolder(config.folder, config.crop, part, limit=math.inf).images, config.crop)
    return Stream(partial(with_shrunk, rendered(draw, config.world), scale), seed, part)


def unpaired(config: Unpaired, seed: int, part: str = "train") -> Stream:
    """Samples {"a", "b"} of different pictures: no file of a folder ever serves as both."""
    if (config.b is None) == (config.world is None):
        raise ValueError("unpaired training needs a target: either --data.b, a folder, or --data.world, and not both")
    if config.b is not None:
        if config.a is None:
            raise ValueError("--data.b needs --data.a too: drawn scenes are translated to a --data.world only")
        first, second = source(config.a, config.crop, part), source(config.b, config.crop, part)
    elif config.a is None:
        first = second = source(None, config.crop, part)
    else:
        files = ImageFolder(config.a, config.crop, part).images
        if len(files) < 2:
            raise ValueError(f"the {part} part of {config.a} holds {len(files)} picture, and each of a and b needs its own")
        first, second = partial(crop_of_one, files[::2], config.crop), partial(crop_of_one, files[1::2], config.crop)
    return Stream(partial(independent, {"a": first, "b": rendered(second, config.world)}), seed, part)


def pairs(config: Pairs | Unpaired, seed: int, part: str = "train") -> Stream:
    """Samples {"source", "target"}; with a world, the target is the true rendering of the very source."""
    folder, targets = (config.source, config.target) if isinstance(config, Pairs) else (config.a, None)
    if targets is not None:
        if folder is None or config.world is not None:
            raise ValueError("--data.target needs --data.source, and no --data.world")
        return Stream(matching_crops(folder, targets, config.crop, part), seed, part)
    if config.world is None:
        raise ValueError("pairs need a --data.world, or two folders that hold them")
    return Stream(partial(with_rendering, source(folder, config.crop, part), config.world), seed, part)


def labelled(config: Labelled, seed: int, part: str = "train") -> Stream:
    """Samples {"image", "label", "target"}: domains are drawn evenly, and the target is any other than the label."""
    if config.folder is None:
        domains = ("plain", *config.worlds)
        scenes = source(None, config.crop, part)
        draws = [scenes, *(rendered(scenes, world) for world in config.worlds)]
    else:
        folders = domain_folders(config.folder)
        domains = tuple(folder.name for folder in folders)
        draws = [source(folder, config.crop, part) for folder in folders]
    if len(domains) < 2:
        raise ValueError(f"two domains or more are needed, got {', '.join(domains) or 'none'}")
    return Stream(partial(of_a_domain, draws), seed, part, domains)


# --- samples ---


def independent(draws: dict[str, Draw], rng: np.random.Generator) -> dict:
    return {name: draw(rng) for name, draw in draws.items()}


def with_rendering(draw: Draw, world: str, rng: np.random.Generator) -> dict:
    picture = draw(rng)
    return {"source": picture, "target": RENDERERS[world](picture, rng)}


def with_shrunk(draw: Draw, scale: int, rng: np.random.Generator) -> dict:
    picture = draw(rng)
    return {"real": picture, "small": shrunk(picture, scale, rng)}


def of_a_domain(draws: list[Draw], rng: np.random.Generator) -> dict:
    label = int(rng.integers(len(draws)))
    target = (label + int(rng.integers(1, len(draws)))) % len(draws)
    return {"image": draws[label](rng), "label": label, "target": target}


def same_crop(pairs: list[tuple[Image.Image, Image.Image]], crop: int, rng: np.random.Generator) -> dict:
    pair, place = pairs[rng.integers(len(pairs))], rng.integers(2**63)
    source, target = (random_crop(image, crop, SCALE, np.random.default_rng(place)) for image in pair)
    return {"source": source, "target": target}


# --- pictures ---


def source(folder: Path | None, crop: int, part: str) -> Draw:
    """Crops of the pictures of a folder, or drawn scenes."""
    return partial(scene, crop) if folder is None else partial(crop_of_one, ImageFolder(folder, crop, part).images, crop)


def crop_of_one(images: list[Image.Image], crop: int, rng: np.random.Generator) -> np.ndarray:
    return random_crop(images[rng.integers(len(images))], crop, SCALE, rng)


def detail_of_one(images: list[Image.Image], crop: int, rng: np.random.Generator) -> np.ndarray:
    return detailed_crop(images[rng.integers(len(images))], crop, rng)


def rendered(draw: Draw, world: str | None) -> Draw:
    return draw if world is None else partial(render, draw, world)


def render(draw: Draw, world: str, rng: np.random.Generator) -> np.ndarray:
    return RENDERERS[world](draw(rng), rng)


def matching_crops(sources: Path, targets: Path, crop: int, part: str) -> Callable[[np.random.Generator], dict]:
    """The same crop of pictures of the same name (up to the ending) in two folders."""
    first, second = ImageFolder(sources, crop, part), ImageFolder(targets, crop, part)
    names = [str(path.relative_to(sources).with_suffix("")) for path in first.paths]
    others = [str(path.relative_to(targets).with_suffix("")) for path in second.paths]
    if names != others:
        alone = sorted({*names} ^ {*others}) or sorted(names)
        raise ValueError(f"{sources} and {targets} must hold the same names once each; these differ: {', '.join(alone[:5])}")
    pairs = list(zip(first.images, second.images, strict=True))
    sizes = [name for name, (a, b) in zip(names, pairs, strict=True) if a.size != b.size]
    if sizes:
        raise ValueError(f"the pictures of a pair must have the same size; these differ: {', '.join(sizes[:5])}")
    return partial(same_crop, pairs, crop)


class CropsOfFew(Dataset):
    """Endless crops {"real"} of the first `count` pictures of the data, which are half as large again as a crop."""

    def __init__(self, config: Pictures, count: int, seed: int, part: str = "train"):
        self.seed, self.crop = seed, config.crop
        data = pictures(dataclasses.replace(config, crop=self.crop * 3 // 2), seed, part)
        self.pictures = [data[number]["real"] for number in range(count)]

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.seed, position])
        picture = self.pictures[rng.integers(len(self.pictures))]
        top, left = rng.integers(picture.shape[-1] - self.crop + 1, size=2)
        return {"real": picture[:, top : top + self.crop, left : left + self.crop]}
