"""Judge a package as its users get it: every score between what the untouched photo gets and what real paintings get.

`python -m training.evaluate PACKAGE --photos DIR --paintings DIR`; with --data DIR instead the deception rate, which needs
paintings to learn from as well.
"""

import dataclasses
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import tyro

from styletransfer import load_pipeline
from training.config import Features
from training.evaluate import deception, report, scores
from training.evaluate.subjects import subject


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Scores of a package on pictures that it was not trained on."""

    package: tyro.conf.Positional[str | None] = None
    """A package's folder or Hub id. Without one, only the anchors of --data are measured."""
    photos: Path | None = None
    """Folder of photos to paint."""
    paintings: Path | None = None
    """Folder of real paintings, with a sub-folder for each style or domain; or of the real pictures of a generator."""
    metrics: tuple[Literal[*scores.NAMES], ...] = ()
    """Some metrics; by default all that need no download but that of --features."""
    data: Path | None = None
    """Folder with train/ and held/, each with photos/ and paintings/<style>/, as training.data.split makes it: measures the
    deception rate, and of --metrics those that are named, on held/."""
    features: Features = field(default_factory=Features)
    limit: int | None = None
    """At most so many photos; by default all of --data, or else 200. Of the paintings of a style likewise without --data."""
    strengths: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """For the deception rate."""
    json: Path | None = None
    """Write the report here as well."""

    def __post_init__(self):
        if (self.data is None) == (self.photos is None and self.paintings is None):
            raise ValueError("give either --photos DIR and --paintings DIR, or --data DIR")
        if self.package is None and (self.data is None or self.metrics):
            raise ValueError("give a package to judge; without one there are only the anchors of --data")
        if self.limit is not None and self.limit < 2:
            raise ValueError(f"--limit must be at least two, as one picture is compared with another, got {self.limit}")


def measure(options: Evaluate) -> dict:
    pipe = load_pipeline(options.package) if options.package else None
    result: dict = {"package": options.package, "scores": [], "warnings": []}
    photos, paintings = options.photos, options.paintings
    if options.data:
        judge = deception.Describer(options.features)
        result |= deception.evaluate(judge, options.data, pipe, options.limit, options.strengths)
        result["strengths"] = options.strengths
        result["scores"] = deception.scores(result)
        photos, paintings = options.data / "held" / "photos", options.data / "held" / "paintings"
        few = [f"{name} {count}" for name, count in result["pictures"].items() if count < scores.FEW_PICTURES and "held" in name]
        if few:
            result["warnings"].append(f"rates of few pictures have wide intervals: {', '.join(few)}")
        print(deception.table(result))
        print("\n".join(f"careful: {warning}" for warning in result["warnings"]))
    if pipe is not None and (options.metrics or not options.data):
        judged = subject(pipe, photos, paintings, options.limit)
        found, warnings = scores.score(pipe, judged, options.features, options.metrics)
        result["scores"], result["warnings"] = result["scores"] + found, result["warnings"] + warnings
        result["protocol"] = "; ".join([*([result["protocol"]] if options.data else []), scores.protocol(judged)])
        print(report.table(found, warnings))
    return result


def main(arguments: list[str] | None = None) -> int:
    try:
        options = tyro.cli(Evaluate, prog="python -m training.evaluate", description=__doc__, args=arguments)
        result = measure(options)
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(result, indent=2, default=dataclasses.asdict) + "\n", encoding="utf-8")
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
