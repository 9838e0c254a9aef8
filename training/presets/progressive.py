"""Pictures from noise at a resolution that grows while it trains."""

import math
from functools import partial

from styletransfer.models.layers import START
from styletransfer.models.progressive_discriminator import ProgressiveDiscriminator
from styletransfer.models.progressive_generator import ProgressiveGenerator
from training.data.augment import diff_augment
from training.data.streams import pictures
from training.engine.preset import Preset
from training.engine.recipe import Game, Phase, Recipe
from training.evaluate.held_out import from_noise
from training.losses.adversarial import GAMES
from training.options import Progressive
from training.packaging.package import NoiseExport
from training.presets.noise import LIPSCHITZ
from training.steps.noise import GrowingNoise


def progressive(config: Progressive) -> Preset:
    """Progressive growing, by default with WGAN-GP; one update of each player in turn (Karras et al. 2018, appendix A.1)."""
    size = config.data.crop

    class Sized(GrowingNoise):
        z_size = config.z_size
        levels = int(math.log2(size // START))

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
            step=Sized,
            phases=(Phase("generator", ("g",)), Phase("discriminator", ("d",))),
            games=(game,),
        ),
        data=pictures(config.data, config.seed),
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=NoiseExport(config, "g"),
        judge=from_noise(partial(pictures, config.data, config.seed, "held"), config.z_size),
        betas=(0.0, 0.99),  # appendix A.1
    )
