"""`python -m training finetune PACKAGE --data.photos DIR --data.paintings DIR`: a painter learns on, with all of its networks."""

import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from training.check import refuse
from training.options import Painter, Pictures


@dataclass(frozen=True, kw_only=True)
class Finetune(Painter):
    """A trained painter learns on from more paintings, with all of its networks; older paintings can be rehearsed."""

    pretrained: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PACKAGE")] = "painter"
    """Painter package: a folder, a Hub id, or the name of one that comes along."""
    rate: float = 2e-4
    """Learning rate of the painter's networks: a fifth of the first training's, which had nothing to forget."""
    replay: Path | None = None
    """Folder of older paintings, or of folders of them: half of the samples, against forgetting."""
    out: Path = Path("runs/finetune")
    """Folder of the run: as of any training, with the held-out scores before and after in changes.json."""


def main(arguments: list[str]) -> None:
    """Train, also until Ctrl-C, then write the package and say what has changed on held-out pictures."""
    config = tyro.cli(Finetune, prog="python -m training finetune", args=arguments)
    warnings = refuse(config.data, config.out / "pictures.json")
    if config.replay is not None:
        warnings += refuse(Pictures(folder=config.replay, crop=config.data.crop), config.out / "replay.json")
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)

    from training.commands.changes import report
    from training.engine.trainer import Trainer
    from training.presets.finetune import finetune, painter_of

    package, pipe = painter_of(config.pretrained)
    preset = finetune(config, package, pipe)
    trainer = Trainer(preset, config)
    if trainer.accelerator.is_main_process:
        config.out.mkdir(parents=True, exist_ok=True)
        options = {"preset": "finetune"} | dataclasses.asdict(config)
        (config.out / "config.json").write_text(json.dumps(options, indent=2, default=str) + "\n")
    trainer.train()
    if trainer.accelerator.is_main_process:
        print(report(config, preset, pipe))
