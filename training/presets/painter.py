"""The flagship: photos to paintings of many styles by one generator."""

import torch

from styletransfer.models.feature_discriminator import FeatureDiscriminator
from styletransfer.models.features import FeaturePyramid
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.pipelines import load_pipeline
from training.config import Painter
from training.data.folders import PhotosAndPaintings
from training.export import PainterExport
from training.judges import COUNT, FAR, Held, Painted
from training.losses.adversarial import GAMES
from training.losses.codes import domain_similarity
from training.losses.color import palette_distance
from training.losses.lipschitz import GradientNorm, SpectralNorm
from training.losses.perceptual import content_distance, style_distance
from training.preset import Preset
from training.recipe import Game, Phase, Recipe, Term
from training.steps.domains import Domains


def painter(config: Painter) -> Preset:
    """Photos to paintings of many domains by one generator, judged by its pixels and by frozen features, domain by domain."""
    if config.features.network != "squeezenet1_1":
        raise ValueError(f"the painter's layers are those of squeezenet1_1, got --features.network {config.features.network}")
    data = PhotosAndPaintings(config.data.photos, config.data.paintings, config.data.crop, config.seed)
    stylizer, encoder = StyleGenerator(), StyleEncoder()
    paintings = torch.stack([data[position]["painting"] for position in range(32)])
    encoder.calibrate(paintings)
    if config.start is not None:
        package = load_pipeline(config.start)
        stylizer, encoder = package.stylizer, package.encoder
    features = FeaturePyramid(
        config.features.network,
        sorted({*Domains.content_layers, *Domains.style_layers, *Domains.judged_layers}),
        config.features.weights,
        config.features.normalization,
    )
    seen = features(paintings)
    judge = FeatureDiscriminator(
        Domains.judged_layers, [seen[layer].shape[1] for layer in Domains.judged_layers], num_labels=len(data.styles)
    )
    judge.calibrate(seen)
    nets = {
        "stylizer": stylizer,
        "encoder": encoder,
        "discriminator": PatchDiscriminator(
            base_channels=32,
            num_scales=2,
            num_labels=len(data.styles),
            norm="none",
        ),
        "judge": judge,
        "features": features,
    }
    recipe = Recipe(
        step=Domains,
        phases=(Phase("generator", ("stylizer", "encoder")), Phase("discriminator", ("discriminator", "judge"))),
        games=(
            Game(
                "discriminator",
                real="painting",
                fake="fake",
                loss=GAMES[config.game],
                given="label",
                weight=config.adversarial,
                emphasis="strength",
                lipschitz=GradientNorm(1.0, on=("real", "fake")) if config.game == "relativistic" else SpectralNorm(),
            ),
            Game(
                "judge",
                real="painting_features",
                fake="fake_features",
                loss=GAMES[config.game],
                given="label",
                weight=config.adversarial,
                emphasis="strength",
                lipschitz=SpectralNorm(),
            ),
        ),
        terms=(
            Term("content", content_distance, ("fake_features", "photo_content"), config.content),
            Term("style", style_distance, ("fake_features", "painting_style", "strength"), config.style),
            Term("palette", palette_distance, ("fake", "painting", "strength"), config.palette),
            Term("apart", domain_similarity, ("code", "label"), config.apart),
        ),
    )
    return Preset(
        nets=nets,
        recipe=recipe,
        data=data,
        rates={"generator": 1e-3, "discriminator": 2e-4},
        # slow, as StyleGAN's mapping network (Karras et al. 2019, appendix C): or all codes drift one way, and styles merge
        paces={"encoder": 0.1},
        averaged=("stylizer", "encoder"),
        export=PainterExport(config, data),
        judge=Painted(Held(lambda: data, COUNT, FAR), features, config.style, config.content),
    )
