"""The packages that tabs offer in a menu."""

from dataclasses import dataclass

import gradio as gr

from styletransfer.catalog import Package
from styletransfer.ui.inputs import refusal
from styletransfer.ui.page import Page
from styletransfer.ui.visitor import Visitor
from styletransfer.ui.words import tell


@dataclass(frozen=True)
class Picker:
    """Offers the packages of the catalogue and of a visitor whose pipeline takes a "photo" or "noise", by name."""

    page: Page
    takes: str

    def offered(self, visitor: Visitor) -> dict[str, Package]:
        return {package.name: package for package in (*self.page.catalog, *visitor.packages) if package.task.takes == self.takes}

    def choices(self, visitor: Visitor) -> list[tuple[str, str]]:
        return [(package.title, name) for name, package in self.offered(visitor).items()]

    def follow(self, visitor: Visitor, current: str | None) -> dict:
        """What the menu becomes when the visitor changes: what was loaded last is picked, if it is offered."""
        names = list(self.offered(visitor))
        latest = visitor.packages[-1].name if visitor.packages else None
        value = next((name for name in (latest, current, *names) if name in names), None)
        return gr.update(choices=self.choices(visitor), value=value)

    def open(self, visitor: Visitor, name: str):
        """The pipeline of a package that is offered."""
        package = self.offered(visitor).get(name)
        if package is None:
            raise refusal(tell("picker_gone", name=name))
        try:
            return self.page.load(package.path)
        except (ValueError, OSError):  # says where on the server the package lies
            raise refusal(tell("picker_broken", name=name)) from None
