"""Scores, and tables for people to read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

MANY = 8  # looks; more are summed up


@dataclass(frozen=True)
class Score:
    """A value between its anchors: what the copy of the photo gets, and what real paintings get; None where there is none."""

    metric: str
    name: str
    style: str | None
    value: float
    low: float
    high: float
    anchors: dict[str, float | None]
    better: Literal["lower", "higher"]
    samples: int
    note: str | None = None  # what to be careful about


def table(scores: Iterable[Score], warnings: Iterable[str] = ()) -> str:
    """One line for each metric; a column for each look with the half width of its interval; anchors are means over the looks.

    Many looks become three columns: their mean, the lowest and the highest.
    """
    rows: dict[str, dict[str | None, Score]] = {}
    for score in scores:
        rows.setdefault(score.metric, {})[score.style] = score
    looks = list(dict.fromkeys(look for row in rows.values() for look in row))
    many = len(looks) > MANY
    lines = [["", "better", "copy", "real", *(("mean", "lowest", "highest") if many else (look or "result" for look in looks))]]
    for row in rows.values():
        first, values = next(iter(row.values())), [score.value for score in row.values()]
        anchors = [mean([score.anchors[anchor] for score in row.values()]) for anchor in ("copy", "real")]
        cells = [
            f"{short(row[look].value)} ±{short((row[look].high - row[look].low) / 2, 2)}" if look in row else "-"
            for look in looks
        ]
        cells = [short(value) for value in (sum(values) / len(values), min(values), max(values))] if many else cells
        lines.append([f"{first.name} ({first.note})" if first.note else first.name, first.better, *anchors, *cells])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*text, *(f"careful: {warning}" for warning in warnings)])


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A Markdown table. The first `words` columns hold words; the others hold numbers, on the right.

    `markdown(["style", "score"], [["kiss", "0.36"]])`
    """
    line = "---".join(["|", *["|"] * words, *[":|"] * (len(heads) - words)])
    return "\n".join([f"| {' | '.join(heads)} |", line, *(f"| {' | '.join(row)} |" for row in rows)])


def mean(values: list[float | None]) -> str:
    return "-" if None in values else short(sum(values) / len(values))


def short(value: float, digits: int = 3) -> str:
    """`value` to so many digits, and never as a power of ten where it is large."""
    return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"
