"""Which of the weights that a training passes through should ship: those with the best score."""

import math

from torch import Tensor, nn

from training.engine.preset import Preset
from training.options import Run

TIMES = 10  # validations in a training, where nothing else is asked for
APART = 100  # updates between two of these at least: a validation takes about as long as a few updates


class Validation:
    """Scores the averaged networks now and then, and keeps the best of them.

    Only weights of a complete recipe are kept: before its last term or game has begun, a score is that of another training. A
    network that restores pictures, say, is nearest to the truth, and blurred, before its discriminator joins.

    Args:
        preset: Its scorer scores; without one, there is no validation.
        config: Holds `validate_every` and `patience`.
    """

    def __init__(self, preset: Preset, config: Run):
        if preset.scorer is None and config.validate_every:
            raise ValueError("--validate-every: this preset has no score to validate by")
        self.scorer = preset.scorer if config.validate_every != 0 else None
        self.scored_on = preset.scored_on
        self.every, self.patience = config.validate_every, config.patience
        self.complete = max((part.during[0] for part in (*preset.recipe.terms, *preset.recipe.games)), default=0.0)
        self.last = (0, 0.0)  # update and progress of the last validation
        self.count, self.waited = 0, 0  # validations that counted, and those since the best
        self.name, self.final = "", None  # of the score that decides, and its last value
        self.best: dict | None = None

    def due(self, update: int, progress: float) -> bool:
        if self.scorer is None or update == self.last[0]:
            return False
        if self.every:
            return update % self.every == 0 or progress >= 1
        if progress >= 1:
            return update >= APART
        # not ">": a training that is resumed with a larger budget is set back
        return int(TIMES * progress) != int(TIMES * self.last[1]) and update - self.last[0] >= APART

    def score(self, update: int, progress: float, nets: dict[str, nn.Module]) -> dict[str, float]:
        """Score `nets`, and keep their weights if they are the best so far."""
        scores = self.scorer(nets)
        self.name, self.final = next(iter(scores.items()))
        self.last = (update, progress)
        # where a score is no number, the weights are none
        if update and progress >= self.complete and math.isfinite(self.final):
            self.count += 1
            self.waited += 1
            if self.best is None or self.final < self.best["score"]:
                self.waited = 0
                self.best = {"update": update, "score": self.final, "weights": {n: copied(net) for n, net in nets.items()}}
        return scores

    @property
    def exhausted(self) -> bool:
        """Whether patience has ended."""
        return 0 < self.patience <= self.waited

    @property
    def chosen(self) -> int | None:
        return self.best["update"] if self.best else None

    def verdict(self) -> str:
        """Which update ships, and why."""
        if self.best is None:
            return "the last weights ship: there was no validation to choose by"
        best = f"update {self.chosen} ships: {self.name} {self.best['score']:.4g} on {self.scored_on}"
        if self.count == 1:
            return f"{best}, the only validation"
        if self.chosen == self.last[0]:
            return f"{best}, the best of {self.count} validations and the last"
        return f"{best}, the best of {self.count} validations; the last, of update {self.last[0]}, scored {self.final:.4g}"

    # --- exact resume ---

    def state_dict(self) -> dict:
        return {name: getattr(self, name) for name in KEPT}

    def load_state_dict(self, state: dict) -> None:
        for name in KEPT:
            setattr(self, name, state[name])


KEPT = ("last", "count", "waited", "name", "final", "best")


def copied(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in net.state_dict().items()}
