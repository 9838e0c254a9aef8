"""What learn-style leaves: the style file with its card and a sample, and a copy of the package that has the style."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template

from PIL import Image
from torch import nn

from styletransfer.catalog import STYLES_FOLDER, find_package
from styletransfer.images import open_image
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.style_transfer import STYLE_FILE
from styletransfer.styles import ABOUT, Style
from training.options import Run
from training.packaging.cards import CARDS
from training.packaging.painter import thumbnail

ADDED = "## Added styles"  # of a card


@dataclass(frozen=True)
class StyleExport:
    """Writes the style file with a card and a sample.

    Args:
        package: Folder of the painter.
        start: The style as the encoder saw it.
        photo: A photo for the sample, where the package has none.
    """

    config: Run
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
