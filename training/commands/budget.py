"""What a budget of minutes allows: crops and batches as large as leave enough updates, by the measured speed of the training.

    >>> config, plan = fit(Cyclegan(minutes=10, data=Unpaired(world="ink")))
    budget: crop 64, batch 1 at 0.41 s an update: about 1463 updates in 10 minutes, until 14:32

The sizes to choose from and the target number of updates are declared by the options of each preset.
"""

import dataclasses
import json
import os
import time
from dataclasses import dataclass

from accelerate import PartialState

from training.commands.speed import COLD, Build, speed
from training.options import Run, either
from training.presets import build

LOOKS = 10  # log lines, grids and saves of a short training: each at least as many


@dataclass(frozen=True)
class Plan:
    """A size of crops and batches, with its measured speed.

    Args:
        crop: Side in pixels.
        batch: Samples.
        speed: Updates per second.
        minutes: Of the training.
        begun: When the training begins, in seconds since 1970.
    """

    crop: int
    batch: int
    speed: float
    minutes: float
    begun: float = dataclasses.field(default_factory=time.time)

    @property
    def updates(self) -> int:
        return int(self.speed * self.minutes * 60)

    def outlook(self) -> str:
        end = clock(self.begun + self.minutes * 60)
        speed = f"crop {self.crop}, batch {self.batch} at {1 / self.speed:.2g} s an update"
        return f"budget: {speed}: about {self.updates} updates in {self.minutes:g} minutes, until {end}"

    def review(self, updates: int, seconds: float) -> str:
        """The prediction beside what came of it."""
        end = clock(self.begun + self.minutes * 60)
        return (
            f"budget: {updates} updates in {seconds / 60:.1f} minutes, until {clock(time.time())}; "
            f"predicted were {self.updates} in {self.minutes:g}, until {end}"
        )


def clock(moment: float) -> str:
    return time.strftime("%H:%M", time.localtime(moment))


def as_before(config: Run) -> Run:
    """For a training that goes on: with the sizes and intervals that it began with, where none are given now."""
    if not (config.resume and (config.out / "state.pt").exists()):
        return config
    try:
        saved = json.loads((config.out / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # without it, a training still goes on
        return config
    missing = {name: saved[name] for name in ("batch", *config.intervals) if getattr(config, name) is None}
    config = dataclasses.replace(config, **missing)
    return config.sized(either(config.data.crop, saved["data"]["crop"]), config.batch)


def fit(config: Run, build: Build = build) -> tuple[Run, Plan | None]:
    """`config` with the largest crop and batch that leave `config.target_updates` updates, and what to expect of it.

    Crop, batch and intervals that are given stay. No plan is made where there is nothing to choose: of a budget in updates, of a
    training that goes on, of sizes that are given. Nothing is written, and random numbers come as if nothing had been measured.

    Args:
        config: With None for a crop, batch or interval that may be chosen.
        build: Makes the training.
    """
    going_on = config.resume and (config.out / "state.pt").exists()
    if config.minutes is None or config.updates is not None or going_on or None not in (config.batch, config.data.crop):
        return config.resolved(), None
    plan, larger = choose(config, sizes(config), build)
    lines = [plan.outlook()]
    if larger:
        lines.insert(0, f"budget: crop {larger.crop}, batch {larger.batch} would leave time for {larger.updates} updates only")
    if plan.updates < config.target_updates:
        minutes = config.target_updates / plan.speed / 60
        lines.append(f"budget: that is little; {config.target_updates} updates would take --minutes {minutes:.1f}")
    if PartialState().is_main_process:
        print("\n".join(lines))
    return scheduled(config.sized(plan.crop, plan.batch), plan.updates), plan


def scheduled(config: Run, updates: int) -> Run:
    """With intervals that a training of so few updates has some of, where none are given."""
    shorter = {name: max(1, min(standard, updates // LOOKS)) for name, standard in config.intervals.items()}
    return dataclasses.replace(config, **{name: either(getattr(config, name), interval) for name, interval in shorter.items()})


def sizes(config: Run) -> list[tuple[int, int]]:
    """Crops and batches to choose from, the smallest first, the standard last."""
    crops_and_batches = [(either(config.data.crop, crop), either(config.batch, batch)) for crop, batch in config.sizes]
    standard = crops_and_batches[-1]
    parts = config.accumulate * int(os.environ.get("WORLD_SIZE", 1))
    whole = [size for size in crops_and_batches if size[1] % parts == 0 and pixels(size) < pixels(standard)]
    return [*dict.fromkeys(whole), standard]


def pixels(size: tuple[int, int]) -> int:
    crop, batch = size
    return crop * crop * batch


def choose(config: Run, sizes: list[tuple[int, int]], build: Build) -> tuple[Plan, Plan | None]:
    """The largest size that makes enough updates, else the smallest; and of those that do not, the smallest that was tried."""
    wanted = config.target_updates / (config.minutes * 60)  # updates per second
    plan, larger = None, None
    for size in reversed(sizes):
        if plan is not None:
            larger = plan
            # at best as much faster as it has fewer pixels
            hopeless = COLD * plan.speed * pixels((plan.crop, plan.batch)) / pixels(size) < wanted
            if hopeless and size != sizes[0]:
                continue
        plan = Plan(*size, speed(config.sized(*size), build, wanted), config.minutes)
        if plan.speed >= wanted:
            break
    return dataclasses.replace(plan, begun=time.time()), larger
