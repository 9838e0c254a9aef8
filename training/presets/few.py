"""Pictures from noise, learned from few pictures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Loss, Smoothness
from training.presets.dcgan import Dcgan, from_noise

if TYPE_CHECKING:
    from training.engine.preset import Preset

FAR = 2**40  # a place in a stream that no training reaches, where nothing is held out


@dataclass(frozen=True, kw_only=True)
class Few(Dcgan):
    """Pictures from noise, learned from one picture or a few, with DiffAugment (Zhao et al. 2020)."""

    preset: ClassVar = "few"

    pictures: int = 1
    """How many pictures of the data to learn from."""
    game: Loss = "hinge"
    lipschitz: Smoothness = "spectral"
    augment: bool = True

    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("none", "spectral", "r1r2")}


def few(config: Few) -> "Preset":
    """Crops of a few pictures, all changed before they are judged (Zhao et al. 2020, sec. 3.3: real and fake, both phases)."""
    from training.data.streams import CropsOfFew
    from training.evaluate.held_out import from_noise as by_noise

    data = CropsOfFew(config.data, config.pictures, config.seed)
    # held out are other crops: nothing else is to be learned
    return from_noise(config, data, by_noise(lambda: data, config.z_size, FAR), betas=(0.5, 0.999))
