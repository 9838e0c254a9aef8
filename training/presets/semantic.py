"""Style transfer by content and style on features, against a classification network."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from training.options import RATES, Between, Features, Run, Unpaired

if TYPE_CHECKING:
    from training.engine.preset import Preset


@dataclass(frozen=True, kw_only=True)
class Semantic(Run):
    """Semantic style transfer: U-Net against a VGG-16 or ResNet discriminator, in three stages."""

    preset: ClassVar = "semantic"

    data: Unpaired = field(default_factory=Unpaired)
    features: Features = field(default_factory=Features)
    backbone: Literal["vgg16", "resnet18"] = "resnet18"
    """Architecture of the discriminator; vgg16 is several times slower."""
    pretrained: bool = False
    """Initialize the discriminator with torchvision's ImageNet weights, which are downloaded."""
    width: int = 64
    """Channels of the U-Net's first layer."""
    rate: float = 2e-4
    """Learning rate of generator and discriminator."""
    content: float = 10.0
    """Weight of the content loss ||Phi(x) - Phi(G(x))||^2."""
    style: float = 10.0
    """Weight of the Gram matrix loss, in the last stage."""

    sizes = ((64, 2), (64, 4), (128, 2), (128, 4))
    target_updates = 500
    space: ClassVar = {"rate": RATES, "width": (32, 64), "content": Between(1, 100), "style": Between(1, 100)}


def semantic(config: Semantic) -> "Preset":
    """A U-Net against a classification network, in three stages: reconstruct the picture, enter the domain, take its style."""
    from torch.nn.functional import l1_loss

    from styletransfer.models.backbone_discriminator import BackboneDiscriminator
    from styletransfer.models.features import FeaturePyramid
    from styletransfer.models.unet_generator import UNetGenerator
    from training.data.folders import folders_of, scored_on
    from training.data.streams import unpaired
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe, Term
    from training.evaluate.held_out import by_network, without_pairs
    from training.losses.adversarial import HINGE
    from training.losses.lipschitz import GradientNorm, SpectralNorm
    from training.losses.perceptual import content_distance, style_distance
    from training.packaging.export import translator
    from training.steps.features import LAYERS
    from training.steps.features import Semantic as SemanticStep

    discriminator = BackboneDiscriminator(backbone=config.backbone)
    if config.pretrained:
        discriminator.load_imagenet()
    # a spectral norm would shrink trained weights, but not the biases that they were trained with
    smooth = GradientNorm(10.0) if config.pretrained else SpectralNorm()
    levels = min(8, config.data.crop.bit_length() - 1)
    seen = config.features
    nets = {
        # no dropout: in pix2pix it stands for the noise, and nothing here asks for more than one result
        "g": UNetGenerator(base_channels=config.width, num_downs=levels, dropout=0.0),
        "d": discriminator,
        "features": FeaturePyramid(seen.network, LAYERS[seen.network], seen.weights, seen.normalization),
    }
    recipe = Recipe(
        step=SemanticStep,
        phases=(Phase("generator", ("g",)), Phase("discriminator", ("d",))),
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
        export=translator(config, "g"),
        scorer=without_pairs(config.data, config.seed, lambda source, _: by_network("g", source)),
        scored_on=scored_on(folders_of(config.data)),
        betas=(0.5, 0.999),
        clip_norm=20.0,
    )
