"""`python -m training finetune PACKAGE --data.photos DIR --data.paintings DIR`: a painter learns on, with all of its networks."""

import sys

import tyro

from training.commands.train import train
from training.presets.finetune import DROPPED, Finetune, finetune, has_adapters
from training.presets.painter import load_painter


def main(arguments: list[str]) -> None:
    """Train, also until Ctrl-C, then write the package and say what has changed."""
    config = tyro.cli(Finetune, prog="python -m training finetune", args=arguments)

    from training.commands.changes import report

    _, old = load_painter(config.pretrained)
    if has_adapters(old):
        print(f"warning: {DROPPED}", file=sys.stderr)
    if trainer := train(config, finetune):
        print(report(trainer.config, trainer.preset, old))
