"""Translation with a target for each source: pix2pix."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Between, Pairs, Run

if TYPE_CHECKING:
    from training.engine.preset import Preset


@dataclass(frozen=True, kw_only=True)
class Pix2pix(Run):
    """Pairs of pictures: U-Net and conditional patch discriminator (Isola et al. 2017)."""

    preset: ClassVar = "pix2pix"

    data: Pairs = field(default_factory=Pairs)
    width: int = 64
    """Channels of the first layer."""
    rate: float = 2e-4
    """Learning rate of generator and discriminator."""
    l1: float = 100.0
    """Weight of the L1 distance to the target."""

    sizes = ((64, 2), (64, 4), (128, 2), (128, 4))
    space: ClassVar = {"rate": RATES, "width": (32, 64), "l1": Between(10, 1000)}


def pix2pix(config: Pix2pix) -> "Preset":
    """U-Net and a discriminator that sees source and result together (Isola et al. 2017, https://arxiv.org/abs/1611.07004)."""
    from torch.nn.functional import l1_loss

    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from styletransfer.models.unet_generator import UNetGenerator
    from training.data.folders import folders_of, scored_on
    from training.data.streams import pairs
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe, Term
    from training.evaluate.held_out import COUNT, AgainstTruth, Held, by_network
    from training.losses.adversarial import LOGISTIC
    from training.packaging.export import translator
    from training.steps.paired import Paired

    # sec. 6.1.1: eight levels take 256 px to a single pixel, smaller crops need fewer
    levels = min(8, config.data.crop.bit_length() - 1)
    nets = {
        "g": UNetGenerator(base_channels=config.width, num_downs=levels),
        "d": PatchDiscriminator(in_channels=6, base_channels=config.width),
    }
    recipe = Recipe(
        step=Paired,
        phases=(Phase("generator", ("g",)), Phase("discriminator", ("d",))),
        games=(Game("d", real="real_pair", fake="fake_pair", loss=LOGISTIC),),  # eq. 1
        terms=(Term("l1", l1_loss, ("fake", "target"), config.l1),),  # eq. 3 and 4
    )
    return Preset(
        nets=nets,
        recipe=recipe,
        data=pairs(config.data, config.seed),
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=translator(config, "g"),
        scorer=AgainstTruth(Held(partial(pairs, config.data, config.seed, "held"), COUNT), by_network("g")),
        scored_on=scored_on(folders_of(config.data)),
        betas=(0.5, 0.999),  # sec. 3.3
    )
