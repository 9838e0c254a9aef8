"""Content and style by the middle layers of the discriminator."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Between, Run, Unpaired

if TYPE_CHECKING:
    from training.engine.preset import Preset


@dataclass(frozen=True, kw_only=True)
class Layers(Run):
    """Style and content measured by the discriminator's own middle layers, without any other network."""

    preset: ClassVar = "layers"

    data: Unpaired = field(default_factory=Unpaired)
    width: int = 64
    """Channels of the first layer."""
    rate: float = 2e-4
    """Learning rate of generator and discriminator."""
    content: float = 10.0
    """Weight of the content distance on the discriminator's layers."""
    style: float = 10.0
    """Weight of the style distance on them."""

    sizes = ((64, 2), (64, 4), (128, 2), (128, 4))
    target_updates = 500
    space: ClassVar = {"rate": RATES, "width": (32, 64), "content": Between(1, 100), "style": Between(1, 100)}


def layers(config: Layers) -> "Preset":
    """Content and style by the middle layers of the discriminator: it learns what the domain looks like, and how to see it."""
    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from styletransfer.models.unet_generator import UNetGenerator
    from training.data.folders import folders_of, scored_on
    from training.data.streams import unpaired
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe, Term
    from training.evaluate.held_out import by_network, without_pairs
    from training.losses.adversarial import HINGE
    from training.losses.lipschitz import SpectralNorm
    from training.losses.matching import feature_matching
    from training.losses.perceptual import content_distance, style_distance
    from training.packaging.export import translator
    from training.steps.features import Layers as LayersStep

    levels = min(8, config.data.crop.bit_length() - 1)
    nets = {
        # no dropout: in pix2pix it stands for the noise, and nothing here asks for more than one result
        "g": UNetGenerator(base_channels=config.width, num_downs=levels, dropout=0.0),
        "d": PatchDiscriminator(base_channels=config.width, norm="none"),
    }
    recipe = Recipe(
        step=LayersStep,
        phases=(Phase("generator", ("g",)), Phase("discriminator", ("d",))),
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
        export=translator(config, "g"),
        scorer=without_pairs(config.data, config.seed, lambda source, _: by_network("g", source)),
        scored_on=scored_on(folders_of(config.data)),
        betas=(0.5, 0.999),
        clip_norm=20.0,
    )
