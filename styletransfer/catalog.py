"""What packages lie in a folder, read from their cards and file headers. Costs neither torch nor diffusers."""

import difflib
import json
import logging
import math
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from styletransfer.tasks import TASKS, Task

REPOSITORY = Path(__file__).resolve().parents[1]
MODEL_CARDS = "model_cards"
DEFAULT_PACKAGE = "painter"
STYLES_FOLDER = "styles"  # of a package, with a file for each style
PIPELINE_FILE = "pipeline"  # module of a package that holds the pipeline for plain diffusers
MAX_HEADER = 1_000_000  # bytes
MAX_TEXT = 1_000_000  # bytes of a card or a json: strangers write them, too
MAX_FRONT_MATTER = 10_000  # characters: YAML of a hundred thousand takes its reader a minute
MAX_TITLE = 200  # characters
MAX_FIELDS, MAX_ABOUT = 10, 300  # of what a style file says of its painting: how many, and characters of each

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Package:
    """A package on disk.

    Args:
        path: Its folder.
        name: The folder's name, or its id on the Hub if it was fetched.
        title: What to call it, from the card.
        kind: Class of its pipeline.
        styles: What each of its styles says of its painting, by the style's name: `title`, `artist`, `year`. The first is the one
            that the card names as its `cover`, then the oldest. Of a translator the names of its domains, of which nothing is
            said.
        samples: Its sample pictures; the thumbnail of a style is `samples/<style>.jpg`.
        card: Everything in the front matter of the card.
    """

    path: Path
    name: str
    title: str
    kind: str
    styles: dict[str, dict[str, str]]
    samples: tuple[Path, ...]
    card: dict

    @property
    def task(self) -> Task:
        """What its pipeline does; of an unknown kind nothing."""
        return TASKS.get(self.kind, Task())

    @property
    def looks(self) -> list[str | None]:
        """What a photo can be turned into: its styles, or None alone for one look that has no name."""
        if self.task.takes != "photo":
            return []
        return [*self.styles] or ([] if self.task.any_painting else [None])

    def thumbnail(self, style: str) -> Path | None:
        path = self.path / "samples" / f"{style}.jpg"
        return path if path in self.samples else None


def list_packages(folder: str | Path) -> list[Package]:
    """Packages in `folder`, by name. A broken one is named in the log and left out.

    `[package.title for package in list_packages("model_cards")]`
    """
    packages = []
    for path in sorted(Path(folder).glob("*/model_index.json")):
        try:
            packages.append(read_package(path.parent))
        except (ValueError, OSError) as error:
            logger.warning("left out a package: %s", error)
    return packages


def read_package(folder: str | Path, name: str | None = None) -> Package:
    """The package in `folder`; `name` is its id on the Hub, whose cache names folders by commits."""
    folder = Path(folder)
    name = name or folder.resolve().name
    index = read_index(folder)
    card = read_front_matter(folder / "README.md")
    domains = index.get("domains")
    names = [name for name in domains if isinstance(name, str)] if isinstance(domains, dict | list) else []
    about = [read_about(path) for path in sorted((folder / STYLES_FOLDER).glob("*.safetensors"))]
    about = sorted(
        (style for style in about if "name" in style), key=lambda style: (style["name"] != card.get("cover"), year(style))
    )
    return Package(
        path=folder,
        name=name,
        title=title_of(card) or name.rpartition("/")[2],
        kind=index["_class_name"],
        styles={name: {} for name in names} | {style["name"]: style for style in about},
        samples=tuple(sorted(folder.glob("samples/*.jpg"))),
        card=card,
    )


def read_about(style: Path) -> dict[str, str]:
    """What a style file says of itself and of its painting."""
    metadata = read_header(style).get("__metadata__", {})
    return {name: text[:MAX_ABOUT] for name, text in [*metadata.items()][:MAX_FIELDS]}


def title_of(card: dict) -> str:
    """What a card calls its package, which may be nothing."""
    titles = (card.get(field) for field in ("title", "model_name"))
    return next((title[:MAX_TITLE] for title in titles if isinstance(title, str) and title.strip()), "")


def year(about: dict[str, str]) -> float:
    """The year of a style's painting, from words such as "c. 1831"; infinite where none is said."""
    found = re.search(r"\d{3,4}", about.get("year", ""))
    return int(found.group()) if found else math.inf


def read_index(folder: Path) -> dict:
    """A package's `model_index.json`, with the name of its pipeline class alone: packages may name their file for it as well."""
    path = folder / "model_index.json"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a style package: it has no model_index.json")
    index = read_json(path)
    match index.get("_class_name"):
        case [file, str(name)] if file == PIPELINE_FILE:
            index["_class_name"] = name
    if not isinstance(index.get("_class_name"), str):
        raise ValueError(f"{path} does not name a pipeline class")
    return index


def read_json(path: Path) -> dict:
    """The JSON object in a file."""
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} does not exist") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content


def read_text(path: Path) -> str:
    if path.stat().st_size > MAX_TEXT:
        raise ValueError(f"{path} is too large: {path.stat().st_size} bytes, at most {MAX_TEXT} are read")
    return path.read_text(encoding="utf-8")


class PlainLoader(yaml.SafeLoader):
    """YAML without aliases: a card of a kilobyte that nests them stands for gigabytes of text."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def read_front_matter(card: Path) -> dict:
    """The YAML block between the lines of three dashes at the top of a card; empty without a card."""
    if not card.exists():
        return {}
    head, *block = read_text(card).split("---\n", 2)
    if head.strip() or len(block) < 2:
        return {}
    if len(block[0]) > MAX_FRONT_MATTER:
        raise ValueError(f"the front matter of {card} has {len(block[0])} characters, and at most {MAX_FRONT_MATTER} are read")
    try:
        content = yaml.load(block[0], PlainLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"the front matter of {card} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise ValueError(f"the front matter of {card} must be a mapping, got {type(content).__name__}")
    return content


def read_header(path: Path) -> dict:
    """Names and shapes of the tensors in a safetensors file and its metadata, without reading the tensors."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(size)) if size <= MAX_HEADER else None
    except (ValueError, RecursionError):
        header = None
    about = header.get("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise ValueError(f"{path} is not a readable safetensors file")
    return header


def check_style(name: str, styles: Iterable[str]) -> None:
    """Refuse a style that is not there, in a sentence that helps to find the one that was meant."""
    styles = list(styles)
    if name not in styles:
        close = difflib.get_close_matches(str(name).lower(), styles, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(f"there is no style {name!r}, only {', '.join(styles) or 'none at all'}{hint}")


def find_package(name: str | None = None) -> Path | str:
    """Folder of a package that people name by its path or, for those that come along, by its name; otherwise a Hub id.

    Without a name it is that in the environment variable STYLETRANSFER_PACKAGE, or painter.
    """
    name = name or os.environ.get("STYLETRANSFER_PACKAGE") or DEFAULT_PACKAGE
    shipped = REPOSITORY / MODEL_CARDS / name
    if not Path(name).is_dir() and "/" not in name and shipped.is_dir():
        return shipped
    return Path(name) if Path(name).is_dir() else name
