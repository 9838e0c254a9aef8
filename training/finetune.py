"""`python -m training finetune PACKAGE --data.photos DIR --data.paintings DIR`: more styles, with every network learning on."""

import dataclasses
import json
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from training.check import refuse
from training.config import Painter

if TYPE_CHECKING:
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline


@dataclass(frozen=True, kw_only=True)
class Replay:
    paintings: Path | None = None
    """Folder with a sub-folder of paintings for each old style that you still have; the package paints those of the others."""
    count: int = 32
    """Paintings that it makes of each of them to train on, against forgetting; 0 for none."""

    def __post_init__(self):
        if self.count < 0:
            raise ValueError(f"--replay.count cannot be negative, got {self.count}")


@dataclass(frozen=True, kw_only=True)
class Finetune(Painter):
    """New styles for a trained painter, or more of its old ones: all networks learn on, and old styles are rehearsed."""

    start: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PACKAGE")] = "painter"
    """Painter package: a folder, a Hub id, or the name of one that comes along."""
    rate: float = 2e-4
    """Learning rate of the painter's networks: a fifth of the first training's, which had nothing to forget."""
    replay: Replay = field(default_factory=Replay)
    out: Path = Path("runs/finetune")
    """Folder of the run: as of any training, with its pictures in data/ and what was forgotten in forgetting.json."""

    @property
    def pictures(self) -> Path:
        """What is trained on and what is held out: {train,held}/{photos,paintings/<style>}."""
        return self.out / "data"


def teach(config: Finetune) -> None:
    """Train, also until Ctrl-C, then write the package and say what the old styles have lost."""
    for warning in refuse(config.data, config.out / "pictures.json"):
        print(f"warning: {warning}", file=sys.stderr)

    from training.forgetting import report
    from training.presets.finetune import finetune, painter_of
    from training.processes import accelerator_of
    from training.trackers import check_tracker
    from training.trainer import Trainer

    check_tracker(config.tracker)  # the trainer does so too, but old styles are painted before it comes to that
    package, pipe = painter_of(config.start)
    accelerator = accelerator_of(config)
    with accelerator.main_process_first():
        if accelerator.is_main_process:
            prepare(config, pipe)
    Trainer(finetune(config, package, pipe), config).train()
    if accelerator.is_main_process:
        print(report(config, pipe))


def prepare(config: Finetune, pipe: "StyleTransferPipeline") -> None:
    """Arrange the pictures of a new run, with those that `pipe` paints, and save the options."""
    from training.data.replay import MADE, arrange

    folder, data, replay = config.pictures, config.data, config.replay
    made = (folder / MADE).is_file()
    if not (config.resume and made):
        if folder.exists() and not made:
            raise ValueError(f"{folder} is in the way: no finetuning has made it; give another --out")
        shutil.rmtree(folder, ignore_errors=True)
        config.out.mkdir(parents=True, exist_ok=True)
        arrange(folder, pipe, data.photos, data.paintings, data.crop, replay.paintings, replay.count, config.seed)
    options = {"preset": "finetune"} | dataclasses.asdict(config)
    (config.out / "config.json").write_text(json.dumps(options, indent=2, default=str) + "\n")
