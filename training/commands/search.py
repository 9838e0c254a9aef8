"""`python -m training search PRESET --trials N --minutes M [-- OPTIONS]`: good options of a preset, by many short trainings.

Options come from the space that the preset declares. The first training has the preset's own, later ones what Optuna proposes
(TPE, Bergstra et al. 2011). All are scored alike, and end early where they fall behind most others.
"""

import dataclasses
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import optuna
import tyro
from optuna.trial import FrozenTrial, TrialState

from training.check import refuse
from training.commands.budget import fit
from training.commands.speed import speed
from training.commands.trial import STEPS, Objective
from training.evaluate.report import markdown
from training.options import Run
from training.presets import PRESETS

STARTERS = 4  # trainings that end as they will, for others to be compared with
OVER = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True, kw_only=True)
class Search:
    """Short trainings of a preset with other options, and which were best. Options of the preset itself follow after --."""

    preset: tyro.conf.Positional[Literal[tuple(PRESETS)]]
    trials: int = 20
    """Number of trainings; a finished search goes on with a larger one."""
    minutes: float | None = None
    """Time of each training. Give this or --updates."""
    updates: int | None = None
    """Updates of each training, in place of a time."""
    out: Path = Path("runs/search")
    """Folder of the search: search.db, the table in search.md, and best.sh, which trains with what was best."""

    def __post_init__(self):
        if self.trials <= 0:
            raise ValueError(f"--trials must be positive, got {self.trials}")
        if (self.minutes is None) == (self.updates is None):
            raise ValueError("give each training a budget: --minutes 5, say, or --updates 1000")

    @property
    def budget(self) -> list[str]:
        return ["--updates", str(self.updates)] if self.minutes is None else ["--minutes", f"{self.minutes:g}"]


def main(words: Sequence[str]) -> None:
    """Search as a command line asks; the same command goes on with what there is, also after Ctrl-C."""
    middle = [*words, "--"].index("--")
    options = tyro.cli(Search, prog="python -m training search", args=words[:middle], description=__doc__)
    own = list(words[middle + 1 :])
    preset = PRESETS[options.preset]
    prog = f"python -m training search {options.preset} --"
    parsed = vars(tyro.cli(with_space_optional(preset), prog=prog, args=[*own, *options.budget]))
    space = {name: values for name, values in preset.space.items() if parsed[name] is None}
    base = preset(**{name: value for name, value in parsed.items() if name not in space})
    if not space:
        raise ValueError(f"there is nothing to search: all of {', '.join(preset.space)} are given")
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise ValueError("a search trains in a single process; start it without torchrun or accelerate launch")
    for warning in refuse(base.data, options.out / "pictures.json"):
        print(f"warning: {warning}", file=sys.stderr)
    options.out.mkdir(parents=True, exist_ok=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # it would show where Ctrl-C came down
    study = optuna.create_study(study_name="search", storage=f"sqlite:///{options.out / 'search.db'}", load_if_exists=True)
    task = shlex.join([options.preset, *own, *options.budget])
    if study.user_attrs.get("task", task) != task:
        raise ValueError(f"{options.out} holds the search of {study.user_attrs['task']}; give another --out")
    if "task" not in study.user_attrs:
        for name, value in measured(base).items():
            study.set_user_attr(name, value)
        study.set_user_attr("task", task)  # last: an interrupted measuring starts again
    if not study.get_trials(states=(*OVER, TrialState.WAITING)):
        study.enqueue_trial({name: getattr(base, name) for name in space})
    known = study.user_attrs
    data = dataclasses.replace(base.data, crop=known["crop"])
    base = dataclasses.replace(base, data=data, batch=known["batch"], validate_every=known["validate_every"])
    study.sampler = optuna.samplers.TPESampler(seed=base.seed + len(study.trials))
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=STARTERS, n_warmup_steps=1)
    objective = Objective(base, space)
    try:
        while (count := len(over(study))) < options.trials:
            print(f"training {count + 1} of {options.trials}: ", end="")
            study.optimize(objective, n_trials=1)
            report(study, options.out, [options.preset, *own])
    except KeyboardInterrupt:
        print(f"stopped after {len(over(study))} trainings; the same command goes on")
    if over(study):
        print(report(study, options.out, [options.preset, *own]))


def with_space_optional(preset: type[Run]) -> type[Run]:
    """The options of `preset`, where None stands for one of its space that is not given."""
    kinds = {field.name: field.type for field in dataclasses.fields(preset)}
    optional = [(name, kinds[name] | None, None) for name in preset.space]
    return dataclasses.make_dataclass(preset.__name__, optional, bases=(preset,), frozen=True, kw_only=True)


def measured(base: Run) -> dict[str, int]:
    """What all trainings of a search share: sizes that suit its budget, and updates between two validations."""
    config, plan = fit(base)
    updates = config.updates or (plan.updates if plan else int(speed(config) * config.minutes * 60))
    every = base.validate_every or max(1, updates // STEPS)
    return {"crop": config.data.crop, "batch": config.batch, "validate_every": every}


def over(study: optuna.Study) -> list[FrozenTrial]:
    """Trainings that are over, the best first; those that fell behind follow, by their last score."""
    done = study.get_trials(states=OVER)
    return sorted(done, key=lambda trial: (trial.state == TrialState.PRUNED, trial.value))


def report(study: optuna.Study, out: Path, command: list[str]) -> str:
    """Write the table and the best options into `out`, and return both as a text."""
    done = over(study)
    names = list(done[0].params)
    rows = [[str(trial.number), *(shown(trial.params[name]) for name in names), *outcome(trial)] for trial in done]
    header = ["training", *names, "score", "updates", ""]
    table = markdown(header, rows, words=len(header))
    (out / "search.md").write_text(f"{table}\n", encoding="utf-8")
    found = [word for name in names for word in (f"--{name.replace('_', '-')}", shown(done[0].params[name]))]
    sizes = ["--data.crop", str(study.user_attrs["crop"]), "--batch", str(study.user_attrs["batch"])]
    line = f'python -m training {shlex.join([*command, *sizes, *found])} "$@"'
    script = out / "best.sh"
    script.write_text(
        f"# budget and folder are to be given: sh {script.name} --minutes 60 --out runs/best\n{line}\n", encoding="utf-8"
    )
    return "\n".join([table, "", f"sh {script} --minutes 60 --out runs/best", "trains with the best of these:", line])


def shown(value: float | int | str) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def outcome(trial: FrozenTrial) -> tuple[str, str, str]:
    """Score, updates and a remark."""
    if trial.state == TrialState.PRUNED:
        return f"{trial.value:.4g}", "", f"ended after {max(trial.intermediate_values) / STEPS:.0%}"
    return f"{trial.value:.4g}", str(trial.user_attrs.get("updates", "")), trial.user_attrs.get("broke", "")
