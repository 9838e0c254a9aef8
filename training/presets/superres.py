"""Fourfold enlargement."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Between, Features, Pictures, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from training.engine.preset import Preset
    from training.engine.recipe import Game

SCALE = 4
GROWING = 0.15  # part of the training in which the generator only doubles


@dataclass(frozen=True, kw_only=True)
class Superres(Run):
    """Enlargement in two stages, x2 and from it x4."""

    preset: ClassVar = "superres"

    data: Pictures = field(default_factory=Pictures)
    width: int = 48
    """Channels of the first stage."""
    rate: float = 2e-4
    """Learning rate of all networks."""
    features: Features = field(default_factory=Features)
    likeness: float = 0.05
    """Weight of the perceptual loss, relative to the L1 loss."""
    adversarial: float = 5e-3
    """Weight of each adversarial loss, relative to the L1 loss."""

    sizes = ((64, 2), (64, 4), (128, 2), (128, 4))
    space: ClassVar = {"rate": RATES, "width": (32, 48), "adversarial": Between(1e-3, 5e-2)}


def superres(config: Superres) -> "Preset":
    """Fourfold enlargement (ESRGAN, Wang et al. 2018, https://arxiv.org/abs/1809.00219), in two stages (Lai et al. 2017).

    Each stage has distances to its own target, and a discriminator of its own: both ship.
    """
    from torch.nn.functional import l1_loss

    from styletransfer.models.features import FeaturePyramid
    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from styletransfer.models.upscale_generator import UpscaleGenerator
    from training.data.folders import folders_of, scored_on
    from training.data.streams import enlargements
    from training.engine.preset import Preset
    from training.engine.recipe import Phase, Recipe, Term
    from training.evaluate.held_out import COUNT, AgainstTruth, Held, by_network
    from training.evaluate.metrics.truth import color_distance
    from training.losses.matching import feature_l1
    from training.packaging.export import translator
    from training.steps.features import LAYERS
    from training.steps.paired import Enlarged

    features = FeaturePyramid(
        config.features.network,
        LAYERS[config.features.network][:3],
        config.features.weights,
        config.features.normalization,
    )
    nets = {
        "g": UpscaleGenerator(base_channels=config.width, scale=SCALE),
        # half as wide: they see sixteen pixels for each that the generator reads
        "d_half": PatchDiscriminator(base_channels=config.width // 2, norm="none"),
        "d": PatchDiscriminator(base_channels=config.width // 2, norm="none"),
        "features": features,
    }
    grown = (GROWING, 1.0)
    recipe = Recipe(
        step=partial(Enlarged, growing=GROWING),
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
    # by colours alone, blurred pictures are nearer than sharp ones
    distances = {"feature_distance": on_features(features, feature_l1), "color_distance": color_distance}
    held = Held(partial(enlargements, config.data, SCALE, config.seed, "held"), COUNT)
    return Preset(
        nets=nets,
        recipe=recipe,
        data=enlargements(config.data, SCALE, config.seed),
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=translator(config, "g"),
        scorer=AgainstTruth(held, by_network("g", "small"), "real", distances),
        scored_on=scored_on(folders_of(config.data)),
        betas=(0.9, 0.999),  # sec. 4.1
    )


def against(discriminator: str, real: str, fake: str, weight: float) -> "Game":
    from training.engine.recipe import Game
    from training.losses.adversarial import RELATIVISTIC
    from training.losses.lipschitz import GradientNorm

    return Game(
        discriminator,
        real=real,
        fake=fake,
        loss=RELATIVISTIC,  # sec. 3.2, of single pairs: each result against its own target
        weight=weight,
        lipschitz=GradientNorm(1.0, on=("real", "fake")),
        during=(0.5, 1.0),  # sec. 4.1: first without discriminators, which then meet no bad results
    )


def on_features(features: "nn.Module", distance: "Callable[..., Tensor]") -> "Callable[[Tensor, Tensor], Tensor]":
    """The `distance` of the features of pictures."""
    return lambda results, truths: distance(features(results), features(truths))
