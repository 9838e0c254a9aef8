"""One more style for a trained painter: the networks are frozen, an adapter of the generator is all that learns."""

import dataclasses
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from training.options import Data, Features, Run
from training.presets.painter import BETAS, CLIP_NORM, Painted, feature_pyramid, game, load_painter, terms

if TYPE_CHECKING:
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from styletransfer.styles import Style
    from training.engine.preset import Preset

PAINTING_SCALE = (0.35, 0.7)  # side of a crop relative to the painting's shorter side: closer than the base, for broader strokes
SCORED = 8  # photos of a validation


@dataclass(frozen=True, kw_only=True)
class LearnStyle(Run):
    """A new style for a trained painter: a small adapter is learned, so no other style can change."""

    preset: ClassVar = "learn-style"

    package: tyro.conf.Positional[str] = "painter"
    """Painter package: a folder, a Hub id, or the name of a bundled package."""
    paintings: Path
    """A painting to learn from, or a folder of several."""
    name: str
    """Name of the style."""
    photos: Path | None = None
    """Folder of photos to train on. Default: a built-in synthetic data set of drawn scenes."""
    file: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Style file to write; NAME.safetensors by default."""
    add: Path | None = None
    """Also write a copy of the package with the new style into this new or empty folder."""
    crop: Annotated[int | None, tyro.conf.arg(aliases=["--data.crop"])] = None  # what errors about pictures call it
    """Side of the square training crops in pixels. Default: 192; --minutes may reduce it."""
    data: Data = field(init=False)
    from_style: str | None = None
    """A style of the package, or a style file, to initialize from: a similar one saves time."""
    features: Features = field(default_factory=Features)
    rate: float = 2e-3
    """Learning rate of the adapter."""
    discriminator_rate: float = 4e-4
    """Learning rate of the discriminator."""
    content: float = 3.0
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
    title: str = ""
    """Title of the painting, shown in the demo and on cards, like the next five."""
    artist: str = ""
    year: str = ""
    group: str = ""
    """Group of styles that the demo shows it with."""
    source: str = ""
    """Where the picture comes from."""
    licence: str = ""
    out: Path = Path("runs/learn-style")
    """Folder of the run: state, samples, logs, and in pipeline/ the style with its card, ready to be published."""
    sizes = ((96, 2), (128, 2), (192, 2))
    target_updates = 200
    intervals: ClassVar = {"log_every": 10, "sample_every": 100, "save_every": 100}

    def __post_init__(self):
        super().__post_init__()
        object.__setattr__(self, "data", Data(photos=self.photos, paintings=self.paintings, crop=self.crop))

    def sized(self, crop: int, batch: int) -> "LearnStyle":
        return dataclasses.replace(self, crop=crop, batch=batch)

    @property
    def style_file(self) -> Path:
        return self.file or Path(f"{self.name}.safetensors")


def learn_style(config: LearnStyle) -> "Preset":
    """The painter's losses, with its weights, and a discriminator that sees patches of these very paintings."""
    from accelerate.utils import set_seed

    from styletransfer.images import to_pil
    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from styletransfer.models.style_adapter import StyleAdapter
    from training.data.folders import PARTS, PhotosAndPaintings, scored_on
    from training.engine.preset import Preset
    from training.engine.recipe import Phase, Recipe
    from training.evaluate.held_out import Held
    from training.packaging.style import write_style
    from training.steps.adapted import AdaptedPainting, Codes

    package, pipe = painter_for(config)
    set_seed(config.seed)
    data, held = (
        PhotosAndPaintings(
            config.photos, config.paintings, config.crop, config.seed, part, painting_scale=PAINTING_SCALE, parted=False
        )
        for part in PARTS
    )
    start = pipe.encode_style(data.paintings, config.name)
    adapter = StyleAdapter.of(pipe.stylizer)
    if config.from_style is not None:
        adapter.load_factors(known_style(pipe, config.from_style).adapter)
    pipe.stylizer.requires_grad_(False).train()  # its noise moves, or the adapter would learn that of one crop by heart
    features = feature_pyramid(config.features)
    frozen = {"stylizer": pipe.stylizer, "codes": Codes(start.codes), "features": features}
    return Preset(
        nets=frozen | {"adapter": adapter, "discriminator": PatchDiscriminator(base_channels=24, norm="none")},
        recipe=Recipe(
            step=AdaptedPainting,
            phases=(Phase("generator", ("adapter",)), Phase("discriminator", ("discriminator",))),
            games=(game(config.adversarial),),
            terms=terms(config),
        ),
        data=data,
        rates={"generator": config.rate, "discriminator": config.discriminator_rate},
        betas=BETAS,
        clip_norm=CLIP_NORM,
        averaged=("adapter",),
        average_decay=0.98,  # a style is learned in hundreds of updates
        export=partial(write_style, config, package, start, to_pil(held[0]["photo"])),
        scorer=Painted(Held(lambda: held, SCORED), features, config.style, config.content, AdaptedPainting, frozen),
        scored_on=scored_on([] if config.photos is None else [config.photos]),
    )


def painter_for(config: LearnStyle) -> "tuple[Path, StyleTransferPipeline]":
    """The folder and the pipeline of the painter, which must have no style of that name."""
    from styletransfer.styles import check_name

    check_name(config.name)
    package, pipe = load_painter(config.package)
    if config.name in pipe.styles:
        raise ValueError(f"{config.package} has a style {config.name!r} already; give this one another --name")
    return package, pipe


def known_style(pipe: "StyleTransferPipeline", name_or_file: str) -> "Style":
    """The style of that name, or in that file, which must fit the networks of `pipe` and have learned something."""
    if name_or_file not in pipe.styles and not name_or_file.endswith(".safetensors"):
        raise ValueError(f"no style {name_or_file!r}: give a style file or one of {', '.join(pipe.styles) or 'none'}")
    known = pipe.named.get(name_or_file)
    style = known or pipe.load_style(name_or_file, name="the start of another style")
    if not style.adapter:
        raise ValueError(f"{name_or_file} has no adapter to start from: only the encoder has seen its painting")
    return style
