"""A training that is killed again and again ends as one that ran through, to the bit; a full disk costs a state, no more."""

import copy
import dataclasses
import multiprocessing
import os
import random
import signal
from pathlib import Path

import pytest
import torch

from tests.tiny_presets import CONFIGS
from training.data.augment import diff_augment
from training.engine.trainer import Preset, Trainer
from training.losses.lipschitz import SpectralNorm
from training.options import Run
from training.presets import build

KILLS, UPDATES, POOL = 20, 50, 3
STATE_PART = ".state.part.pt"
# of a save, each on its own path through it
MOMENTS = ("half of the file written", "before the new file takes its place", "just after it did")


def lively(config: Run) -> Preset:
    """CycleGAN with everything that a state must hold: pools that are full, averages, power iterations, random augmentation."""
    preset = build(config)
    d_b, d_a = preset.recipe.games
    games = (
        dataclasses.replace(d_b, pool=POOL, lipschitz=SpectralNorm()),
        dataclasses.replace(d_a, pool=POOL, augment=diff_augment),
    )
    recipe = dataclasses.replace(preset.recipe, games=games)
    return dataclasses.replace(preset, recipe=recipe, export=lambda nets, folder: None)


def train(config: Run, die_in: str | None = None) -> None:
    """A run of its own process, which may kill itself somewhere in the second save from now."""
    torch.set_num_threads(1)
    trainer = Trainer(lively(config), config)
    if die_in is not None:
        doomed = trainer.save

        def save() -> None:
            if trainer.update > first[0] + 1:
                kill_in_save(die_in, config.out)
            doomed()

        first = []
        load = trainer.load
        trainer.load = lambda: (load(), first.append(trainer.update))
        if not trainer.state_path.exists():
            first.append(0)
        trainer.save = save
    trainer.train()


