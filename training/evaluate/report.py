"""Scores, and the tables of them that people read: on the terminal, in cards, and in the documentation."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

MANY = 8  # looks; more are summed up
ANCHORS = {"copy": "copy of the photo", "real": "random real picture", "another painting": "another painting of the artist"}


@dataclass(frozen=True)
class Score:
    """A value between its anchors: what the copy of the photo gets, and what real paintings get; None where there is none."""

    metric: str
    name: str
    style: str | None
    value: float | None
    low: float | None
    high: float | None
    anchors: dict[str, float | None]
    better: Literal["lower", "higher"]
    samples: int
    note: str | None = None  # what to be careful about

    def shown(self, number: Callable[..., str]) -> str:
        """The value, and half of its interval, by a function that writes numbers."""
        half = f" ±{number((self.high - self.low) / 2, 2)}" if is_number(self.low) and is_number(self.high) else ""
        return number(self.value) + half


def tables(scores: Iterable[Score]) -> str:
    """Markdown: scores between the photo and another painting by style, then the others by metric."""
    scores = list(scores)
    others = [score for score in scores if "copy" in score.anchors]
    first = [score for score in scores if "copy" not in score.anchors]
    return "\n\n".join([*([by_style({"": first})] if first else []), *([by_metric(others)] if others else [])])


def by_style(networks: Mapping[str, Sequence[Score]]) -> str:
    """For each style the anchors of the first metric, and what every network reaches; last the means of the named styles."""
    names = {score.metric: score.name for scores in networks.values() for score in scores}
    columns = [(metric, network) for metric in names for network in networks]
    rows: dict[str | None, dict[tuple[str, str], Score]] = {}
    for network, scores in networks.items():
        for score in scores:
            rows.setdefault(score.style, {})[score.metric, network] = score
    if len(named := [row for style, row in rows.items() if style]) > 1:
        rows["**mean**"] = {column: over_styles([row[column] for row in named if column in row]) for column in columns}
    anchors = list(dict.fromkeys(anchor for row in rows.values() for anchor in next(iter(row.values())).anchors))
    lines = []
    for style, row in rows.items():
        known = next(iter(row.values())).anchors
        cells = [row[column].shown(fixed) if column in row else "-" for column in columns]
        lines.append([style or "unseen", *(fixed(known.get(anchor)) for anchor in anchors), *cells])
    heads = [": ".join(filter(None, (names[metric], network))) for metric, network in columns]
    return markdown(["style", *(ANCHORS.get(anchor, anchor) for anchor in anchors), *heads], lines)


def by_metric(scores: Iterable[Score]) -> str:
    """A line for each metric, with the means of its anchors, and a column for each look.

    Many looks become three columns: their mean, the lowest and the highest.
    """
    rows: dict[tuple[str, str | None], dict[str | None, Score]] = {}
    for score in scores:
        rows.setdefault((score.metric, score.note), {})[score.style] = score
    looks = list(dict.fromkeys(look for row in rows.values() for look in row))
    many = len(looks) > MANY
    lines = []
    for row in rows.values():
        score, values = next(iter(row.values())), [score.value for score in row.values() if is_number(score.value)]
        name = f"{score.name} ({'; '.join(filter(None, (f'{score.better} is better', score.note)))})"
        anchors = [short(mean(score.anchors.get(anchor) for score in row.values())) for anchor in ("copy", "real")]
        summary = [mean(values), min(values, default=None), max(values, default=None)]
        cells = map(short, summary) if many else (row[look].shown(short) if look in row else "-" for look in looks)
        lines.append([name, *anchors, *cells, str(score.samples)])
    looks = ["mean", "lowest", "highest"] if many else [look or "result" for look in looks]
    return markdown(["metric", ANCHORS["copy"], ANCHORS["real"], *looks, "samples"], lines)


def over_styles(scores: Sequence[Score]) -> Score:
    """The mean of the scores of one metric and of their anchors, with a bootstrap interval of the styles."""
    import torch

    from training.evaluate.metrics.intervals import bootstrap_mean

    interval = bootstrap_mean(torch.tensor([score.value for score in scores if is_number(score.value)]))
    anchors = {name: mean(score.anchors[name] for score in scores) for name in scores[0].anchors}
    ends = {"value": interval.value, "low": interval.low, "high": interval.high}
    return replace(scores[0], style=f"mean of {len(scores)} styles", anchors=anchors, **ends)


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A Markdown table. The first `words` columns hold words; the others hold numbers, on the right.

    `markdown(["style", "score"], [["kiss", "0.36"]])`
    """
    line = "---".join(["|", *["|"] * words, *[":|"] * (len(heads) - words)])
    return "\n".join([f"| {' | '.join(heads)} |", line, *(f"| {' | '.join(row)} |" for row in rows)])


def mean(values: Iterable[float | None]) -> float | None:
    """Of those that are known."""
    known = [value for value in values if is_number(value)]
    return sum(known) / len(known) if known else None


def short(value: float | None, digits: int = 3) -> str:
    """`value` to so many digits, and never as a power of ten where it is large; a dash where it is not known."""
    if not is_number(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"


def fixed(value: float | None, digits: int = 2) -> str:
    """`value` to so many decimals, without a minus before 0; a dash where it is not known."""
    return f"{value:z.{digits}f}" if is_number(value) else "-"


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
