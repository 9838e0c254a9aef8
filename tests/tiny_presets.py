"""Every preset as a training of seconds: a new one gets a row in CONFIGS, and all tests of training/test_presets.py run on it."""

from collections.abc import Callable
from pathlib import Path

from training.options import (
    Cut,
    Cyclegan,
    Data,
    Dcgan,
    Fastcut,
    Features,
    Few,
    Labelled,
    Layers,
    Painter,
    Pairs,
    Pictures,
    Pix2pix,
    Progressive,
    R3gan,
    Reference,
    Run,
    Semantic,
    Stargan,
    Superres,
    Unpaired,
    Wgan,
)

RANDOM = Features(weights="random")
PICTURES, PAIRS, UNPAIRED = Pictures(crop=32), Pairs(world="palette", crop=32), Unpaired(world="palette", crop=32)
NOISE = {"data": PICTURES, "z_size": 8, "width": 4}
SMALL = {"data": UNPAIRED, "width": 4}


def painter(pictures: Path, **run) -> Painter:
    data = Data(photos=pictures / "photos", paintings=pictures / "paintings", crop=48)
    return Painter(data=data, features=RANDOM, **run)


def row(preset: type[Run], **options) -> Callable[..., Run]:
    return lambda pictures, **run: preset(**options, **run)


# preset -> its tiny options, given the folder of pictures that the painter needs and the options of the run
CONFIGS: dict[str, Callable[..., Run]] = {
    "painter": painter,
    "dcgan": row(Dcgan, **NOISE),
    "wgan": row(Wgan, **NOISE),
    "r3gan": row(R3gan, **NOISE),
    "few": row(Few, **NOISE),
    "progressive": row(Progressive, **NOISE),
    "pix2pix": row(Pix2pix, data=PAIRS, width=4),
    # its pictures are judged at half size first, and features need 32 pixels
    "superres": row(Superres, data=Pictures(crop=64), width=4, features=RANDOM),
    "cyclegan": row(Cyclegan, blocks=1, **SMALL),
    "cut": row(Cut, blocks=1, patches=16, **SMALL),
    "fastcut": row(Fastcut, blocks=1, patches=16, **SMALL),
    "stargan": row(Stargan, data=Labelled(worlds=("palette", "hatching"), crop=32), width=4, blocks=1),
    "semantic": row(Semantic, features=RANDOM, backbone="resnet18", **SMALL),
    "reference": row(Reference, data=Unpaired(world="palette", crop=48), features=RANDOM),  # judged at half size too
    "layers": row(Layers, **SMALL),
}
