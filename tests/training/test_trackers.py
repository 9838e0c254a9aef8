"""What each tracker is told, read back from its files. Nothing leaves the machine."""

import dataclasses
import json
import sqlite3
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.tiny_presets import CONFIGS
from training.engine.doctor import ADVICE
from training.engine.trackers import PROJECT, check_tracker
from training.engine.trainer import Trainer
from training.options import Run
from training.presets import build


@pytest.fixture
def config(tmp_path: Path, pictures: Path) -> Run:
    run = {"device": "cpu", "precision": "no", "tracker": "none", "log_every": 1, "sample_every": 2, "validate_every": 2}
    return CONFIGS["wgan"](pictures, batch=2, updates=2, out=tmp_path / "night", **run)


def train(config: Run, tracker: str) -> None:
    config = dataclasses.replace(config, tracker=tracker)
    Trainer(dataclasses.replace(build(config), export=lambda nets, folder: None), config).train()


NAMES = {
    "discriminator/d",
    "generator/fool_d",
    "d/slope",
    "validation/sliced_wasserstein",
    *(f"doctor/{name}" for name in ADVICE),
}


def test_tensorboard(config):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(config, "tensorboard")
    events = EventAccumulator(str(config.out / "logs" / PROJECT)).Reload()
    assert set(events.Tags()["scalars"]) >= NAMES
    assert [event.step for event in events.Scalars("discriminator/d")] == [1, 2]
    assert [event.step for event in events.Scalars("validation/sliced_wasserstein")] == [0, 2]
    assert [event.value for event in events.Scalars("doctor/nan")] == [0, 0]
    pictures = events.Images("samples")
    assert [picture.step for picture in pictures] == [1, 2]
    assert pictures[0].encoded_image_string.startswith(b"\x89PNG") and pictures[0].width > 64


@pytest.mark.slow
@pytest.mark.skipif(find_spec("wandb") is None, reason="wandb is not installed: pip install wandb")
def test_wandb_offline(config, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    train(config, "wandb")
    (run,) = (config.out / "logs" / "wandb").glob("offline-run-*")
    (log,) = run.glob("run-*.wandb")
    written = log.read_bytes()
    for name in NAMES:
        assert name.encode() in written, name
    samples = list((run / "files" / "media" / "images").glob("samples_*.png"))
    assert len(samples) == 2


@pytest.mark.skipif(find_spec("trackio") is None, reason="trackio is not installed: pip install trackio")
def test_trackio_local(config, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.split(".")[0] == "trackio"]:
        monkeypatch.delitem(sys.modules, name)  # it looks for its folder when it is imported
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    train(config, "trackio")
    with closing(sqlite3.connect(tmp_path / "trackio" / f"{PROJECT}.db")) as database:
        rows = database.execute("SELECT step, metrics FROM metrics WHERE run_name = 'night'").fetchall()
    logged = {(step, name): value for step, metrics in rows for name, value in json.loads(metrics).items()}
    assert {name for _, name in logged} >= NAMES
    assert {step for step, name in logged if name == "validation/sliced_wasserstein"} == {0, 2}
    assert {step for step, name in logged if name == "samples"} == {1, 2}
    assert len(list((tmp_path / "trackio" / "media").rglob("*.png"))) == 2


def test_none_is_silent_and_leaves_nothing(config, capsys):
    train(config, "none")
    assert not (config.out / "logs").exists()
    told = capsys.readouterr()
    assert not any(name in told.out + told.err for name in ("tracker", "tensorboard", "wandb", "trackio"))


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_tracker_that_is_not_installed(name, config, monkeypatch):
    monkeypatch.setattr("training.engine.trackers.find_spec", lambda asked: None if asked == name else find_spec(asked))
    with pytest.raises(ValueError, match=f"--tracker {name} needs a package that is not installed: pip install {name}"):
        Trainer(build(config), dataclasses.replace(config, tracker=name))
    check_tracker("tensorboard")
