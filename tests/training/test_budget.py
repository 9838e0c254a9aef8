"""A budget of minutes: what is chosen for it, from what measure, and that measuring leaves no trace."""

import dataclasses
import json
import random
import re
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.tiny_presets import CONFIGS
from training.__main__ import main
from training.commands import budget, speed
from training.commands.budget import Plan, as_before, choose, fit, sizes
from training.commands.speed import mean_speed
from training.engine.trainer import Trainer
from training.options import Pairs
from training.presets import PRESETS, build
from training.presets.pix2pix import Pix2pix

PIXELS = Pairs(world="palette")  # of pix2pix: crop 128, batch 4, or smaller


@pytest.fixture
def speeds(monkeypatch):
    """Updates per second by crop and batch, in place of measured ones; and the sizes that were asked for."""

    def given(**table: float) -> list[str]:
        asked = []

        def look_up(config, build, wanted):
            asked.append(f"c{config.data.crop}b{config.batch}")
            return table[asked[-1]]

        monkeypatch.setattr(budget, "speed", look_up)
        return asked

    return given


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_trains_at_its_smallest_size(name, pictures, tmp_path):
    preset, standard = PRESETS[name], CONFIGS[name](pictures, updates=1, out=tmp_path, device="cpu", precision="no")
    areas = [crop * crop * batch for crop, batch in preset.sizes]
    assert areas == sorted(set(areas)) and len(areas) >= 3
    config = standard.sized(preset.sizes[0][0], 2)
    trainer = Trainer(build(config), config)
    losses = trainer.train_one([next(trainer.batches())])
    assert all(loss.isfinite() for loss in losses.values())


def test_the_largest_size_that_is_fast_enough(speeds):
    config = Pix2pix(minutes=10, data=PIXELS)  # 1000 updates in 600 s: 1.67 a second
    asked = speeds(c128b4=1.0, c128b2=1.2, c64b4=1.7, c64b2=9.0)
    chosen, plan = fit(config)
    assert (chosen.data.crop, chosen.batch, plan.updates) == (64, 4, 1020)
    assert asked == ["c128b4", "c128b2", "c64b4"]
    speeds(c128b4=1.7)
    chosen, plan = fit(config)
    assert (chosen.data.crop, chosen.batch, plan.updates) == (128, 4, 1020)


def numbers(text: str) -> list[float]:
    """All but the times of the day."""
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", re.sub(r"\d\d:\d\d", "", text))]


def test_what_is_said_of_a_plan(speeds, capsys):
    speeds(c128b4=0.5, c128b2=0.5, c64b4=0.5, c64b2=0.5)
    fit(Pix2pix(minutes=10, data=PIXELS))
    larger, chosen, little = map(numbers, capsys.readouterr().out.splitlines())
    assert larger == [64, 4, 300]  # crop, batch, updates
    assert chosen == [64, 2, 2, 300, 10]  # seconds of one, updates, minutes
    assert little == [1000, 33.3]  # enough updates, and minutes for them
    review = Plan(64, 2, 0.5, 10.0, begun=0.0).review(280, 606.0)
    assert numbers(review) == [280, 10.1, 300, 10]  # what came of it, and the prediction
    assert time.strftime("%H:%M", time.localtime(600)) in review


def test_sizes_that_cannot_be_fast_enough_are_not_measured(speeds):
    """A size with half of the pixels is at best twice as fast, and a first update up to three times slower than later ones."""
    asked = speeds(c128b4=0.01, c64b2=9.0)
    plan, larger = choose(Pix2pix(minutes=10, data=PIXELS), [(64, 2), (64, 4), (128, 2), (128, 4)], build)
    assert asked == ["c128b4", "c64b2"] and (plan.crop, plan.batch, larger.crop) == (64, 2, 128)


def test_what_is_given_stays(speeds):
    crop, batch = dataclasses.replace(PIXELS, crop=96), 8
    assert sizes(Pix2pix(minutes=10, data=crop)) == [(96, 2), (96, 4)]
    assert sizes(Pix2pix(minutes=10, data=PIXELS, batch=batch)) == [(64, 8), (128, 8)]
    assert sizes(Pix2pix(minutes=10, data=PIXELS, accumulate=4)) == [(64, 4), (128, 4)]  # batches that can be split
    asked = speeds()
    for run in ({"minutes": 10}, {"updates": 5}):
        config, plan = fit(Pix2pix(data=crop, batch=batch, **run))
        assert (config.data.crop, config.batch, config.save_every, plan) == (96, 8, 500, None)
    assert not asked


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_not_given_is_none_until_it_is_resolved(name, pictures):
    standard = CONFIGS[name](pictures, updates=1).sized(None, None)
    names = ("batch", "log_every", "sample_every", "save_every")
    assert {getattr(standard, name) for name in names} | {standard.data.crop} == {None}
    config = standard.resolved()
    assert (config.data.crop, config.batch) == PRESETS[name].sizes[-1]
    assert (config.log_every, config.sample_every, config.save_every) == (50, 500, 500)
    given = dataclasses.replace(standard, save_every=7).sized(96, 3).resolved()
    assert (given.data.crop, given.batch, given.save_every) == (96, 3, 7)


