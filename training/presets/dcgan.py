"""Pictures from noise: DCGAN, Wasserstein critics, R3GAN. They differ in numbers only."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Loss, Pictures, Run, Smoothness

if TYPE_CHECKING:
    from torch.utils.data import Dataset

    from training.engine.preset import Preset
    from training.evaluate.held_out import AgainstCrowd


@dataclass(frozen=True, kw_only=True)
class Dcgan(Run):
    """Pictures from noise (Radford et al. 2016), by the non-saturating minimax game."""

    preset: ClassVar = "dcgan"

    data: Pictures = field(default_factory=Pictures)
    z_size: int = 100
    """Dimensions of the noise vector."""
    width: int = 64
    """Base number of channels."""
    rate: float = 2e-4
    """Learning rate of generator and discriminator."""
    game: Loss = "logistic"
    """Adversarial loss."""
    lipschitz: Smoothness = "none"
    """Lipschitz regularization of the discriminator."""
    discriminator_updates: int = 1
    """Discriminator updates per generator update."""
    augment: bool = False
    """Augment real and fake pictures before the discriminator sees them (DiffAugment)."""

    sizes = ((32, 16), (32, 32), (64, 16), (64, 32))
    target_updates = 2000
    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("none", "spectral", "r1", "r1r2")}


@dataclass(frozen=True, kw_only=True)
class Wgan(Dcgan):
    """Pictures from noise by a Wasserstein critic: clipping, gradient penalty, spectral norm, R1, R2."""

    preset: ClassVar = "wgan"

    rate: float = 1e-4
    game: Loss = "wasserstein"
    lipschitz: Smoothness = "gp"
    discriminator_updates: int = 5

    target_updates = 5000
    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("gp", "clip", "spectral")}


@dataclass(frozen=True, kw_only=True)
class R3gan(Dcgan):
    """Pictures from noise by the relativistic game with R1 and R2 (Huang et al. 2024)."""

    preset: ClassVar = "r3gan"

    game: Loss = "relativistic"
    lipschitz: Smoothness = "r1r2"

    target_updates = 1000
    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("r1", "r2", "r1r2")}


def dcgan(config: Dcgan) -> "Preset":
    """Radford et al. 2016 with the non-saturating game; other games and Lipschitz methods by option."""
    return from_pictures(config, betas=(0.5, 0.999))  # sec. 4


def wgan(config: Wgan) -> "Preset":
    """Arjovsky et al. 2017, by default with the gradient penalty of Gulrajani et al. 2017."""
    return from_pictures(config, betas=(0.0, 0.9))  # Gulrajani et al. 2017, alg. 1


def r3gan(config: R3gan) -> "Preset":
    """The relativistic game with R1 and R2 (Huang et al. 2024, https://arxiv.org/abs/2501.05441) on DCGAN's networks."""
    return from_pictures(config, betas=(0.0, 0.99))


def from_pictures(config: Dcgan, betas: tuple[float, float]) -> "Preset":
    """Learns from pictures, and is scored on others of them."""
    from training.data.folders import folders_of, scored_on
    from training.data.streams import pictures
    from training.evaluate.held_out import from_noise as by_noise

    scorer = by_noise(partial(pictures, config.data, config.seed, "held"), config.z_size)
    return from_noise(config, pictures(config.data, config.seed), scorer, scored_on(folders_of(config.data)), betas)


def from_noise(config: Dcgan, data: "Dataset", scorer: "AgainstCrowd", scored_on: str, betas: tuple[float, float]) -> "Preset":
    from styletransfer.models.dcgan_discriminator import DCGANDiscriminator
    from styletransfer.models.dcgan_generator import DCGANGenerator
    from training.data.augment import diff_augment
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe
    from training.losses.adversarial import GAMES
    from training.losses.lipschitz import LIPSCHITZ
    from training.packaging.export import generator
    from training.steps.noise import Noise

    size = config.data.crop

    game = Game(
        "d",
        real="real",
        fake="fake",
        loss=GAMES[config.game],
        lipschitz=LIPSCHITZ[config.lipschitz],
        augment=diff_augment if config.augment else None,
    )
    return Preset(
        nets={
            # keywords: diffusers takes a positional argument for a default and forgets it in from_config
            "g": DCGANGenerator(z_size=config.z_size, base_channels=config.width, image_size=size),
            "d": DCGANDiscriminator(base_channels=config.width, image_size=size),
        },
        recipe=Recipe(
            step=Noise,
            phases=(Phase("generator", ("g",), every=config.discriminator_updates), Phase("discriminator", ("d",))),
            games=(game,),
        ),
        data=data,
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=generator(config, "g"),
        scorer=scorer,
        scored_on=scored_on,
        betas=betas,
    )
