"""`python -m training PRESET ...`: train a preset and write its package."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import tyro

from training.check import refuse
from training.options import Pictures, Run
from training.presets import PRESETS, build

if TYPE_CHECKING:
    from training.engine.preset import Preset
    from training.engine.trainer import Trainer


def main(arguments: list[str]) -> None:
    name, *words = arguments
    preset = PRESETS[name]
    train(tyro.cli(preset, prog=f"python -m training {name}", description=preset.about(), args=words))


def train(config: Run, build: "Callable[[Run], Preset]" = build) -> "Trainer | None":
    """Train in the folder of the run, which no other training has, also until Ctrl-C. Returns the trainer, in the first process.

    Args:
        build: Makes the training.

    Raises:
        ValueError: where the pictures cannot be trained on, or the folder belongs to another training.
    """
    from training.commands.budget import as_before, fit
    from training.engine.run_folder import claimed
    from training.engine.trainer import Trainer

    with claimed(config.out, config.resume):
        config = as_before(config)
        data = config.resolved().data
        warnings = refuse(data, config.out / "pictures.json")
        if replay := getattr(config, "replay", None):
            warnings += refuse(Pictures(folder=replay, crop=data.crop), config.out / "replay.json")
        for warning in warnings:
            print(f"warning: {warning}", file=sys.stderr)
        config, plan = fit(config, build)
        trainer = Trainer(build(config), config)
        trainer.train()
        if not trainer.accelerator.is_main_process:
            return None
        if plan:
            print(plan.review(trainer.update, trainer.seconds))
        return trainer
