"""Pictures from noise at a resolution that grows while it trains."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from training.options import Between, Loss, Pictures, Run, Smoothness

if TYPE_CHECKING:
    from training.engine.preset import Preset


@dataclass(frozen=True, kw_only=True)
class Progressive(Run):
    """Pictures from noise, at a resolution that grows while it trains (Karras et al. 2018)."""

    preset: ClassVar = "progressive"

    data: Pictures = field(default_factory=Pictures)
    z_size: int = 128
    """Dimensions of the noise vector."""
    width: int = 128
    """Channels at the lowest resolutions; halved at each above 32 pixels."""
    rate: float = 1e-3
    """Learning rate of generator and discriminator."""
    game: Loss = "wasserstein"
    """Adversarial loss."""
    lipschitz: Smoothness = "gp"
    """Lipschitz regularization of the discriminator."""
    augment: bool = False
    """Augment real and fake pictures before the discriminator sees them (DiffAugment)."""

    sizes = ((32, 8), (64, 8), (64, 16), (128, 16))
    space: ClassVar = {"rate": Between(1e-4, 1e-2), "width": (64, 128)}


def progressive(config: Progressive) -> "Preset":
    """Progressive growing, by default with WGAN-GP; one update of each player in turn (Karras et al. 2018, appendix A.1)."""
    from styletransfer.models.progressive_discriminator import ProgressiveDiscriminator
    from styletransfer.models.progressive_generator import ProgressiveGenerator
    from training.data.augment import diff_augment
    from training.data.folders import folders_of, scored_on
    from training.data.streams import pictures
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe
    from training.evaluate.held_out import from_noise
    from training.losses.adversarial import GAMES
    from training.losses.lipschitz import LIPSCHITZ
    from training.packaging.export import generator
    from training.steps.noise import GrowingNoise

    size = config.data.crop

    game = Game(
        "d",
        real="seen",
        fake="fake",
        loss=GAMES[config.game],
        given="level",
        lipschitz=LIPSCHITZ[config.lipschitz],
        augment=diff_augment if config.augment else None,
    )
    return Preset(
        nets={
            "g": ProgressiveGenerator(z_size=config.z_size, base_channels=config.width, image_size=size),
            "d": ProgressiveDiscriminator(base_channels=config.width, image_size=size),
        },
        recipe=Recipe(
            step=GrowingNoise,
            phases=(Phase("generator", ("g",)), Phase("discriminator", ("d",))),
            games=(game,),
        ),
        data=pictures(config.data, config.seed),
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=generator(config, "g"),
        scorer=from_noise(partial(pictures, config.data, config.seed, "held"), config.z_size),
        scored_on=scored_on(folders_of(config.data)),
        betas=(0.0, 0.99),  # appendix A.1
    )
