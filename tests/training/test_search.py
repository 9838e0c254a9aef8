"""A search among options: finds what is better, ends what is worse, goes on where it stopped."""

import dataclasses
import shlex
import signal
from itertools import zip_longest

import optuna
import pytest
import tyro

from tests.tiny_presets import CONFIGS
from training.__main__ import main
from training.commands import search as searching
from training.commands import trial as objective
from training.commands.trial import Objective
from training.engine.trainer import Trainer
from training.options import Between
from training.presets import PRESETS, build
from training.presets.pix2pix import Pix2pix

OWN = "--data.world palette --data.crop 32 --batch 2 --width 4 --device cpu --precision no --log-every 1"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A search over learning rates of a tiny pix2pix; the first is its own. Returns the exit code."""
    monkeypatch.setattr(searching, "STARTERS", 1)

    def start(trials: int, rates: tuple, own: str = OWN, updates: int = 10) -> int:
        monkeypatch.setattr(Pix2pix, "space", {"rate": rates})
        budget = f"--trials {trials} --updates {updates} --out {tmp_path}"
        return main(["search", "pix2pix", *budget.split(), "--", *own.split()])

    return start


def trials_in(folder) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name="search", storage=f"sqlite:///{folder / 'search.db'}").trials


@pytest.mark.slow
def test_the_better_of_two_rates_wins_and_can_be_trained_with(run, tmp_path, capsys):
    assert run(3, (2e-4, 5e-3)) == 0
    done = trials_in(tmp_path)
    scores = {trial.params["rate"]: trial.value for trial in done if trial.state.name == "COMPLETE"}
    assert len(done) == 3 and done[0].params == {"rate": 2e-4}
    assert scores[5e-3] < 0.9 * scores[2e-4]  # so few updates do little at the standard rate
    said = capsys.readouterr().out
    first = (tmp_path / "search.md").read_text().splitlines()[2]
    assert "| 0.005 |" in first and first in said
    command = (tmp_path / "best.sh").read_text().splitlines()[-1]
    assert command in said
    words = shlex.split(command)
    assert words[:4] == ["python", "-m", "training", "pix2pix"] and words.pop() == "$@"
    best = tyro.cli(Pix2pix, args=[*words[4:], "--updates", "9"])
    assert (best.rate, best.width, best.batch, best.data.crop, best.data.world) == (0.005, 4, 2, 32, "palette")


@pytest.mark.slow
def test_what_falls_behind_ends_early(run, tmp_path):
    assert run(4, (2e-4, 1e-9)) == 0
    behind = [trial for trial in trials_in(tmp_path) if trial.params["rate"] == 1e-9]
    assert behind and all(trial.state.name == "PRUNED" and max(trial.intermediate_values) < 10 for trial in behind)
    table = (tmp_path / "search.md").read_text()
    assert f"ended after {max(behind[0].intermediate_values)}0%" in table
    assert table.splitlines()[2].startswith("| 0 | 0.0002 |")


def test_ctrl_c_keeps_what_is_over_and_the_same_command_goes_on(run, tmp_path, monkeypatch, capsys):
    train_one, updates = Trainer.train_one, []

    def interrupted(self, parts):
        updates.append(self.update)
        if len(updates) == 15:
            signal.raise_signal(signal.SIGINT)
        return train_one(self, parts)

    monkeypatch.setattr(Trainer, "train_one", interrupted)
    assert run(2, (2e-4, 5e-3), updates=10) == 0
    assert "stopped after 1 trainings; the same command goes on" in capsys.readouterr().out
    assert [trial.state.name for trial in trials_in(tmp_path)] == ["COMPLETE", "FAIL"]
    assert (tmp_path / "best.sh").is_file()
    updates.clear()
    monkeypatch.setattr(Trainer, "train_one", lambda self, parts: updates.append(self.update) or train_one(self, parts))
    assert run(2, (2e-4, 5e-3), updates=10) == 0
    assert len(updates) == 10  # one more training
    assert run(2, (2e-4, 5e-3), updates=10) == 0
    assert len(updates) == 10  # and none when all are over
    assert [trial.state.name for trial in trials_in(tmp_path)].count("COMPLETE") == 2


def test_a_training_that_breaks_is_the_worst(run, tmp_path):
    assert run(3, (2e-4, 1e38), updates=5) == 0
    broken = [trial for trial in trials_in(tmp_path) if trial.params["rate"] == 1e38]
    assert broken and all(trial.value == float("inf") for trial in broken)
    table = (tmp_path / "search.md").read_text().splitlines()
    assert "became NaN" in table[-1] and table[2].startswith("| 0 |")


def test_all_are_scored_by_the_same(monkeypatch, tmp_path):
    """Not by the scorer of their own options."""

    def scored(config):
        return dataclasses.replace(build(config), scorer=lambda nets: {"score": config.rate})

    monkeypatch.setattr(objective, "build", scored)
    base = CONFIGS["pix2pix"](None, updates=2, validate_every=1, batch=2, device="cpu", precision="no", out=tmp_path)
    study = optuna.create_study()
    study.optimize(Objective(base, {"rate": Between(1e-3, 1e-2)}), n_trials=2)
    assert [trial.value for trial in study.trials] == [base.rate, base.rate]


def test_minutes(tmp_path, monkeypatch):
    """What is chosen for the time of each training is chosen once."""
    monkeypatch.setattr(Pix2pix, "space", {"rate": (2e-4, 5e-3)})
    monkeypatch.setattr(searching, "fit", lambda config: (dataclasses.replace(config, batch=2), None))
    monkeypatch.setattr(searching, "speed", lambda config: 100.0)
    words = ["search", "pix2pix", "--trials", "1", "--minutes", "0.01", "--out", str(tmp_path), "--", *OWN.split()]
    assert main(words) == 0
    study = optuna.load_study(study_name="search", storage=f"sqlite:///{tmp_path / 'search.db'}")
    assert (study.user_attrs["batch"], study.user_attrs["validate_every"]) == (2, 6)
    monkeypatch.setattr(searching, "speed", None)
    words[3] = "2"
    assert main(words) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("pix2pix --trials 2", "give each training a budget"),
        ("pix2pix --trials 0 --updates 3", "--trials must be positive, got 0"),
        (
            "pix2pix --trials 1 --updates 3 -- --rate 1e-4 --width 4 --l1 2 --data.world ink",
            "nothing to search: all of rate, width, l1",
        ),
    ],
)
def test_what_cannot_be_searched(words, message, capsys, tmp_path):
    first, _, own = words.partition(" -- ")
    try:
        code = main(["search", *first.split(), "--out", str(tmp_path / "out"), "--", *own.split()])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_another_search_has_another_folder(run, capsys):
    assert run(1, (2e-4, 5e-3), updates=2) == 0
    assert run(1, (2e-4, 5e-3), updates=3) == 2
    assert "holds the search of pix2pix" in capsys.readouterr().err


@pytest.mark.parametrize("name", PRESETS)
def test_spaces(name):
    """The default lies inside, and the command line takes every value, the ends of a range too."""
    preset = PRESETS[name]
    needed = ["--updates", "1", *(["--data.photos", "p", "--data.paintings", "q"] if name == "painter" else [])]
    standard = tyro.cli(preset, args=needed)
    assert len(preset.space) >= 2
    ends = {name: (v.low, v.high) if isinstance(v, Between) else v for name, v in preset.space.items()}
    for name, values in preset.space.items():
        own = getattr(standard, name)
        assert values.low < own < values.high if isinstance(values, Between) else own in values
    for options in (dict(zip(ends, row, strict=True)) for row in zip_longest(*ends.values(), fillvalue=None)):
        options = {name: value for name, value in options.items() if value is not None}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        parsed = tyro.cli(preset, args=[*needed, *words])
        assert {name: getattr(parsed, name) for name in options} == options
