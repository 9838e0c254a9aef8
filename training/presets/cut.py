"""Translation one way, without pairs."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Between, Run, Unpaired
from training.presets.cyclegan import generator

if TYPE_CHECKING:
    from training.engine.preset import Preset


@dataclass(frozen=True, kw_only=True)
class Cut(Run):
    """One-way translation without pairs, by contrast of patches (Park et al. 2020)."""

    preset: ClassVar = "cut"

    data: Unpaired = field(default_factory=Unpaired)
    width: int = 64
    """Channels of the first layer."""
    blocks: int = 9
    """Residual blocks."""
    rate: float = 2e-4
    """Learning rate of all networks."""
    nce: float = 1.0
    """Weight of the patchwise contrastive loss between photo and result."""
    identity: bool = True
    """Add the identity loss: the contrastive loss on pictures of the target domain."""
    patches: int = 256
    """Patches sampled per layer."""

    sizes = ((64, 1), (96, 1), (128, 1))
    space: ClassVar = {"rate": RATES, "width": (32, 64), "blocks": (6, 9), "nce": Between(0.3, 10)}


@dataclass(frozen=True, kw_only=True)
class Fastcut(Cut):
    """CUT without the identity part, with more contrast: twice as fast (Park et al. 2020)."""

    preset: ClassVar = "fastcut"

    nce: float = 10.0
    identity: bool = False

    space: ClassVar = {"rate": RATES, "width": (32, 64), "blocks": (6, 9), "nce": Between(1, 30)}


def cut(config: Cut) -> "Preset":
    """One generator, contrasted with its input patch by patch (Park et al. 2020, https://arxiv.org/abs/2007.15651)."""
    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from styletransfer.models.patch_head import PatchHead
    from training.data.folders import folders_of, scored_on
    from training.data.streams import unpaired
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe, Term
    from training.evaluate.held_out import by_network, without_pairs
    from training.losses.adversarial import LSGAN
    from training.losses.contrastive import patch_contrast
    from training.packaging.export import translator
    from training.steps.one_way import OneWay

    g = generator(config.width, config.blocks)
    nets = {
        "g": g,
        "head": PatchHead(channels=g.feature_channels),
        "d": PatchDiscriminator(base_channels=config.width),
    }
    identity = Term("contrast_b", patch_contrast, ("same_vectors", "b_vectors"), config.nce)
    recipe = Recipe(
        step=partial(OneWay, patches=config.patches),
        phases=(Phase("generator", ("g", "head")), Phase("discriminator", ("d",))),
        games=(Game("d", "b", "fake", LSGAN),),  # appendix C.1
        terms=(
            Term("contrast_a", patch_contrast, ("fake_vectors", "a_vectors"), config.nce),
            *((identity,) if config.identity else ()),
        ),
    )
    return Preset(
        nets=nets,
        recipe=recipe,
        data=unpaired(config.data, config.seed),
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=translator(config, "g"),
        scorer=without_pairs(config.data, config.seed, lambda source, _: by_network("g", source)),
        scored_on=scored_on(folders_of(config.data)),
        betas=(0.5, 0.999),  # as pix2pix (Isola et al. 2017, sec. 3.3)
    )


def fastcut(config: Fastcut) -> "Preset":
    """CUT with other numbers (sec. 3): they are in its options."""
    return cut(config)
