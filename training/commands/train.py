"""`python -m training PRESET ...`: train a preset and write its package."""

import sys
from collections.abc import Callable, Sequence
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
    train(tyro.cli(PRESETS[name], prog=f"python -m training {name}", args=words), words)


def train(config: Run, words: Sequence[str], build: "Callable[[Run], Preset]" = build) -> "Trainer | None":
    """Train in the folder of the run, which no other training has, also until Ctrl-C. Returns the trainer, in the first process.

    Args:
        words: The command line, as sizes that it gives stay as they are.
        build: Makes the training.

    Raises:
        ValueError: where the pictures cannot be trained on, or the folder belongs to another training.
    """
    from training.commands.budget import as_before, fit, options_in
    from training.engine.run_folder import claimed
    from training.engine.trainer import Trainer

    given = options_in(words)
    with claimed(config.out, config.resume):
        config = as_before(config, given)
        warnings = refuse(config.data, config.out / "pictures.json")
        if replay := getattr(config, "replay", None):
            warnings += refuse(Pictures(folder=replay, crop=config.data.crop), config.out / "replay.json")
        for warning in warnings:
            print(f"warning: {warning}", file=sys.stderr)
        config, plan = fit(config, given, build)
        trainer = Trainer(build(config), config)
        trainer.train()
        if not trainer.accelerator.is_main_process:
            return None
        if plan:
            print(plan.review(trainer.update, trainer.seconds))
        return trainer
