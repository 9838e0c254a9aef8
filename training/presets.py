"""Presets: the only file where networks, recipes and data meet."""

import torch

from styletransfer.models.features import FeaturePyramid
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from training.config import Painter
from training.data.folders import PhotosAndPaintings
from training.export import PainterExport
from training.losses.adversarial import GAMES
from training.losses.color import palette_distance
from training.losses.penalties import GradientNorm
from training.losses.perceptual import content_distance, style_distance
from training.recipe import Game, Phase, Recipe, Term
from training.steps import Domains
from training.trainer import Preset

STYLE_LAYERS = (1, 3, 4, 6, 7, 9)  # of SqueezeNet 1.1: the first convolution and fire modules 2 to 6


def painter(config: Painter) -> Preset:
    """Photos to paintings of many domains by one generator; a discriminator with a projection of the domain."""
    if config.features.network != "squeezenet1_1":
        raise ValueError(f"the painter's layers are those of squeezenet1_1, got --features.network {config.features.network}")
    data = PhotosAndPaintings(config.data.photos, config.data.paintings, config.data.crop, config.seed)
    encoder = StyleEncoder()
    encoder.calibrate(torch.stack([data[position]["painting"] for position in range(32)]))
    relativistic = config.game == "relativistic"
    nets = {
        "stylizer": StyleGenerator(),
        "encoder": encoder,
        "discriminator": PatchDiscriminator(
            base_channels=32,
            num_scales=2,
            num_labels=len(data.styles),
            norm="none" if relativistic else "spectral",
        ),
        "features": FeaturePyramid(
            config.features.network,
            STYLE_LAYERS,
            config.features.weights,
            config.features.normalization,
        ),
    }
    recipe = Recipe(
        step=Domains,
        phases=(Phase("generator", ("stylizer", "encoder")), Phase("discriminator", ("discriminator",))),
        games=(
            Game(
                "discriminator",
                real="painting",
                fake="fake",
                loss=GAMES[config.game],
                given="label",
                weight=config.adversarial,
                emphasis="strength",
                penalty=GradientNorm(1.0, on=("real", "fake")) if relativistic else None,
            ),
        ),
        terms=(
            Term("content", content_distance, ("fake_features", "photo_content"), config.content),
            Term("style", style_distance, ("fake_features", "painting_features", "strength"), config.style),
            Term("palette", palette_distance, ("fake", "painting", "strength"), config.palette),
        ),
    )
    return Preset(
        nets=nets,
        recipe=recipe,
        data=data,
        rates={"generator": 1e-3, "discriminator": 2e-4},
        averaged=("stylizer", "encoder"),
        export=PainterExport(config, data),
    )


BUILD = {Painter: painter}
