"""What one visitor brought along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from styletransfer.catalog import Package

if TYPE_CHECKING:
    from styletransfer.styles import Style  # imports torch, which the page can be shown without


@dataclass(frozen=True, eq=False)  # a new visitor is a change: Gradio compares states by their hash
class Visitor:
    """Packages and styles beside those of the catalogue, of one visitor alone.

    `dataclasses.replace(visitor, styles=(*visitor.styles, style))` makes the next value of `page.visitor`.
    """

    packages: tuple[Package, ...] = ()
    styles: tuple[Style, ...] = ()
