"""Presets: a paper as a value. One file for each family, the only place where networks, recipes and data meet."""

from importlib import import_module

from accelerate.utils import set_seed

from training.engine.preset import Preset
from training.options import PRESETS, Run, preset_name

FAMILIES = {
    "painter": ("painter",),
    "noise": ("dcgan", "wgan", "r3gan", "few"),
    "progressive": ("progressive",),
    "paired": ("pix2pix", "superres"),
    "unpaired": ("cyclegan", "cut", "fastcut"),
    "stargan": ("stargan",),
    "semantic": ("semantic", "reference", "layers"),
}
HOMES = {name: family for family, names in FAMILIES.items() for name in names}
assert HOMES.keys() == PRESETS.keys()


def build(config: Run) -> Preset:
    """The preset that `config` holds the options of: the function of its name in the file of its family."""
    name = preset_name(config)
    set_seed(config.seed)
    return getattr(import_module(f"training.presets.{HOMES[name]}"), name)(config)
