"""`python -m training cards PACKAGE --evaluation REPORT`: the scores of an evaluation in the card of a package."""

from dataclasses import dataclass
from pathlib import Path

import tyro

from styletransfer.catalog import read_json
from training.packaging.cards import FIELDS_FILE, measured, write_card


@dataclass(frozen=True, kw_only=True)
class Card:
    """Write the card of a package anew."""

    package: tyro.conf.Positional[Path]
    """Folder of the package."""
    evaluation: tuple[Path, ...] = ()
    """Reports of `python -m training evaluate --json`, in place of the scores that the card has."""


def main(arguments: list[str]) -> None:
    options = tyro.cli(Card, prog="python -m training cards", description=__doc__, args=arguments)
    fields = read_json(options.package / FIELDS_FILE)
    write_card(options.package, fields | (measured(options.evaluation) if options.evaluation else {}))
