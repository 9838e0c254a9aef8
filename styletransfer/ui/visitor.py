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
    """A style that can be picked, and the package that paints it. Where that has one look without a name, the style is None."""

    package: Package
    style: str | Style | None

    @property
    def own(self) -> bool:
        """Whether it is the package's own, and not one that a visitor brought along."""
        return self.style in self.package.looks

    @property
    def name(self) -> str:
        if self.style is None:
            return self.package.name.rpartition("/")[2]
        return self.style if self.own else self.style.name

    @property
    def about(self) -> Mapping[str, str]:
        """What is known of its painting: `title`, `artist`, `year` ..."""
        if self.style is None:
            return {"title": self.package.title}
        return self.package.styles[self.style] if self.own else self.style.about

    def mixes(self, other: Choice) -> bool:
        """Whether the two can be painted at once."""
        return self.package.path == other.package.path and self.package.task.any_painting


@dataclass(frozen=True, eq=False)  # a new visitor is a change: Gradio compares states by their hash
class Visitor:
    """Packages and styles beside those of the catalogue, of one visitor alone.

    `dataclasses.replace(visitor, styles=(*visitor.styles, choice))` makes the next value of `page.visitor`.
    """

    packages: tuple[Package, ...] = ()
    styles: tuple[Choice, ...] = ()