def test_a_short_training_is_seen_and_saved_too(speeds):
    speeds(c128b4=0.2, c64b2=0.1, c64b4=0.1, c128b2=0.1)
    chosen, _ = fit(Pix2pix(minutes=10, data=PIXELS, save_every=7))  # 60 updates
    assert (chosen.log_every, chosen.sample_every, chosen.save_every) == (6, 6, 7)


# --- the measure ---


def test_mean_speed_by_hand(monkeypatch):
    """Every fifth update takes 5 s, others 1 s; in the last quarter all take twice as long: 1.8, 1.8, 1.8 and 3.6 s."""
    clock, updates = [0.0], []
    monkeypatch.setattr(speed.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(speed.processes, "synchronize", lambda accelerator, seconds, stop: (seconds, stop))

    class Paced:
        config = SimpleNamespace(updates=4000, accumulate=2)
        accelerator = SimpleNamespace(device=torch.device("cpu"))

        def batches(self):
            return iter(range(10**6))

        def train_one(self, parts):
            assert len(parts) == 2
            updates.append(self.update)
            clock[0] += (5 if self.update % 5 == 0 else 1) * (2 if self.update >= 3000 else 1)

    assert mean_speed(Paced(), cycle=5, wanted=0.1) == pytest.approx((3 / 1.8 + 1 / 3.6) / 4)
    assert set(updates) == {500, 501, 1500, 1501, 2500, 2501, 3500, 3501}
    updates.clear()
    assert mean_speed(Paced(), cycle=5, wanted=1.0) == 0.2  # hopeless after the first
    assert updates == [500]


def test_a_real_measure(tmp_path):
    """Where a sample takes 20 ms, an update of two takes 40 and a little more."""

    class Slow(torch.utils.data.Dataset):
        def __init__(self, data):
            self.data = data

        def __getitem__(self, position):
            time.sleep(0.02)
            return self.data[position]

    config = CONFIGS["pix2pix"](None, minutes=1.0, batch=2, device="cpu", precision="no", out=tmp_path / "run")
    preset = build(config)
    result = speed.speed(config, lambda config: dataclasses.replace(preset, data=Slow(preset.data)))
    assert 0.05 < result < 25


def test_no_trace(tmp_path):
    """Random numbers, weights of a training and the disk are as if nothing had been measured."""
    config = CONFIGS["cyclegan"](None, updates=2, batch=2, device="cpu", precision="no", tracker="none", out=tmp_path / "run")

    def trained() -> dict:
        trainer = Trainer(build(config), config)
        batches = trainer.batches()
        for _ in range(2):
            trainer.train_one([next(batches)])
        return {name: net.state_dict() for name, net in trainer.nets.items()}

    before = trained()
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.random.get_rng_state()
    assert speed.speed(config) > 0
    assert random.getstate() == states[0] and np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.random.get_rng_state(), states[2])
    assert not config.out.exists()
    after = trained()
    assert all(torch.equal(value, after[net][name]) for net, values in before.items() for name, value in values.items())


# --- the command line ---


def test_a_resumed_training_does_not_choose_again(speeds, tmp_path, capsys):
    out = tmp_path / "run"
    words = ["pix2pix", "--data.world", "palette", "--width", "4", "--device", "cpu", "--precision", "no", "--tracker", "none"]
    words += ["--out", str(out)]
    asked = speeds(c128b4=1.0, c128b2=1.0, c64b4=1.0, c64b2=10000.0)
    assert main([*words, "--minutes", "0.01", "--validate-every", "0"]) == 0
    assert asked == ["c128b4", "c64b2"]
    review = capsys.readouterr().out.splitlines()[-1]
    assert "predicted were 6000 in 0.01, until" in review and review.startswith("budget: ")
    saved = json.loads((out / "config.json").read_text())
    assert (saved["data"]["crop"], saved["batch"], saved["log_every"]) == (64, 2, 50)
    made = torch.load(out / "state.pt", weights_only=True)["update"]
    for more in (["--minutes", "0.02"], ["--updates", str(made + 1)]):
        assert main([*words, *more, "--resume", "--validate-every", "0"]) == 0
        now = json.loads((out / "config.json").read_text())
        assert (now["data"]["crop"], now["batch"]) == (64, 2)
    assert len(asked) == 2
    assert "predicted" not in capsys.readouterr().out


def test_sizes_of_before(tmp_path):
    config = Pix2pix(updates=2, data=PIXELS, out=tmp_path, resume=True)
    assert as_before(config) == config  # there is nothing to go on with
    (tmp_path / "state.pt").touch()
    assert as_before(config) == config  # nobody knows what it was
    saved = {"batch": 2, "log_every": 3, "sample_every": 4, "save_every": 5, "data": {"crop": 64}}
    (tmp_path / "config.json").write_text(json.dumps(saved))
    found = as_before(dataclasses.replace(config, batch=4))
    assert (found.batch, found.log_every, found.save_every, found.data.crop) == (4, 3, 5, 64)
    assert as_before(config.sized(128, None)).data.crop == 128
    assert as_before(dataclasses.replace(config, resume=False)).batch is None
