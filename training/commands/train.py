"""`python -m training PRESET ...`: train a preset and write its package."""

import sys

import tyro

from training.check import refuse
from training.options import Run, save_config
from training.presets import PRESETS, build


def main(arguments: list[str]) -> None:
    name, *words = arguments
    preset = PRESETS[name]
    config = tyro.cli(preset, prog=f"python -m training {name}", description=preset.about(), args=words)

    from training.engine.run_folder import claimed

    with claimed(config.out, config.resume):
        train(config)


def train(config: Run) -> None:
    from training.commands.budget import as_before, fit
    from training.engine.trainer import Trainer

    config = as_before(config)
    for warning in refuse(config.resolved().data, config.out / "pictures.json"):
        print(f"warning: {warning}", file=sys.stderr)
    config, plan = fit(config)
    preset = build(config)
    save_config(config, config.out / "config.json")
    trainer = Trainer(preset, config)
    trainer.train()
    if plan and trainer.accelerator.is_main_process:
        print(plan.review(trainer.update, trainer.seconds))
