"""`python -m training PRESET ...`: train a preset and write its package."""

import sys
from collections.abc import Collection

import tyro

from training.check import refuse
from training.options import Run
from training.presets import PRESETS, build


def main(arguments: list[str]) -> None:
    name, *words = arguments
    config = tyro.cli(PRESETS[name], prog=f"python -m training {name}", args=words)

    from training.commands.budget import options_in
    from training.engine.run_folder import claimed

    with claimed(config.out, config.resume):
        train(config, options_in(words))


def train(config: Run, given: Collection[str]) -> None:
    from training.commands.budget import as_before, fit
    from training.engine.trainer import Trainer

    config = as_before(config, given)
    for warning in refuse(config.data, config.out / "pictures.json"):
        print(f"warning: {warning}", file=sys.stderr)
    config, plan = fit(config, given)
    preset = build(config)
    trainer = Trainer(preset, config)
    trainer.train()
    if plan and trainer.accelerator.is_main_process:
        print(plan.review(trainer.update, trainer.seconds))
