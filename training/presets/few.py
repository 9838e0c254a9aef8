"""Pictures from noise, learned from few pictures."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Loss, Smoothness
from training.presets.dcgan import Dcgan, from_noise

if TYPE_CHECKING:
    from training.engine.preset import Preset

FAR = 2**40  # a place in a stream that no training reaches, whose crops are new


@dataclass(frozen=True, kw_only=True)
class Few(Dcgan):
    """Pictures from noise, learned from one picture or a few, with DiffAugment (Zhao et al. 2020)."""

    preset: ClassVar = "few"

    pictures: int = 1
    """Number of pictures to learn from."""
    game: Loss = "hinge"
    lipschitz: Smoothness = "spectral"
    augment: bool = True

    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("none", "spectral", "r1r2")}


def few(config: Few) -> "Preset":
    """Crops of a few pictures, all changed before the discriminator sees them (Zhao et al. 2020, sec. 3.3)."""
    from training.data.streams import CropsOfFew
    from training.evaluate.held_out import from_noise as by_noise

    data = CropsOfFew(config.data, config.pictures, config.seed)
    scorer = by_noise(lambda: data, config.z_size, FAR)
    return from_noise(config, data, scorer, scored_on="other crops of the training data", betas=(0.5, 0.999))
