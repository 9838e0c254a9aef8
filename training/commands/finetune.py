"""`python -m training finetune PACKAGE --data.photos DIR --data.paintings DIR`: a painter learns on, with all of its networks."""

import sys

import tyro

from training.check import refuse
from training.options import Pictures, save_config
from training.presets.finetune import Finetune, finetune


def main(arguments: list[str]) -> None:
    """Train, also until Ctrl-C, then write the package and say what has changed."""
    config = tyro.cli(Finetune, prog="python -m training finetune", args=arguments)

    from training.engine.run_folder import claimed

    with claimed(config.out, config.resume):
        teach(config)


def teach(config: Finetune) -> None:
    from training.commands.changes import report
    from training.engine.trainer import Trainer

    config = config.resolved()
    warnings = refuse(config.data, config.out / "pictures.json")
    if config.replay is not None:
        warnings += refuse(Pictures(folder=config.replay, crop=config.data.crop), config.out / "replay.json")
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    preset = finetune(config)
    trainer = Trainer(preset, config)
    if trainer.accelerator.is_main_process:
        save_config(config, config.out / "config.json")
    trainer.train()
    if trainer.accelerator.is_main_process:
        print(report(config, preset))
