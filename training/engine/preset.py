"""A training as a value: what a paper gives, and what the trainer needs to know."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn
from torch.utils.data import Dataset

from training.engine.recipe import Recipe

Scorer = Callable[[dict[str, nn.Module]], dict[str, float]]


@dataclass(frozen=True)
class Preset:
    """A training as a value: networks, recipe, data and numbers.

    Args:
        nets: Networks by name; those that no phase trains stay frozen.
        recipe: Phases, games and terms.
        data: Sample number -> dict of tensors, endless.
        rates: Learning rate of each phase.
        averaged: Networks whose exponential moving average is what ships.
        export: Writes the package of the averaged networks into a folder.
        scorer: Scores of the averaged networks by name, lower is better; the first one decides what ships.
        scored_on: What pictures the scores are of, in words: "held-out data" where the training sees none of them.
        paces: Factors of the learning rate of single networks; 1 for those not named.
        betas: Of Adam, for every phase.
        average_decay: Of the moving averages.
        clip_norm: Largest gradient norm of a phase; most papers set none.
        flat_part: Part of the training with constant learning rates; they fall to zero over the rest.
    """

    nets: dict[str, nn.Module]
    recipe: Recipe
    data: Dataset
    rates: dict[str, float]
    averaged: tuple[str, ...]
    export: Callable[[dict[str, nn.Module], Path], None]
    scorer: Scorer | None = None
    scored_on: str = "training data"
    paces: dict[str, float] = field(default_factory=dict)
    betas: tuple[float, float] = (0.9, 0.99)
    average_decay: float = 0.999
    clip_norm: float = math.inf
    flat_part: float = 0.5

    def rate(self, phase: str, net: str, progress: float) -> float:
        """Learning rate of a network in a phase when the part `progress` of the training, 0..1, is over."""
        return self.rates[phase] * self.paces.get(net, 1.0) * min(1.0, (1 - progress) / (1 - self.flat_part))
