"""`python -m training learn-style PACKAGE --paintings DIR --name NAME`: one more style, no network changed."""

import shutil
import sys

import tyro

from training.check import refuse
from training.options import save_config
from training.presets.learn_style import LearnStyle, learn_style


def main(arguments: list[str]) -> None:
    """Train, also until Ctrl-C, then write the style file and the copy of the package."""
    config = tyro.cli(LearnStyle, prog="python -m training learn-style", args=arguments)
    if config.style_file.suffix != ".safetensors":
        raise ValueError(f"a style file ends in .safetensors, got {config.style_file}")
    if config.style_file.is_dir():
        raise ValueError(f"{config.style_file} is a folder; give the style file another name")
    if config.add is not None and config.add.exists() and (not config.add.is_dir() or any(config.add.iterdir())):
        raise ValueError(f"--add {config.add} must be a new or an empty folder")

    from training.engine.run_folder import claimed

    with claimed(config.out, config.resume):
        learn(config)


def learn(config: LearnStyle) -> None:
    from training.commands.budget import as_before, fit
    from training.engine.trainer import Trainer
    from training.packaging.style import add_style

    config = as_before(config)
    for warning in refuse(config.resolved().data):
        print(f"warning: {warning}", file=sys.stderr)
    config, plan = fit(config, learn_style)
    preset = learn_style(config)
    save_config(config, config.out / "config.json")
    trainer = Trainer(preset, config)
    trainer.train()
    if not trainer.accelerator.is_main_process:
        return
    if plan:
        print(plan.review(trainer.update, trainer.seconds))
    config.style_file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(preset.export.style_of(config.out / "pipeline"), config.style_file)
    print(f"wrote {config.style_file}; pipe.load_style({str(config.style_file)!r}) reads it")
    if config.add is not None:
        add_style(preset.export.package, config.out / "pipeline", config.add)
        print(f"wrote {config.add}, a copy of the package with the style {config.name}")
