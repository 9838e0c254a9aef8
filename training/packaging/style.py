"""What learn-style leaves: the style file with its card and a sample, and a copy of the package that has the style."""

import json
import shutil
from dataclasses import replace
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
from training.packaging.command import budget
from training.packaging.samples import save_thumbnail

ADDED = "## Added styles"  # of a card


def write_style(
    config: Run, package: Path, start: Style, practised: Image.Image, nets: dict[str, nn.Module], folder: Path
) -> None:
    """Write the style file, as `start` with what the network `adapter` learned, its card and a sample.

    Args:
        package: Folder of the painter.
        start: The style as the encoder saw it.
        practised: A photo for the sample, where the package has none.
    """
    factors = {name: factor.detach().cpu() for name, factor in nets["adapter"].factors().items()}
    about = {name: value for name in ABOUT if (value := getattr(config, name))}
    style = replace(start, adapter=factors, about=about)
    style.save(folder / STYLE_FILE)
    photo = package / "samples" / "photo-1.jpg"
    painting = load_pipeline(package)(open_image(photo) if photo.is_file() else practised, style).images[0]
    save_thumbnail(painting, folder / "samples" / f"{style.name}.jpg")
    fields = {
        "title": json.dumps(style.name),
        "name": style.name,
        "package": f"model_cards/{package.resolve().name}" if Path(find_package(config.package)).exists() else config.package,
        "paintings": f"{len(style.codes)} painting{'s' * (len(style.codes) > 1)}",
        "about": ", ".join(about.values()) or "The painting and its licence are those of whoever learned this style.",
        "photos": "drawn scenes" if config.photos is None else "photos",
        "options": budget(config),
    }
    template = Template((CARDS / "style.md").read_text(encoding="utf-8"))
    (folder / "README.md").write_text(template.substitute(fields), encoding="utf-8")


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
