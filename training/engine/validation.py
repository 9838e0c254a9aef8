"""Which of the weights that a training passes through should ship: those that score best on held-out data."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from training.engine.recipe import Recipe
from training.options import Run

TIMES = 10  # validations in a training, where nothing else is asked for
APART = 100  # updates between two of these at least: a validation takes about as long as a few updates


class Validation:
    """Scores the averaged networks now and then, and keeps the best of them.

    Only weights of a complete recipe are kept: before its last term or game has begun, a score tells of another training. A
    restorer of pictures, say, is nearest to the truth before its discriminator joins, and blurred.

    Args:
        judge: Of the preset; None never validates.
        config: Holds `validate_every` and `patience`.
        recipe: Of the training.
    """

    def __init__(self, judge: Callable[[dict[str, nn.Module]], dict[str, float]] | None, config: Run, recipe: Recipe):
        if judge is None and config.validate_every:
            raise ValueError("--validate-every: this training has no held-out data to be judged on")
        self.judge = judge if config.validate_every != 0 else None
        self.every, self.patience = config.validate_every, config.patience
        self.complete = max((part.during[0] for part in (*recipe.terms, *recipe.games)), default=0.0)
        self.last = (0, 0.0)  # update and progress of the last validation
        self.looks, self.waited = 0, 0  # validations that counted, and those since the best
        self.name, self.final = "", None  # of the score that decides, and its last value
        self.best: dict | None = None

    def due(self, update: int, progress: float) -> bool:
        if self.judge is None or update == self.last[0]:
            return False
        if self.every:
            return update % self.every == 0 or progress >= 1
        if progress >= 1:
            return update >= APART
        # not ">": a training that is resumed with a larger budget is set back
        return int(TIMES * progress) != int(TIMES * self.last[1]) and update - self.last[0] >= APART

    def look(self, update: int, progress: float, nets: dict[str, nn.Module]) -> dict[str, float]:
        """Score `nets`, and keep their weights if they are the best so far."""
        scores = self.judge(nets)
        self.name, self.final = next(iter(scores.items()))
        self.last = (update, progress)
        # where a score is no number, the weights are none
        if update and progress >= self.complete and math.isfinite(self.final):
            self.looks += 1
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
        best = f"update {self.chosen} ships: {self.name} {self.best['score']:.4g} on held-out data"
        if self.looks == 1:
            return f"{best}, the only validation"
        if self.chosen == self.last[0]:
            return f"{best}, the best of {self.looks} validations and the last"
        return f"{best}, the best of {self.looks} validations; the last, of update {self.last[0]}, scored {self.final:.4g}"

    # --- exact resume ---

    def state_dict(self) -> dict:
        return {name: getattr(self, name) for name in KEPT}

    def load_state_dict(self, state: dict) -> None:
        for name in KEPT:
            setattr(self, name, state[name])


KEPT = ("last", "looks", "waited", "name", "final", "best")


def copied(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in net.state_dict().items()}
