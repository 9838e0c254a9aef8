"""One more style for a trained painter: the networks are frozen, an adapter of the generator is all that learns."""

import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from string import Template

from accelerate.utils import set_seed
from PIL import Image
from torch import Tensor, nn

from styletransfer.catalog import STYLES_FOLDER, find_package
from styletransfer.images import open_image, to_pil
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.style_adapter import StyleAdapter, adapted
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.loading import fetch
from styletransfer.pipelines.style_transfer import STYLE_FILE, StyleTransferPipeline
from styletransfer.styles import ABOUT, Style, check_name
from training.commands.learn_style import LearnStyle
from training.data.folders import PARTS, PhotosAndPaintings
from training.engine.preset import Preset
from training.engine.recipe import Phase, Recipe
from training.evaluate.held_out import Held, Painted
from training.packaging.cards import CARDS
from training.packaging.painter import thumbnail
from training.presets.painter import BETAS, feature_pyramid, game, terms
from training.steps.painting import Painting

PAINTING_SCALE = (0.35, 0.7)  # side of a crop relative to the painting's shorter side: closer than the base, for broader strokes
SCORED = 8  # held-out photos of a validation
ADDED = "## Added styles"  # of a card


class AdaptedPainting(Painting):
    """The paintings of one style. Batch: as for `Painting`. Networks: `stylizer`, frozen, `codes`, `adapter`, `features`."""

    @cached_property
    def code(self) -> Tensor:
        return self.nets["codes"](self["label"])

    def paint(self, strength: Tensor) -> Tensor:
        return adapted(self.nets["stylizer"], self.nets["adapter"](), self["recolored"], self.code * strength[:, None])


class Codes(nn.Module):
    """The code of each painting, as the encoder saw the whole of it."""

    def __init__(self, codes: Tensor):
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, label: Tensor) -> Tensor:
        return self.codes[label]


def learn_style(config: LearnStyle) -> Preset:
    """The painter's losses, with its weights, and a discriminator that sees patches of these very paintings."""
    check_name(config.name)
    package = fetch(find_package(config.package))
    pipe = load_pipeline(package)
    if not isinstance(pipe, StyleTransferPipeline):
        raise ValueError(f"{config.package} holds a {type(pipe).__name__}: only a painter can learn a style")
    if config.name in pipe.styles:
        raise ValueError(f"{config.package} has a style {config.name!r} already; give this one another --name")
    set_seed(config.seed)
    data, held = (
        PhotosAndPaintings(
            config.photos, config.paintings, config.crop, config.seed, part, painting_scale=PAINTING_SCALE, parted=False
        )
        for part in PARTS
    )
    start = pipe.encode_style(data.paintings, config.name)
    pipe.stylizer.requires_grad_(False)
    features = feature_pyramid(config.features)
    frozen = {"stylizer": pipe.stylizer, "codes": Codes(start.codes), "features": features}
    return Preset(
        nets=frozen
        | {"adapter": StyleAdapter.of(pipe.stylizer), "discriminator": PatchDiscriminator(base_channels=24, norm="none")},
        recipe=Recipe(
            step=AdaptedPainting,
            phases=(Phase("generator", ("adapter",)), Phase("discriminator", ("discriminator",))),
            games=(game(config.adversarial),),
            terms=terms(config),
        ),
        data=data,
        rates={"generator": config.rate, "discriminator": 4e-4},
        betas=BETAS,
        averaged=("adapter",),
        average_decay=0.98,  # a style is learned in hundreds of updates
        export=StyleExport(config, package, start, to_pil(held[0]["photo"])),
        judge=Painted(Held(lambda: held, SCORED), features, config.style, config.content, AdaptedPainting, frozen),
    )


@dataclass(frozen=True)
class StyleExport:
    """Writes the style file with a card and a sample.

    Args:
        package: Folder of the painter.
        start: The style as the encoder saw it.
        photo: A photo for the sample, where the package has none.
    """

    config: LearnStyle
    package: Path
    start: Style
    photo: Image.Image

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        config = self.config
        factors = {name: factor.detach().cpu() for name, factor in nets["adapter"].factors().items()}
        about = {name: value for name in ABOUT if (value := getattr(config, name))}
        style = Style(self.start.codes, config.name, self.start.palettes, factors, about)
        style.save(self.style_of(folder))
        photo = self.package / "samples" / "photo-1.jpg"
        photo = open_image(photo) if photo.is_file() else self.photo
        (folder / "samples").mkdir(exist_ok=True)
        painting = load_pipeline(self.package)(photo, style).images[0]
        thumbnail(painting, 256).save(folder / "samples" / f"{style.name}.jpg", quality=88)
        template = Template((CARDS / "style.md").read_text(encoding="utf-8"))
        fields = {
            "title": json.dumps(style.name),
            "name": style.name,
            "package": config.package if self.on_the_hub else f"model_cards/{self.package.resolve().name}",
            "paintings": f"{len(style.codes)} painting{'s' * (len(style.codes) > 1)}",
            "about": ", ".join(about.values()) or "The painting and its licence are those of whoever learned this style.",
            "photos": "drawn scenes" if config.photos is None else "photos",
            "options": f"--minutes {config.minutes:g}" if config.updates is None else f"--updates {config.updates}",
        }
        (folder / "README.md").write_text(template.substitute(fields), encoding="utf-8")

    @property
    def on_the_hub(self) -> bool:
        return not Path(find_package(self.config.package)).exists()

    @staticmethod
    def style_of(folder: Path) -> Path:
        return folder / STYLE_FILE


def add_style(package: Path, learned: Path, folder: Path) -> None:
    """Copy `package` to `folder` and add the style in the folder `learned`: its file, its thumbnail, a line of the card.

    The files of the networks are copied byte for byte.
    """
    style = Style.load(learned / STYLE_FILE)
    shutil.copytree(package, folder, dirs_exist_ok=True)
    style.save(folder / STYLES_FOLDER / f"{style.name}.safetensors")
    shutil.copytree(learned / "samples", folder / "samples", dirs_exist_ok=True)
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8").rstrip() if card.is_file() else ""
    if ADDED not in text:
        text += f"\n\n{ADDED}\n"
    line = f"* {style.name}: learned later by `python -m training learn-style`; no network was changed."
    card.write_text(f"{text}\n{line}\n", encoding="utf-8")
