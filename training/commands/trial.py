"""One short training of a search: options proposed, score returned."""

import contextlib
import dataclasses
import io
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import optuna
from torch import nn

from training.engine.preset import Preset
from training.engine.trainer import Trainer
from training.options import Between, Hub, Run
from training.presets import build

STEPS = 10  # parts of a training at whose ends it is compared with others


class Fleeting(Trainer):
    """Leaves no state, no curves and no package."""

    def save(self) -> None:
        pass

    def finish(self) -> None:
        pass


@dataclass(frozen=True)
class Objective:
    """The deciding score of the best weights of a training; infinite where it broke. Nothing of it is kept.

    Args:
        base: Options of all trainings.
        space: Options that are proposed, and their values.

    Raises:
        optuna.TrialPruned: if the training falls behind.
        KeyboardInterrupt: if it was stopped before its end, and so has no score.
    """

    base: Run
    space: dict[str, Between | tuple]

    @cached_property
    def standard(self) -> Preset:
        """It scores all: the scorer of a preset may weigh as its options do, and then two of them cannot be compared."""
        preset = build(self.base)
        preset.scorer({name: preset.nets[name].eval() for name in preset.averaged})  # reads the pictures, in nobody's time
        return preset

    def __call__(self, trial: optuna.Trial) -> float:
        options = {name: propose(trial, name, values) for name, values in self.space.items()}
        print(", ".join(f"{name} {value}" for name, value in options.items()))
        with TemporaryDirectory() as folder:
            return self.train(trial, dataclasses.replace(self.base, **options, out=Path(folder)))

    def train(self, trial: optuna.Trial, config: Run) -> float:
        standard, steps = self.standard, {0}  # made before the clock of the training runs

        def scorer(nets: dict[str, nn.Module]) -> dict[str, float]:
            scores, step = standard.scorer(nets), round(STEPS * trainer.progress())
            score = next(iter(scores.values()))
            if step not in steps and math.isfinite(score):
                steps.add(step)
                trial.report(score, step)
                if trial.should_prune():
                    raise optuna.TrialPruned
            return scores

        quiet = {"tracker": "none", "hub": Hub(), "resume": False, "sample_every": 10**9}
        preset = dataclasses.replace(build(config), scorer=scorer)
        trainer = Fleeting(preset, dataclasses.replace(config, **quiet))
        for net in standard.nets.values():  # the scorer may look through one of them
            net.to(trainer.accelerator.device)
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # it speaks of a package and a folder
                trainer.train()
        except FloatingPointError as error:
            trial.set_user_attr("broke", str(error).partition(";")[0])
            return math.inf
        finally:
            trainer.accelerator.free_memory()
        if trainer.progress() < 1 and not trainer.validation.exhausted:
            raise KeyboardInterrupt
        trial.set_user_attr("updates", trainer.update)
        best = trainer.validation.best
        return best["score"] if best else math.inf


def propose(trial: optuna.Trial, name: str, values: Between | tuple) -> float | int | str:
    if isinstance(values, Between):
        # three digits, so that the command line of the winner is short and exact
        return float(f"{trial.suggest_float(name, values.low, values.high, log=True):.3g}")
    return trial.suggest_categorical(name, values)
