"""`python -m training learn-style PACKAGE --paintings DIR --name NAME`: one more style, no network changed."""

import dataclasses
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from training.check import refuse
from training.options import Data, Features, Run


@dataclass(frozen=True, kw_only=True)
class LearnStyle(Run):
    """A new style for a trained painter: a small adapter is learned, so no other style can change."""

    package: tyro.conf.Positional[str] = "painter"
    """Painter package: a folder, a Hub id, or the name of one that comes along."""
    paintings: Path
    """A painting to learn from, or a folder of a few."""
    name: str
    """What to call the style."""
    photos: Path | None = None
    """Folder of photos to practise on; none draws scenes."""
    file: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Style file to write; NAME.safetensors by default."""
    add: Path | None = None
    """Write a copy of the package that has the style, too; an empty or new folder."""
    crop: Annotated[int, tyro.conf.arg(aliases=["--data.crop"])] = 192  # what errors about pictures call it
    """Side of the square training crops, in pixels."""
    features: Features = field(default_factory=Features)
    rate: float = 2e-3
    """Learning rate of the adapter."""
    content: float = 3.0
    """Weight of the content distance to the recoloured photo."""
    style: float = 20.0
    """Weight of the nearest-neighbour feature distance to the painting."""
    moments: float = 10.0
    """Weight of the distance of channel means and deviations."""
    palette: float = 60.0
    """Weight of the colour distance to the painting."""
    adversarial: float = 1.0
    """Weight of the adversarial loss."""
    title: str = ""
    """Of the painting, for the style file; like the next four, as the page and cards show it."""
    artist: str = ""
    year: str = ""
    source: str = ""
    """Where the picture of the painting comes from."""
    licence: str = ""
    batch: int = 2
    out: Path = Path("runs/learn-style")
    """Folder of the run: state, samples, logs, and in pipeline/ the style with its card, ready to be published."""
    log_every: int = 10
    sample_every: int = 100
    save_every: int = 100

    smaller = ((96, 2), (128, 2))
    enough = 200

    @property
    def data(self) -> Data:
        return Data(photos=self.photos, paintings=self.paintings, crop=self.crop)

    def sized(self, crop: int, batch: int) -> "LearnStyle":
        return dataclasses.replace(self, crop=crop, batch=batch)

    @property
    def style_file(self) -> Path:
        return self.file or Path(f"{self.name}.safetensors")


def main(arguments: list[str]) -> None:
    """Train, also until Ctrl-C, then write the style file and the copy of the package."""
    config = tyro.cli(LearnStyle, prog="python -m training learn-style", args=arguments)
    if config.style_file.suffix != ".safetensors":
        raise ValueError(f"a style file ends in .safetensors, got {config.style_file}")
    if config.style_file.is_dir():
        raise ValueError(f"{config.style_file} is a folder; give the style file another name")
    if config.add is not None and config.add.exists() and (not config.add.is_dir() or any(config.add.iterdir())):
        raise ValueError(f"--add {config.add} must be a new or an empty folder")

    for warning in refuse(config.data):
        print(f"warning: {warning}", file=sys.stderr)

    from training.commands.budget import as_before, fit, options_in
    from training.engine.trainer import Trainer
    from training.presets.learn_style import add_style, learn_style

    given = {"data.crop" if name == "crop" else name for name in options_in(arguments)}
    config, plan = fit(as_before(config, given), given, learn_style)
    preset = learn_style(config)
    config.out.mkdir(parents=True, exist_ok=True)
    options = {"preset": "learn-style"} | dataclasses.asdict(config)
    (config.out / "config.json").write_text(json.dumps(options, indent=2, default=str) + "\n")
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
