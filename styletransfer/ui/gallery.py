"""The gallery of the Stylise tab: which styles there are, what they are called, and their thumbnails."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradio.i18n import I18nData
from PIL import Image, ImageOps

from styletransfer.catalog import Package, read_json
from styletransfer.ui.visitor import Visitor
from styletransfer.ui.words import WORDS, say

if TYPE_CHECKING:
    from styletransfer.styles import Style  # imports torch, which the page can be shown without

THUMBNAIL = 160  # pixels of a side


@dataclass(frozen=True, eq=False)
class Choice:
    """A style that can be picked, and the package that paints it."""

    package: Package
    style: str | Style

    @property
    def name(self) -> str:
        return self.style if isinstance(self.style, str) else self.style.name


def painters(packages: Sequence[Package]) -> list[Package]:
    """Those of `packages` that paint by style codes, each once."""
    return [*{package.path: package for package in packages if package.kind == "StyleTransferPipeline"}.values()]


def choices(catalog: Sequence[Package], visitor: Visitor) -> dict[str, Choice]:
    """Every style there is for `visitor`, by a key of its own: its name or, where that is taken, its name and its package's.

    A style that the visitor brought along goes to the first package whose codes are as long, and is left out where there is none.
    """
    found: dict[str, Choice] = {}
    packages = painters([*catalog, *visitor.packages])
    for package in packages:
        for style in package.styles:
            found[style if style not in found else f"{package.name}/{style}"] = Choice(package, style)
    for style in visitor.styles:
        home = next((package for package in packages if code_size(package) == style.codes.shape[1]), None)
        if home is not None:
            key = style.name if style.name not in found else f"{style.name}/{len(found)}"
            found[key] = Choice(home, style)
    return found


def code_size(package: Package) -> int | None:
    """Floats in a style code of `package`."""
    try:
        return read_json(package.path / "stylizer" / "config.json").get("code_size")
    except (ValueError, OSError):
        return None


def labels(styles: Mapping[str, Choice]) -> list[tuple[str | I18nData, str]]:
    """What the gallery shows for each of `styles`, and its key. A key that is more than a name shows its package as well."""
    return [
        (label(choice.name) if "/" not in key else f"{title(choice.name)} ({choice.package.title})", key)
        for key, choice in styles.items()
    ]


def label(style: str) -> str | I18nData:
    """A style's name for people, translated where it is well known."""
    key = f"style_{style}"
    return say(key) if key in WORDS else title(style)


def title(style: str) -> str:
    """`van-gogh` is Van Gogh, `ukiyo-e` stays Ukiyo-e."""
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"[\s_]+|-(?=\w\w)", style))


def data_url(image: Image.Image) -> str:
    """A square JPEG of the middle of `image`."""
    data = io.BytesIO()
    ImageOps.fit(image.convert("RGB"), (THUMBNAIL, THUMBNAIL)).save(data, "jpeg", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def cards_css(thumbnails: Mapping[str, str | None]) -> str:
    """The thumbnails as backgrounds of the radio buttons, which keep their labels, their focus and the keyboard."""
    rules = (
        f".cards label:has(input[value={css_string(key)}])::before {{ background-image: url({url}); }}"
        for key, url in thumbnails.items()
        if url
    )
    return f"<style>{''.join(rules)}</style>"


def css_string(text: str) -> str:
    # names come from files of strangers: whatever could end the string, the rule or the element is escaped
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text) + '"'
