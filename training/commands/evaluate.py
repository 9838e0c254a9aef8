"""Score a package as its users get it: everything between what the untouched photo gets and what real paintings get.

`python -m training evaluate PACKAGE --photos DIR --paintings DIR`; for a painter with --independent.weights FILE first style and
content by features that no loss sees.
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from styletransfer import load_pipeline
from training.evaluate import independent, scores
from training.evaluate.independent import Independent
from training.evaluate.report import tables
from training.evaluate.subjects import subject
from training.options import Features


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Scores of a package on pictures that it was not trained on."""

    package: tyro.conf.Positional[str]
    """A package's folder or Hub id."""
    photos: Path | None = None
    """Folder of photos to paint, searched with its sub-folders, as in training."""
    paintings: Path | None = None
    """Folder of real paintings: of a painter one file for each style, of its name, anywhere below; of others, or where a style is
    many paintings, a sub-folder for each style or domain; or the real pictures of a generator."""
    held: bool = False
    """Of the photos take those alone that a training on the folder holds out: every tenth."""
    names: Path | None = None
    """A json, name of a style -> name of its painting's file, with or without its ending; by default they are the same."""
    artists: Path | None = None
    """A csv with the columns file and artist: another painting of the artist, beside a style's own, is then an anchor."""
    metrics: tuple[Literal[*scores.NEEDS], ...] = ()
    """Some metrics; by default all that need no download but that of --features."""
    independent: Independent = field(default_factory=Independent)
    features: Features = field(default_factory=Features)
    limit: int = 200
    """At most so many photos, and paintings of a style."""
    json: Path | None = None
    """Write the report here as well."""

    def __post_init__(self):
        if self.photos is None and self.paintings is None:
            raise ValueError("give --photos DIR and --paintings DIR")
        if self.limit < 2:
            raise ValueError(f"--limit must be at least two, as one picture is compared with another, got {self.limit}")


def measure(options: Evaluate) -> dict:
    pipe = load_pipeline(options.package)
    pictures = subject(pipe, options.photos, options.paintings, options.limit, options.held, options.names)
    named, protocol = None, scores.protocol(pictures)
    if options.independent.weights and pictures.single:
        features = independent.features(options.independent, options.paintings)
        named = independent.NamedStyles(features, features.see(pictures.photos), pictures.single, options.artists)
        protocol = f"{independent.protocol(features)}. Others: {protocol}"
    found, warnings = scores.score(pipe, pictures, options.features, options.metrics, named)
    if options.independent.weights and named is None:
        warnings.append("no style and content by features that no loss sees: no style of the package is a single painting")
    print("\n".join([tables(found), *(f"careful: {warning}" for warning in warnings)]))
    return {"package": options.package, "protocol": protocol, "scores": found, "warnings": warnings}


def main(arguments: list[str]) -> None:
    options = tyro.cli(Evaluate, prog="python -m training evaluate", description=__doc__, args=arguments)
    result = measure(options)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=2, default=dataclasses.asdict) + "\n", encoding="utf-8")
