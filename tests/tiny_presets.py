"""Every preset as a training of seconds: a new one gets a row in TINY, and all tests of training/test_presets.py run on it."""

from collections.abc import Callable
from pathlib import Path

from training.options import Data, Features, Labelled, Pairs, Pictures, Run, Unpaired
from training.presets import PRESETS

RANDOM = Features(weights="random")
UNPAIRED = Unpaired(world="palette", crop=32)
NOISE = {"data": Pictures(crop=32), "z_size": 8, "width": 4}
SMALL = {"data": UNPAIRED, "width": 4}

# tiny options of each preset but the painter
TINY: dict[str, dict] = {
    **dict.fromkeys(("dcgan", "wgan", "r3gan", "few", "progressive"), NOISE),
    "pix2pix": {"data": Pairs(world="palette", crop=32), "width": 4},
    # its pictures are judged at half size first, and features need 32 pixels
    "superres": {"data": Pictures(crop=64), "width": 4, "features": RANDOM},
    "cyclegan": {"blocks": 1, **SMALL},
    "cut": {"blocks": 1, "patches": 16, **SMALL},
    "fastcut": {"blocks": 1, "patches": 16, **SMALL},
    "stargan": {"data": Labelled(worlds=("palette", "hatching"), crop=32), "width": 4, "blocks": 1},
    "semantic": {"features": RANDOM, "backbone": "resnet18", **SMALL},
    "reference": {"data": Unpaired(world="palette", crop=48), "features": RANDOM},  # judged at half size too
    "layers": SMALL,
}


def painter(pictures: Path, **run) -> Run:
    data = Data(photos=pictures / "photos", paintings=pictures / "paintings", crop=48)
    return PRESETS["painter"](data=data, features=RANDOM, **run)


def row(name: str) -> Callable[..., Run]:
    return lambda pictures, **run: PRESETS[name](**TINY[name], **run)


# preset -> its tiny options, given the folder of pictures that the painter needs and the options of the run
CONFIGS: dict[str, Callable[..., Run]] = {"painter": painter} | {name: row(name) for name in TINY}
