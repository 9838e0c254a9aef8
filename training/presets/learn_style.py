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
SCORED = 8  # held-out photos of a validation


@dataclass(frozen=True, kw_only=True)
class LearnStyle(Run):
    """A new style for a trained painter: a small adapter is learned, so no other style can change."""

    preset: ClassVar = "learn-style"

    package: tyro.conf.Positional[str] = "painter"
    """Painter package: a folder, a Hub id, or the name of one that comes along."""
    paintings: Path
    """A painting to learn from, or a folder of a few."""
    name: str
    """What to call the style."""
    photos: Path | None = None
    """Folder of photos to practise on; none draws scenes."""
    file: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Style file to write; NAME.safetensors by default."""
    add: Path | None = None
    """Write a copy of the package that has the style, too; an empty or new folder."""
    crop: Annotated[int, tyro.conf.arg(aliases=["--data.crop"])] = 192  # what errors about pictures call it
    """Side of the square training crops, in pixels."""
    from_style: str | None = None
    """A style of the package, or a style file, whose strokes to start from: one of a like hand takes less time."""
    features: Features = field(default_factory=Features)
    rate: float = 2e-3
    """Learning rate of the adapter."""
    discriminator_rate: float = 4e-4
    """Learning rate of the discriminator."""
    content: float = 3.0
    """Weight of the content distance to the recoloured photo."""
    style: float = 20.0
    """Weight of the nearest-neighbour feature distance to the painting."""
    moments: float = 10.0
    """Weight of the distance of channel means and deviations."""
    palette: float = 60.0
    """Weight of the colour distance to the painting."""
    adversarial: float = 1.0
    """Weight of the adversarial loss."""
    title: str = ""
    """Of the painting, for the style file; like the next four, as the page and cards show it."""
    artist: str = ""
    year: str = ""
    source: str = ""
    """Where the picture of the painting comes from."""
    licence: str = ""
    batch: int = 2
    out: Path = Path("runs/learn-style")
    """Folder of the run: state, samples, logs, and in pipeline/ the style with its card, ready to be published."""
    log_every: int = 10
    sample_every: int = 100
    save_every: int = 100

    smaller = ((96, 2), (128, 2))
    enough = 200

    @property
    def data(self) -> Data:
        return Data(photos=self.photos, paintings=self.paintings, crop=self.crop)

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
    from training.data.folders import PARTS, PhotosAndPaintings
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
        judge=Painted(Held(lambda: held, SCORED), features, config.style, config.content, AdaptedPainting, frozen),
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
        raise ValueError(f"{name_or_file} has learned nothing to start from: the encoder alone saw its painting")
    return style
