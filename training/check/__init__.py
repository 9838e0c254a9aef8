"""The data doctor: what is wrong with the pictures, before hours are spent on them. `python -m training check DATA`."""

from dataclasses import dataclass
from pathlib import Path

from training.check.domains import Domain, in_config
from training.check.findings import Finding, Found, find
from training.check.pictures import files, inspect_all
from training.check.suggest import Suggestion, suggest


@dataclass(frozen=True)
class Report:
    found: Found
    suggestion: Suggestion
    findings: list[Finding]

    @property
    def refused(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == "refused"]


def examine(domains: list[Domain], crop: int | None = None, cache: Path | None = None) -> Report:
    """Look at every picture of the domains. Without a `crop` in pixels, the suggested one is assumed."""
    paths = {domain: files(domain.folder) for domain in domains}
    pictures = iter(inspect_all([path for below in paths.values() for path in below], cache))
    found = {domain: [next(pictures) for _ in below] for domain, below in paths.items()}
    suggestion = suggest(found, crop)
    return Report(found, suggestion, find(found, suggestion.crop))


def refuse(data: object, cache: Path | None = None) -> list[str]:
    """Stop a training that would fail on its pictures, and return a warning for each harm that they would do it.

        for warning in refuse(config.data, config.out / "pictures.json"):
            print(warning)

    Args:
        data: The `data` options of a training.
        cache: A JSON file of what is known of the pictures; those of the same size and time are not looked at again.

    Raises:
        ValueError: naming every file that the training would stop at, whatever folder it is in.
    """
    report = examine(in_config(data), data.crop, cache)
    if report.refused:
        lines = [line for finding in report.refused for line in explain(finding)]
        raise ValueError("the pictures cannot be trained on:\n  " + "\n  ".join(lines))
    return ["\n".join(explain(finding, most=4)) for finding in report.findings if finding.level == "harmful"]


def explain(finding: Finding, most: int = 20) -> list[str]:
    """A finding as lines of text: what, what to do, and the first of its files."""
    entries = [picture for group in finding.groups for _, picture in group]
    more = [f"  and {len(entries) - most} more"] if len(entries) > most else []
    files = [f"  {p.path}: {p.fault or f'{p.width} x {p.height} pixels, {p.mode}'}" for p in entries[:most]]
    return [f"{finding.text}. {finding.advice}", *files, *more]
