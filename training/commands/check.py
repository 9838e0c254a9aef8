"""`python -m training check DATA`: what is wrong with the pictures of a training, as a page to look at and as JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from training.check import Report, examine
from training.check.domains import in_folders
from training.check.page import as_html, as_json


@dataclass(frozen=True)
class Check:
    """Look at every picture of a training: unreadable, tiny, flat, alike, in two domains, in training and held out."""

    data: tyro.conf.Positional[tuple[Path, ...]]
    """A folder with photos/ and paintings/, or with a folder for each domain, or with pictures, each also below train/ and held/;
    or several folders, a domain each."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("check.html")
    """The page; the JSON is written beside it."""
    crop: int | None = None
    """Side of the training crops in pixels; none takes the one that is suggested."""

    def __post_init__(self):
        if self.crop is not None and self.crop <= 0:
            raise ValueError(f"--crop must be positive, got {self.crop}")
        if self.out.suffix == ".json":
            raise ValueError(f"--out is the page, check.html say; the JSON is written beside it. Got {self.out}")


def main(arguments: list[str]) -> int:
    """0 when the pictures can be trained on, 1 when a training would stop; nothing to look at is an error."""
    check = tyro.cli(Check, prog="python -m training check", args=arguments)
    report = examine(in_folders(list(check.data)), check.crop)
    check.out.parent.mkdir(parents=True, exist_ok=True)
    check.out.write_text(as_html(report), encoding="utf-8", errors="backslashreplace")
    check.out.with_suffix(".json").write_text(as_json(report), encoding="utf-8")
    print(summary(report))
    print(f"\nThe page with the pictures: {check.out}, the same as JSON: {check.out.with_suffix('.json')}")
    return 1 if report.refused else 0


def summary(report: Report) -> str:
    width = max(len(domain.title) for domain in report.found)
    lines = [f"{domain.title:{width}}  {len(pictures):6,} files" for domain, pictures in report.found.items()]
    lines += ["", *(f"{finding.level:8} {finding.text}" for finding in report.findings)]
    verdict = "a training would stop at what is refused" if report.refused else "nothing that a training would stop at"
    return "\n".join(
        [*lines, "", f"At a crop of {report.suggestion.crop} pixels: {verdict}.", f"Try: {report.suggestion.command}"]
    )
