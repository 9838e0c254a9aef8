"""Presets: a paper as a value, a file each, and a row in BUILDERS. The only place where networks, recipe and data meet.

Importing this costs no torch: a builder imports what it needs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from training.options import Run
from training.presets.cut import Cut, Fastcut, cut, fastcut
from training.presets.cyclegan import Cyclegan, cyclegan
from training.presets.dcgan import Dcgan, R3gan, Wgan, dcgan, r3gan, wgan
from training.presets.few import Few, few
from training.presets.layers import Layers, layers
from training.presets.painter import Painter, painter
from training.presets.pix2pix import Pix2pix, pix2pix
from training.presets.progressive import Progressive, progressive
from training.presets.reference import Reference, reference
from training.presets.semantic import Semantic, semantic
from training.presets.stargan import Stargan, stargan
from training.presets.superres import Superres, superres

if TYPE_CHECKING:
    from training.engine.preset import Preset

BUILDERS: dict[type[Run], "Callable[[Run], Preset]"] = {
    Painter: painter,
    Dcgan: dcgan,
    Wgan: wgan,
    R3gan: r3gan,
    Few: few,
    Progressive: progressive,
    Pix2pix: pix2pix,
    Superres: superres,
    Cyclegan: cyclegan,
    Cut: cut,
    Fastcut: fastcut,
    Stargan: stargan,
    Semantic: semantic,
    Reference: reference,
    Layers: layers,
}
PRESETS = {options.preset: options for options in BUILDERS}


def build(config: Run) -> "Preset":
    """The training that `config` holds the options of."""
    from accelerate.utils import set_seed

    set_seed(config.seed)
    return BUILDERS[type(config)](config.resolved())
