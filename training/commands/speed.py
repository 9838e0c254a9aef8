"""How fast a training will be on this machine: a few of its updates, timed, that leave no trace."""

import contextlib
import dataclasses
import io
import random
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch

from training.engine import processes
from training.engine.preset import Preset
from training.engine.trainer import Trainer
from training.options import Hub, Run
from training.presets import build

# parts of a training: some grow, or begin with fewer losses, and their later updates take longer
MOMENTS = (1 / 8, 3 / 8, 5 / 8, 7 / 8)
SETTLED = 0.2  # seconds of measuring at each
COLD = 3  # how many times longer than later ones the first update may take

Build = Callable[[Run], Preset]


def speed(config: Run, build: Build = build, wanted: float = 0.0) -> float:
    """Updates per second, the mean over the course of a training: of the updates alone, without saves, samples and validations.

    Nothing is written, and random numbers come as if nothing had been measured.

    Args:
        config: Of the training; its budget does not matter.
        build: Makes it.
        wanted: What is hoped for. A training that is far slower is measured by a single update.
    """
    with untouched_randomness():
        # by updates, so that it can be put anywhere in its course; compiling takes longer than measuring
        quiet = {"tracker": "none", "hub": Hub(), "log_every": 10**9, "save_every": 10**9}
        config = dataclasses.replace(config, minutes=None, updates=1, resume=False, compile=False, **quiet)
        with contextlib.redirect_stdout(io.StringIO()):  # it is told once, of the training itself
            preset = build(config)
        cycle = max(part.every for part in (*preset.recipe.phases, *(game.lipschitz for game in preset.recipe.games)))
        trainer = Trainer(preset, dataclasses.replace(config, updates=len(MOMENTS) * 1000 * cycle))
        try:
            return mean_speed(trainer, cycle, wanted)
        finally:
            trainer.accelerator.free_memory()


def mean_speed(trainer: Trainer, cycle: int, wanted: float) -> float:
    """Updates per second at the MOMENTS of a training in which rare parts, a penalty say, take part once in a `cycle`."""
    batches = trainer.batches()

    def seconds(update: int) -> float:
        trainer.update, started = update, time.monotonic()
        trainer.train_one([next(batches) for _ in range(trainer.config.accumulate)])
        if trainer.accelerator.device.type == "cuda":
            torch.cuda.synchronize()
        return processes.synchronize(trainer.accelerator, time.monotonic() - started, False)[0]

    speeds = []
    for moment in MOMENTS:
        update = int(moment * trainer.config.updates) // cycle * cycle
        cold = seconds(update)
        if cold * wanted > COLD:
            return 1 / cold
        full, plain = [], []
        while sum(full) + sum(plain) < SETTLED:
            full.append(seconds(update))
            plain.append(seconds(update + 1) if cycle > 1 else full[-1])
        speeds.append(cycle / (sum(full) / len(full) + (cycle - 1) * sum(plain) / len(plain)))
    return sum(speeds) / len(speeds)


@contextlib.contextmanager
def untouched_randomness() -> Iterator[None]:
    """Inside, random numbers may be drawn and seeds set; outside, nothing of it is seen."""
    python, array = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        yield
    random.setstate(python)
    np.random.set_state(array)