def kill_in_save(moment: str, out: Path) -> None:
    replace, fsync = Path.replace, os.fsync

    def die(*_) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def half(descriptor: int) -> None:
        fsync(descriptor)
        if (out / STATE_PART).exists():
            os.truncate(descriptor, os.fstat(descriptor).st_size // 2)
            die()

    def moved(part: Path, target: Path) -> None:
        if part.name != STATE_PART:  # the log of the run, which is written before
            replace(part, target)
        elif moment == MOMENTS[1]:
            die()
        else:
            replace(part, target)
            die()

    if moment == MOMENTS[0]:
        os.fsync = half
    else:
        Path.replace = moved


@pytest.fixture(scope="module")
def fork():
    """Starts processes from a server that has imported everything, in some ten milliseconds each."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.test_resume", "training.packaging.export"])

    def start(*arguments) -> multiprocessing.Process:
        process = context.Process(target=train, args=arguments)
        process.start()
        return process

    return start


@pytest.fixture
def config(tmp_path: Path, pictures: Path) -> Run:
    run = {"device": "cpu", "precision": "no", "tracker": "none", "log_every": 7, "sample_every": 20, "save_every": 1}
    return CONFIGS["cyclegan"](pictures, batch=2, updates=UPDATES, out=tmp_path / "straight", **run)


def state(config: Run) -> dict:
    return torch.load(config.out / "state.pt", weights_only=True)


def assert_same(one, other, where: str = "state") -> None:
    assert type(one) is type(other), where
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_same(one[key], other[key], f"{where}/{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for number, values in enumerate(zip(one, other, strict=True)):
            assert_same(*values, f"{where}/{number}")
    else:
        assert one == other, where


@pytest.mark.slow
def test_a_training_killed_twenty_times_ends_as_one_that_ran_through(fork, config):
    straight = fork(config)
    straight.join()
    assert straight.exitcode == 0
    killed = dataclasses.replace(config, out=config.out.with_name("killed"), resume=True)
    dice = random.Random(0)
    pace = min(0.1, state(config)["seconds"] / UPDATES)
    seen = []
    for kill in range(KILLS):
        if kill % 2:
            process = fork(killed, MOMENTS[kill // 2 % len(MOMENTS)])
            process.join()
        else:
            # anywhere: in the start, or in the update after the next save or two
            process = fork(killed)
            for _ in range(dice.randrange(3)):
                before = newest(killed)
                while process.is_alive() and newest(killed) == before:
                    process.join(0.005)
            process.join(dice.uniform(0, pace))
            process.kill()
            process.join()
        assert process.exitcode == -signal.SIGKILL, f"kill {kill} came too late"
        seen.append(state(killed)["update"] if newest(killed) else 0)
    assert seen == sorted(seen) and 0 < seen[-1] < UPDATES, seen
    last = fork(killed)
    last.join()
    assert last.exitcode == 0
    one, other = state(config), state(killed)
    assert one.pop("seconds") > 0 < other.pop("seconds")
    assert len(one["pools"]["d_b"]) == POOL
    assert_same(one, other)
    assert not list(killed.out.glob(".*.part*"))


def newest(config: Run) -> int:
    path = config.out / "state.pt"
    return path.stat().st_mtime_ns if path.exists() else 0


def test_what_is_compared_would_show_a_difference(config):
    trainer = Trainer(lively(config), config)
    trainer.train_one([next(trainer.batches())])
    config.out.mkdir()
    trainer.save()
    one = state(config)
    assert {"nets", "averages", "optimizers", "pools", "update"} <= one.keys()
    for spoil in (
        lambda s: s["nets"]["g_ab"][next(iter(s["nets"]["g_ab"]))].add_(1e-7),
        lambda s: s["optimizers"]["generator"]["state"][0]["exp_avg_sq"].mul_(1.001),
        lambda s: s["pools"]["d_a"].reverse(),
    ):
        other = copy.deepcopy(one)
        spoil(other)
        with pytest.raises(AssertionError):
            assert_same(one, other)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_costs_a_state_but_not_the_training(config, capsys):
    config = dataclasses.replace(config, updates=4)
    trainer = Trainer(lively(config), config)
    save, kept = trainer.save, {}

    def full_at_two_and_three() -> None:
        if trainer.update in (2, 3):
            trainer.state_path.with_name(STATE_PART).symlink_to("/dev/full")
        save()
        kept[trainer.update] = state(config)["update"]

    trainer.save = full_at_two_and_three
    trainer.train()
    assert kept == {1: 1, 2: 1, 3: 1, 4: 4}
    shown = capsys.readouterr().out
    assert "the state of update 2 could not be written (No space left on device)" in shown
    assert "state.pt stays as it was" in shown
    assert not list(config.out.glob(".*.part*"))


def test_a_disk_that_fills_up_within_a_file(config, capsys):
    resource = pytest.importorskip("resource")
    config = dataclasses.replace(config, updates=2)
    trainer = Trainer(lively(config), config)
    save, limits = trainer.save, resource.getrlimit(resource.RLIMIT_FSIZE)

    def little_space() -> None:
        if trainer.update == 2:
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
        try:
            save()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    trainer.save = little_space
    trainer.train()
    assert state(config)["update"] == 1
    assert "the state of update 2 could not be written (File too large)" in capsys.readouterr().out
    assert not list(config.out.glob(".*.part*"))


class Evil:
    """Pickled, it stands for a file that is made where it is opened."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def test_a_state_of_another_machine_runs_no_code(config, tmp_path):
    config.out.mkdir()
    torch.save({"update": 1, "nets": Evil(tmp_path / "code ran")}, config.out / "state.pt")
    torch.load(config.out / "state.pt", weights_only=False)
    assert (tmp_path / "code ran").exists()  # it would
    (tmp_path / "code ran").unlink()
    with pytest.raises(Exception):  # noqa: B017  in whatever words
        Trainer(lively(config), config).load()
    assert not (tmp_path / "code ran").exists()


def test_any_seed_can_be_trained_with(config):
    trainer = Trainer(lively(config), dataclasses.replace(config, seed=2**31))
    trainer.train_one([next(trainer.batches())])
    assert trainer.update == 1


def damage(path: Path, kind: str) -> None:
    content = bytearray(path.read_bytes())
    if kind == "cut off":
        del content[len(content) * 2 // 3 :]
    elif kind == "empty":
        content.clear()
    elif kind == "a bit is another":
        content[len(content) // 2] ^= 4
    elif kind == "text":
        content = b"version https://git-lfs.github.com/spec/v1"
    path.write_bytes(content)


@pytest.fixture
def trained(config):
    config = dataclasses.replace(config, updates=1)
    Trainer(lively(config), config).train()
    return dataclasses.replace(config, updates=2, resume=True)


@pytest.mark.parametrize("kind", ["cut off", "empty", "a bit is another", "text"])
def test_a_damaged_state_is_named(trained, kind):
    path = trained.out / "state.pt"
    damage(path, kind)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"state\.pt is damaged and cannot be gone on from \(.+\); put a copy") as error:
        Trainer(lively(trained), trained).train()
    assert "\n" not in str(error.value) and path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [[1, 2], {"weights": torch.zeros(2)}, {"update": "one", "seconds": 0.0}], ids=["list", "weights", "words"]
)
def test_a_file_that_is_no_state_is_named(trained, content):
    torch.save(content, trained.out / "state.pt")
    with pytest.raises(ValueError, match=r"state\.pt is no state of a training: it lacks .*nets"):
        Trainer(lively(trained), trained).train()


def test_a_state_of_another_training_is_refused_before_anything_is_written(trained):
    other = dataclasses.replace(trained, width=8)
    before = {path: path.read_bytes() for path in trained.out.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"other networks or options \(size mismatch .*\); give the options that it began with"):
        Trainer(lively(other), other).train()
    lost = state(trained)
    del lost["nets"]["g_ab"]
    torch.save(lost, trained.out / "state.pt")
    with pytest.raises(ValueError, match="other networks or options"):
        Trainer(lively(trained), trained).train()
    (trained.out / "state.pt").write_bytes(before[trained.out / "state.pt"])
    assert before == {path: path.read_bytes() for path in trained.out.rglob("*") if path.is_file()}
