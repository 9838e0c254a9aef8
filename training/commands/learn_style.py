"""`python -m training learn-style PACKAGE --paintings DIR --name NAME`: one more style, no network changed."""

import shutil

import tyro

from training.commands.train import train
from training.presets.learn_style import LearnStyle, learn_style, painter_for


def main(arguments: list[str]) -> None:
    """Train, also until Ctrl-C, then write the style file and the copy of the package."""
    config = tyro.cli(LearnStyle, prog="python -m training learn-style", args=arguments)

    if config.style_file.suffix != ".safetensors":
        raise ValueError(f"a style file ends in .safetensors, got {config.style_file}")
    if config.style_file.is_dir():
        raise ValueError(f"{config.style_file} is a folder; give the style file another name")
    if config.add is not None and config.add.exists() and (not config.add.is_dir() or any(config.add.iterdir())):
        raise ValueError(f"--add {config.add} must be a new or an empty folder")

    from styletransfer.pipelines.style_transfer import STYLE_FILE
    from training.packaging.style import add_style

    package, _ = painter_for(config)
    if not train(config, learn_style):
        return
    learned = config.out / "pipeline"
    config.style_file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(learned / STYLE_FILE, config.style_file)
    print(f"wrote {config.style_file}; pipe.load_style({str(config.style_file)!r}) reads it")
    if config.add is not None:
        add_style(package, learned, config.add)
        print(f"wrote {config.add}, a copy of the package with the style {config.name}")
