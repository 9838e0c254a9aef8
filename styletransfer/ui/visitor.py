"""What one visitor brought along, and how a style is told from others of its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from styletransfer.catalog import Package

if TYPE_CHECKING:
    from styletransfer.styles import Style  # imports torch, which the page can be shown without


@dataclass(frozen=True, eq=False)
class Choice:
    """A style that can be picked, and the package that paints it."""

    package: Package
    style: str | Style

    @property
    def name(self) -> str:
        return self.style if isinstance(self.style, str) else self.style.name

    @property
    def about(self) -> Mapping[str, str]:
        """What is known of its painting: `title`, `artist`, `year` ..."""
        return self.package.styles[self.style] if isinstance(self.style, str) else self.style.about


@dataclass(frozen=True, eq=False)  # a new visitor is a change: Gradio compares states by their hash
class Visitor:
    """Packages and styles beside those of the catalogue, of one visitor alone.

    `dataclasses.replace(visitor, styles=(*visitor.styles, choice))` makes the next value of `page.visitor`.
    """

    packages: tuple[Package, ...] = ()
    styles: tuple[Choice, ...] = ()
