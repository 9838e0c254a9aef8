"""Pictures from noise at a resolution that grows while it trains."""

import math
from functools import partial

from styletransfer.models.layers import START
from styletransfer.models.progressive_discriminator import ProgressiveDiscriminator
from styletransfer.models.progressive_generator import ProgressiveGenerator
from training.config import Progressive
from training.data.streams import pictures
from training.judges import from_noise
from training.losses.adversarial import WASSERSTEIN
from training.losses.lipschitz import GradientPenalty
from training.packages import NoiseExport
from training.preset import Preset
from training.recipe import Game, Phase, Recipe
from training.steps.noise import GrowingNoise


def progressive(config: Progressive) -> Preset:
    """Progressive growing with WGAN-GP, one update of each player in turn (Karras et al. 2018, appendix A.1)."""
    size = config.data.crop

    class Sized(GrowingNoise):
        z_size = config.z_size
        levels = int(math.log2(size // START))

    return Preset(
        nets={
            "g": ProgressiveGenerator(z_size=config.z_size, base_channels=config.width, image_size=size),
            "d": ProgressiveDiscriminator(base_channels=config.width, image_size=size),
        },
        recipe=Recipe(
            step=Sized,
            phases=(Phase("generator", ("g",)), Phase("discriminator", ("d",))),
            games=(Game("d", real="seen", fake="fake", loss=WASSERSTEIN, given="level", lipschitz=GradientPenalty(10.0)),),
        ),
        data=pictures(config.data, config.seed),
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=NoiseExport(config, "g"),
        judge=from_noise(partial(pictures, config.data, config.seed, "held"), config.z_size),
        betas=(0.0, 0.99),  # appendix A.1
    )
