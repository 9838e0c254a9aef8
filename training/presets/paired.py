"""Presets with a target for each source: pix2pix and super-resolution."""

from functools import partial

from torch.nn.functional import l1_loss

from styletransfer.models.features import FeaturePyramid
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.unet_generator import UNetGenerator
from styletransfer.models.upscale_generator import UpscaleGenerator
from training.data.streams import enlargements, pairs
from training.engine.preset import Preset
from training.engine.recipe import Game, Phase, Recipe, Term
from training.evaluate.held_out import COUNT, AgainstTruth, Held, Restored, by_network
from training.losses.adversarial import LOGISTIC, RELATIVISTIC
from training.losses.lipschitz import GradientNorm
from training.losses.matching import feature_l1
from training.options import Pix2pix, Superres
from training.packaging.package import TranslatorExport
from training.steps.paired import Enlarged, Paired
from training.steps.semantic import LAYERS


def pix2pix(config: Pix2pix) -> Preset:
    """U-Net and a discriminator that sees source and result together (Isola et al. 2017, https://arxiv.org/abs/1611.07004)."""
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
        export=TranslatorExport(config, "g"),
        judge=AgainstTruth(Held(partial(pairs, config.data, config.seed, "held"), COUNT), by_network("g")),
        betas=(0.5, 0.999),  # sec. 3.3
        clip_norm=1e3,  # no clipping in the paper: the weight of L1 alone makes norms above 20
    )


def superres(config: Superres) -> Preset:
    """Fourfold enlargement (ESRGAN, Wang et al. 2018, https://arxiv.org/abs/1809.00219), in two stages (Lai et al. 2017).

    Each stage has distances to its own target, and a discriminator of its own: both ship.
    """
    features = FeaturePyramid(
        config.features.network,
        LAYERS[config.features.network][:3],
        config.features.weights,
        config.features.normalization,
    )
    nets = {
        "g": UpscaleGenerator(base_channels=config.width, scale=Enlarged.scale),
        # half as wide: they see sixteen pixels for each that the generator reads
        "d_half": PatchDiscriminator(base_channels=config.width // 2, norm="none"),
        "d": PatchDiscriminator(base_channels=config.width // 2, norm="none"),
        "features": features,
    }
    grown = (Enlarged.growth, 1.0)
    recipe = Recipe(
        step=Enlarged,
        phases=(Phase("generator", ("g",)), Phase("discriminator", ("d_half", "d"))),
        games=(against("d_half", "half", "fake_half", config.adversarial), against("d", "real", "fake", config.adversarial)),
        # eq. 3, with distances that count from 0 to 1: pixels lead, so that the result stays true to the picture
        terms=(
            Term("l1_half", l1_loss, ("fake_half", "half")),
            Term("features_half", feature_l1, ("fake_half_features", "half_features"), config.likeness),
            Term("l1", l1_loss, ("fake", "real"), during=grown),
            Term("features", feature_l1, ("fake_features", "real_features"), config.likeness, during=grown),
        ),
    )
    held = Held(partial(enlargements, config.data, Enlarged.scale, config.seed, "held"), COUNT)
    return Preset(
        nets=nets,
        recipe=recipe,
        data=enlargements(config.data, Enlarged.scale, config.seed),
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=TranslatorExport(config, "g"),
        judge=Restored(held, by_network("g", "small"), features, feature_l1),
        betas=(0.9, 0.999),  # sec. 4.1
    )


def against(discriminator: str, real: str, fake: str, weight: float) -> Game:
    return Game(
        discriminator,
        real=real,
        fake=fake,
        loss=RELATIVISTIC,  # sec. 3.2, of single pairs: each result against its own target
        weight=weight,
        lipschitz=GradientNorm(1.0, on=("real", "fake")),
        during=(0.5, 1.0),  # sec. 4.1: first without discriminators, which then meet no bad results
    )
