"""Translation without pairs: CycleGAN both ways, CUT and FastCUT one way."""

from torch.nn.functional import l1_loss

from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.patch_head import PatchHead
from styletransfer.models.resnet_generator import ResnetGenerator
from training.data.streams import unpaired
from training.engine.preset import Preset
from training.engine.recipe import Game, Phase, Recipe, Term
from training.evaluate.held_out import by_network, without_pairs
from training.losses.adversarial import LSGAN
from training.losses.contrastive import patch_contrast
from training.options import Cut, Cyclegan, Fastcut
from training.packaging.package import TranslatorExport
from training.steps.one_way import OneWay
from training.steps.two_way import TwoWay

BETAS = (0.5, 0.999)  # of Adam, as pix2pix (Isola et al. 2017, sec. 3.3) and after it CycleGAN and CUT


def cyclegan(config: Cyclegan) -> Preset:
    """Two generators and two discriminators (Zhu et al. 2017, https://arxiv.org/abs/1703.10593); g_ab is what ships."""
    nets = {
        "g_ab": generator(config),
        "g_ba": generator(config),
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
        export=TranslatorExport(config, "g_ab"),
        judge=without_pairs(config.data, config.seed, lambda source, _: by_network("g_ab", source)),
        betas=BETAS,
    )


def cut(config: Cut) -> Preset:
    """One generator, contrasted with its input patch by patch (Park et al. 2020, https://arxiv.org/abs/2007.15651)."""

    class Sampled(OneWay):
        patches = config.patches

    g = generator(config)
    nets = {
        "g": g,
        "head": PatchHead(channels=g.feature_channels),
        "d": PatchDiscriminator(base_channels=config.width),
    }
    identity = Term("contrast_b", patch_contrast, ("same_vectors", "b_vectors"), config.nce)
    recipe = Recipe(
        step=Sampled,
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
        export=TranslatorExport(config, "g"),
        judge=without_pairs(config.data, config.seed, lambda source, _: by_network("g", source)),
        betas=BETAS,
    )


def fastcut(config: Fastcut) -> Preset:
    """CUT with other numbers (sec. 3): they are in its options."""
    return cut(config)


def generator(config: Cyclegan | Cut) -> ResnetGenerator:
    """The generator of both papers (Zhu et al. 2017, sec. 7.2; Park et al. 2020, appendix C.1).

    Transposed convolutions, as published: they can draw a texture on a flat surface, where "resize" leaves it flat.
    """
    return ResnetGenerator(base_channels=config.width, num_blocks=config.blocks, upsample="transposed")
