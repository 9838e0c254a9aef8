"""Presets that measure content and style on features: semantic, reference, layers."""

import torch
from torch.nn.functional import l1_loss

from styletransfer.models.backbone_discriminator import BackboneDiscriminator
from styletransfer.models.features import FeaturePyramid
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.models.unet_generator import UNetGenerator
from training import options
from training.data.streams import unpaired
from training.engine.preset import Preset
from training.engine.recipe import Game, Phase, Recipe, Term
from training.evaluate.held_out import Make, by_network, without_pairs
from training.losses.adversarial import HINGE
from training.losses.lipschitz import GradientNorm, SpectralNorm
from training.losses.matching import constancy, feature_l1, feature_matching
from training.losses.perceptual import content_distance, style_distance
from training.packaging.package import TranslatorExport
from training.packaging.reference import ReferenceExport
from training.steps.semantic import LAYERS, Layers, Reference, Semantic

PHASES = (Phase("generator", ("g",)), Phase("discriminator", ("d",)))


def semantic(config: options.Semantic) -> Preset:
    """A U-Net against a classification network, in three stages: reconstruct the picture, enter the domain, take its style."""
    discriminator = BackboneDiscriminator(backbone=config.backbone)
    if config.pretrained:
        discriminator.load_imagenet()
    # a spectral norm would shrink trained weights, but not the biases that they were trained with
    smooth = GradientNorm(10.0) if config.pretrained else SpectralNorm()
    nets = {"g": unet(config), "d": discriminator, "features": pyramid(config.features)}
    recipe = Recipe(
        step=Semantic,
        phases=PHASES,
        games=(Game("d", real="b", fake="fake", loss=HINGE, lipschitz=smooth, during=(0.2, 1.0)),),
        terms=(
            # first the picture itself (Chen et al. 2018, CartoonGAN, sec. 3.3): the game starts from a good place
            Term("reconstruction", l1_loss, ("fake", "a"), 10.0, during=(0.0, 0.2)),
            Term("content", content_distance, ("fake_features", "a_content"), config.content),
            Term("style", style_distance, ("fake_features", "b_style"), config.style, during=(0.4, 1.0)),
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
        betas=(0.5, 0.999),
    )


def reference(config: options.Reference) -> Preset:
    """G(x, y): the content of one picture, the style of another. With f-constancy and identity on the target domain."""
    data = unpaired(config.data, config.seed)
    encoder = StyleEncoder()
    encoder.calibrate(torch.stack([data[position]["b"] for position in range(32)]))
    nets = {
        "stylizer": StyleGenerator(),
        "encoder": encoder,
        "d": PatchDiscriminator(base_channels=32, norm="none"),
        "features": pyramid(config.features),
    }
    recipe = Recipe(
        step=Reference,
        phases=(Phase("generator", ("stylizer", "encoder")), Phase("discriminator", ("d",))),
        games=(Game("d", real="b", fake="fake", loss=HINGE, lipschitz=SpectralNorm()),),
        terms=(
            Term("content", feature_l1, ("fake_features", "a_content"), config.content),
            Term("style", style_distance, ("fake_features", "b_style"), config.style),
            Term("constancy", constancy, ("fake_features", "a_meaning"), config.constancy),
            Term("same_b", l1_loss, ("same_b", "b"), config.constancy),
        ),
    )
    return Preset(
        nets=nets,
        recipe=recipe,
        data=data,
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("stylizer", "encoder"),
        export=ReferenceExport(config, data),
        judge=without_pairs(config.data, config.seed, by_another),
    )


def by_another(source: str, seen: str) -> Make:
    """What the stylizer makes of a picture by another sample's picture of the style: its own would show it the answer."""
    return lambda nets, batch: nets["stylizer"](batch[source], nets["encoder"](batch[seen].roll(1, dims=0)))


def layers(config: options.Layers) -> Preset:
    """Content and style by the middle layers of the discriminator: it learns what the domain looks like, and how to see it."""
    nets = {"g": unet(config), "d": PatchDiscriminator(base_channels=config.width, norm="none")}
    recipe = Recipe(
        step=Layers,
        phases=PHASES,
        games=(Game("d", real="b", fake="fake", loss=HINGE, lipschitz=SpectralNorm()),),
        terms=(
            Term("content", content_distance, ("fake_content", "a_content"), config.content),
            Term("style", style_distance, ("fake_layers", "b_layers"), config.style),
            Term("matching", feature_matching, ("fake_layers", "b_layers"), config.style),
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
        betas=(0.5, 0.999),
    )


def unet(config: options.Semantic | options.Layers) -> UNetGenerator:
    # no dropout: in pix2pix it stands for the noise, and nothing here asks for more than one result
    return UNetGenerator(base_channels=config.width, num_downs=min(8, config.data.crop.bit_length() - 1), dropout=0.0)


def pyramid(features: options.Features) -> FeaturePyramid:
    return FeaturePyramid(features.network, LAYERS[features.network], features.weights, features.normalization)
