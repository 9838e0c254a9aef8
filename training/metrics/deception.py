"""The deception rate: how many painted photos a judge of real paintings takes for the style they were meant to have."""

from itertools import pairwise

import torch
from torch import Tensor

from training.metrics.intervals import Interval, bootstrap_mean, proportion
from training.metrics.probe import LinearProbe

PHOTO = "photo"  # the class of photos


class DeceptionRate:
    """Deception rate of a style (Sanakoyeu et al. 2018, https://arxiv.org/abs/1807.10201, sec. 4), with its two anchors.

    The paper's judge is a VGG-16 fine-tuned to tell 624 artists apart; here it is a linear probe on frozen statistics, fitted on
    real photos and real paintings of a few styles, so photos are one of the answers. Rates mean little alone: read them
    between the rate of untouched photos and that of real paintings, both held out from fitting.

    Args:
        probe: Fitted on the classes "photo" and every style.
        photos: Statistics (N, D) of held-out photos.
        paintings: Statistics of held-out paintings by style.

    Example:
        `metric = DeceptionRate(probe, photos, paintings); metric.update("monet", 1.0, rows); print(metric.compute())`
    """

    def __init__(self, probe: LinearProbe, photos: Tensor, paintings: dict[str, Tensor]):
        self.probe, self.photos, self.paintings = probe, photos, paintings
        self.results: dict[str, dict[float, list[Tensor]]] = {style: {} for style in paintings}

    def update(self, style: str, strength: float, rows: Tensor) -> None:
        """Add the statistics (N, D) of photos painted in `style` at `strength`."""
        self.results[style].setdefault(strength, []).append(rows)

    def compute(self) -> dict[str, dict]:
        """For each style its anchors and, if painted at strength 1, its rate and that rate's part of the real paintings'."""
        report = {}
        for style, by_strength in self.results.items():
            column = self.probe.classes.index(style)
            entry = {
                "photos": self.rate(self.photos, style),
                "paintings": self.rate(self.paintings[style], style),
                "paintings_cross_validated": self.probe.recall[style],
                "paintings_probability": bootstrap_mean(self.probe.probabilities(self.paintings[style])[:, column]),
            }
            rows = {strength: torch.cat(parts) for strength, parts in sorted(by_strength.items())}
            if 1.0 in rows:
                entry["results"] = self.rate(rows[1.0], style)
                if entry["paintings"].value:
                    entry["part_of_paintings"] = entry["results"].value / entry["paintings"].value
            if rows:
                entry["probability"] = {s: bootstrap_mean(self.probe.probabilities(part)[:, column]) for s, part in rows.items()}
                entry["rises"] = rises([interval.value for s, interval in entry["probability"].items() if s <= 1])
            report[style] = entry
        return report

    def rate(self, rows: Tensor, style: str) -> Interval:
        return proportion(self.probe.taken_for(rows, style))


def rises(values: list[float]) -> bool:
    """Whether each value is above the one before it."""
    return all(before < after for before, after in pairwise(values))
