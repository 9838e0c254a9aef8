"""Translation both ways, without pairs."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Between, Run, Unpaired

if TYPE_CHECKING:
    from styletransfer.models.resnet_generator import ResnetGenerator
    from training.engine.preset import Preset


@dataclass(frozen=True, kw_only=True)
class Cyclegan(Run):
    """Two-way translation without pairs (Zhu et al. 2017)."""

    preset: ClassVar = "cyclegan"

    data: Unpaired = field(default_factory=Unpaired)
    width: int = 64
    """Channels of the first layer."""
    blocks: int = 9
    """Residual blocks; 6 suit 128 px, 9 suit 256 px."""
    rate: float = 2e-4
    """Learning rate of all networks."""
    cycle: float = 10.0
    """Weight of the cycle-consistency loss."""
    identity: float = 5.0
    """Weight of the identity loss; 0 leaves it out."""

    sizes = ((64, 1), (96, 1), (128, 1))
    space: ClassVar = {"rate": RATES, "width": (32, 64), "blocks": (6, 9), "cycle": Between(3, 30), "identity": Between(1, 15)}


def cyclegan(config: Cyclegan) -> "Preset":
    """Two generators and two discriminators (Zhu et al. 2017, https://arxiv.org/abs/1703.10593); g_ab is what ships."""
    from torch.nn.functional import l1_loss

    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from training.data.folders import folders_of, scored_on
    from training.data.streams import unpaired
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe, Term
    from training.evaluate.held_out import by_network, without_pairs
    from training.losses.adversarial import LSGAN
    from training.packaging.export import translator
    from training.steps.two_way import TwoWay

    nets = {
        "g_ab": generator(config.width, config.blocks),
        "g_ba": generator(config.width, config.blocks),
        "d_a": PatchDiscriminator(base_channels=config.width),
        "d_b": PatchDiscriminator(base_channels=config.width),
    }
    same = (
        Term("same_a", l1_loss, ("same_a", "a"), config.identity),  # sec. 5.2
        Term("same_b", l1_loss, ("same_b", "b"), config.identity),
    )
    recipe = Recipe(
        step=TwoWay,
        phases=(Phase("generator", ("g_ab", "g_ba")), Phase("discriminator", ("d_a", "d_b"))),
        # sec. 4: least squares, and a pool of 50 fakes
        games=(Game("d_b", "b", "fake_b", LSGAN, pool=50), Game("d_a", "a", "fake_a", LSGAN, pool=50)),
        terms=(
            Term("cycle_a", l1_loss, ("back_a", "a"), config.cycle),
            Term("cycle_b", l1_loss, ("back_b", "b"), config.cycle),
            *(same if config.identity else ()),
        ),
    )
    return Preset(
        nets=nets,
        recipe=recipe,
        data=unpaired(config.data, config.seed),
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g_ab",),
        export=translator(config, "g_ab"),
        scorer=without_pairs(config.data, config.seed, lambda source, _: by_network("g_ab", source)),
        scored_on=scored_on(folders_of(config.data)),
        betas=(0.5, 0.999),  # as pix2pix (Isola et al. 2017, sec. 3.3)
    )


def generator(width: int, blocks: int) -> "ResnetGenerator":
    """The generator of both papers (Zhu et al. 2017, sec. 7.2; Park et al. 2020, appendix C.1).

    Transposed convolutions, as published: they can draw a texture on a flat surface, where "resize" leaves it flat.
    """
    from styletransfer.models.resnet_generator import ResnetGenerator

    return ResnetGenerator(base_channels=width, num_blocks=blocks, upsample="transposed")
