"""The content of one picture, the style of another."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Between, Features, Run, Unpaired

if TYPE_CHECKING:
    from torch import nn
    from torch.utils.data import Dataset

    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from training.engine.preset import Preset
    from training.evaluate.held_out import Make

STYLE_PICTURES = 64  # of the target domain, whose mean code is its style


@dataclass(frozen=True, kw_only=True)
class Reference(Run):
    """Style transfer guided by a reference picture, G(x, y): the content of x in the style of y."""

    preset: ClassVar = "reference"

    data: Unpaired = field(default_factory=Unpaired)
    features: Features = field(default_factory=Features)
    rate: float = 5e-4
    """Learning rate of generator and discriminator."""
    content: float = 10.0
    """Weight of the content loss, L1 on features."""
    style: float = 30.0
    """Weight of the Gram matrix loss against the reference."""
    constancy: float = 1.0
    """Weight of f-constancy and of the identity on the target domain (Taigman et al. 2017)."""

    sizes = ((64, 2), (64, 4), (128, 2), (128, 4))
    target_updates = 500
    space: ClassVar = {"rate": RATES, "content": Between(1, 100), "style": Between(3, 300), "constancy": Between(0.1, 10)}


def reference(config: Reference) -> "Preset":
    """G(x, y): the content of one picture, the style of another. With f-constancy and identity on the target domain."""
    import torch
    from torch.nn.functional import l1_loss

    from styletransfer.models.features import FeaturePyramid
    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from styletransfer.models.style_encoder import StyleEncoder
    from styletransfer.models.style_generator import StyleGenerator
    from training.data.folders import folders_of, scored_on
    from training.data.streams import unpaired
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe, Term
    from training.evaluate.held_out import without_pairs
    from training.losses.adversarial import HINGE
    from training.losses.lipschitz import SpectralNorm
    from training.losses.matching import constancy, feature_l1
    from training.losses.perceptual import style_distance
    from training.packaging.export import Export, held_out
    from training.steps.features import LAYERS
    from training.steps.features import Reference as ReferenceStep

    data = unpaired(config.data, config.seed)
    name = config.data.world or config.data.b.resolve().name
    encoder = StyleEncoder()
    encoder.calibrate(torch.stack([data[position]["b"] for position in range(32)]))
    seen = config.features
    nets = {
        "stylizer": StyleGenerator(),
        "encoder": encoder,
        "d": PatchDiscriminator(base_channels=32, norm="none"),
        "features": FeaturePyramid(seen.network, LAYERS[seen.network], seen.weights, seen.normalization),
    }
    recipe = Recipe(
        step=ReferenceStep,
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
        export=Export(
            config, partial(pipeline, name, data), "reference.md", photos=partial(held_out, config), fields={"style": name}
        ),
        scorer=without_pairs(config.data, config.seed, by_another),
        scored_on=scored_on(folders_of(config.data)),
        clip_norm=20.0,
    )


def by_another(source: str, seen: str) -> "Make":
    """What the stylizer makes of a picture by another sample's picture of the style: its own would show it the answer."""
    return lambda nets, batch: nets["stylizer"](batch[source], nets["encoder"](batch[seen].roll(1, dims=0)))


def pipeline(name: str, data: "Dataset", stylizer: "nn.Module", encoder: "nn.Module") -> "StyleTransferPipeline":
    """The networks with the target domain of `data` as their only style. It has no palette: they learned to change colours."""
    import torch

    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from styletransfer.styles import Style, unit

    with torch.no_grad():
        codes = unit(encoder(torch.stack([data[position]["b"] for position in range(STYLE_PICTURES)])).float())
    return StyleTransferPipeline(stylizer, encoder, styles=[Style(unit(codes.mean(dim=0, keepdim=True)), name)])
