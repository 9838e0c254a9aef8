"""Options of the command line: frozen dataclasses, parsed by tyro, saved beside the run. Importing this costs no torch."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Data:
    photos: Path
    """Folder of photos, searched with its sub-folders."""
    paintings: Path
    """Folder with one sub-folder of paintings for each style; its name is the name of the style."""
    crop: int = 192
    """Side of the square training crops, in pixels."""


@dataclass(frozen=True, kw_only=True)
class Features:
    network: Literal["squeezenet1_1", "vgg16", "vgg19"] = "squeezenet1_1"
    """Frozen network whose features measure content and style."""
    weights: str | None = None
    """A safetensors file of its features; none downloads torchvision's."""
    normalization: Literal["imagenet", "caffe"] = "imagenet"
    """What the weights expect of their input: torchvision's are "imagenet"."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """Options that every training has."""

    out: Path = Path("runs/latest")
    """Folder of the run: config.json, state, samples, logs, and the finished package in pipeline/."""
    minutes: float | None = None
    """Time budget; learning rates fall to zero as it ends. Give this or --updates."""
    updates: int | None = None
    """Number of updates, in place of a time budget."""
    resume: bool = False
    """Go on from the last state in --out. Without a saved state, start anew."""
    batch: int = 4
    """Samples for each update, over all processes and accumulation steps."""
    accumulate: int = 1
    """Split each batch into this many parts to save memory; the result is the same."""
    seed: int = 0
    precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    """"auto" takes bf16 where the hardware multiplies it faster, else full precision."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int = 0
    """Processes that prepare samples; 0 does it in the training process, right on a CPU."""
    log_every: int = 50
    """Updates between two log lines."""
    sample_every: int = 500
    """Updates between two sample grids."""
    save_every: int = 500
    """Updates between two saved states."""
    tracker: Literal["tensorboard", "none"] = "tensorboard"

    def __post_init__(self):
        if self.updates is None and self.minutes is None:
            raise ValueError("give a budget: --minutes 60, say, or --updates 10000")
        for name in ("minutes", "updates", "batch", "accumulate", "log_every", "sample_every", "save_every"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"--{name.replace('_', '-')} must be positive, got {value}")
        if self.batch % self.accumulate:
            raise ValueError(f"--batch {self.batch} cannot be split into --accumulate {self.accumulate} equal parts")


@dataclass(frozen=True, kw_only=True)
class Painter(Run):
    """One generator for many styles, with a style encoder: the flagship."""

    data: Data
    features: Features = field(default_factory=Features)
    game: Literal["hinge", "lsgan", "relativistic"] = "hinge"
    """Adversarial game; hinge comes with spectral normalisation, relativistic with R1 and R2 penalties."""
    content: float = 10.0
    """Weight of the content loss."""
    style: float = 30.0
    """Weight of the Gram distance to the painting."""
    palette: float = 60.0
    """Weight of the colour distance to the painting."""
    adversarial: float = 2.0
    """Weight of the adversarial loss."""


PRESETS: dict[str, type[Run]] = {"painter": Painter}


def save_config(config: Run, path: Path) -> None:
    path.write_text(json.dumps({"preset": preset_name(config)} | dataclasses.asdict(config), indent=2, default=str) + "\n")


def preset_name(config: Run) -> str:
    return next(name for name, cls in PRESETS.items() if type(config) is cls)
