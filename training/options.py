"""Options of the command line: frozen dataclasses, parsed by tyro, saved beside the run. Importing this costs no torch."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from styletransfer.files import write_text


@dataclass(frozen=True)
class Between:
    """Numbers that `python -m training search` tries, evenly on a logarithmic scale."""

    low: float
    high: float


RATES = Between(5e-5, 2e-3)


@dataclass(frozen=True, kw_only=True)
class Data:
    photos: Path
    """Folder of photos, searched with its sub-folders."""
    paintings: Path
    """Folder of paintings, or of folders of them, which then come up equally often."""
    crop: int = 192
    """Side of the square training crops, in pixels. With --minutes, a smaller one where the time is short."""


@dataclass(frozen=True, kw_only=True)
class Features:
    network: Literal["squeezenet1_1", "vgg16", "vgg19"] = "squeezenet1_1"
    """Frozen network whose features measure content and style."""
    weights: str | None = None
    """A safetensors file of its features; none downloads torchvision's."""
    normalization: Literal["imagenet", "caffe"] = "imagenet"
    """What the weights expect of their input: torchvision's are "imagenet"."""


@dataclass(frozen=True, kw_only=True)
class Hub:
    repo: str | None = None
    """Push packages to this repository of the Hub, user/name, while they train; needs `hf auth login` or HF_TOKEN."""
    every: int = 1000
    """Updates between two pushes, which follow a save."""
    private: bool = False
    """Make the repository private, if it is new."""

    def __post_init__(self):
        if self.repo is not None and not all(self.repo.partition("/")):
            raise ValueError(f"--hub.repo must look like user/name, got {self.repo!r}")
        if self.every <= 0:
            raise ValueError(f"--hub.every must be positive, got {self.every}")


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
    """Samples for each update, over all processes and accumulation steps. With --minutes, fewer where the time is short."""
    accumulate: int = 1
    """Split each batch into this many parts to save memory; the result is the same."""
    seed: int = 0
    precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    """"auto" takes bf16 where the hardware multiplies it faster, else full precision."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compile: bool = False
    """Compile the networks: minutes at the start, faster updates on a GPU."""
    workers: int = 0
    """Processes that prepare samples; 0 does it in the training process, right on a CPU."""
    log_every: int = 50
    """Updates between two log lines."""
    sample_every: int = 500
    """Updates between two sample grids."""
    save_every: int = 500
    """Updates between two saved states."""
    validate_every: int | None = None
    """Updates between two validations on held-out pictures, the best of which ships; 0 for none. By default ten in a training,
    100 updates apart or more."""
    patience: int = 0
    """End after so many validations that were no better than the best; 0 goes on."""
    tracker: Literal["tensorboard", "wandb", "trackio", "none"] = "tensorboard"
    """Where losses, scores and samples can be watched; wandb and trackio are to be installed first."""
    hub: Hub = field(default_factory=Hub)

    preset: ClassVar[str]
    """Its name on the command line."""
    smaller: ClassVar[tuple[tuple[int, int], ...]] = ()
    """Sides of crops and batches, the smallest first, that a training with --minutes may take in place of the standard ones."""
    enough: ClassVar[int] = 1000
    """Updates for which it rather takes smaller ones; most presets of benchmarks/learning.py have come far after as many."""
    space: ClassVar[dict[str, Between | tuple]] = {}
    """Options that `python -m training search` tries, and their values."""

    def __post_init__(self):
        if self.updates is None and self.minutes is None:
            raise ValueError("give a budget: --minutes 60, say, or --updates 10000")
        for name in ("minutes", "updates", "batch", "accumulate", "log_every", "sample_every", "save_every"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"--{name.replace('_', '-')} must be positive, got {value}")
        for name in ("validate_every", "patience"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"--{name.replace('_', '-')} cannot be negative, got {getattr(self, name)}")
        if self.patience and self.validate_every == 0:
            raise ValueError("--patience counts validations, and --validate-every 0 makes none")
        if self.batch % self.accumulate:
            raise ValueError(f"--batch {self.batch} cannot be split into --accumulate {self.accumulate} equal parts")

    def sized(self, crop: int, batch: int) -> "Run":
        """The same with another side of crops and another batch."""
        return dataclasses.replace(self, batch=batch, data=dataclasses.replace(self.data, crop=crop))


World = Literal["pointillism", "hatching", "cartoon", "mosaic", "ink", "palette"]
Loss = Literal["logistic", "lsgan", "hinge", "wasserstein", "relativistic"]
Smoothness = Literal["none", "clip", "gp", "spectral", "r1", "r2", "r1r2"]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    folder: Path | None = None
    """Folder of pictures; none trains on drawn scenes."""
    world: World | None = None
    """Render the pictures in this style first."""
    crop: int = 64
    """Side of the square pictures, in pixels. With --minutes, a smaller one where the time is short."""


@dataclass(frozen=True, kw_only=True)
class Unpaired:
    a: Path | None = None
    """Folder of pictures to translate; none draws scenes, and needs a world."""
    b: Path | None = None
    """Folder of pictures that the results should look like; none renders other pictures of a in the style of the world."""
    world: World | None = None
    """A style to learn that is computed, not collected: its truth is known."""
    crop: int = 128
    """Side of the square training crops, in pixels. With --minutes, a smaller one where the time is short."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    source: Path | None = None
    """Folder of pictures to translate; none draws scenes, and needs a world."""
    target: Path | None = None
    """Folder of their translations, under the same file names; none renders the sources in the style of the world."""
    world: World | None = None
    """A style to learn that is computed, not collected."""
    crop: int = 128
    """Side of the square training crops, in pixels. With --minutes, a smaller one where the time is short."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    folder: Path | None = None
    """Folder with one sub-folder of pictures for each domain; none renders drawn scenes in the styles of the worlds."""
    worlds: tuple[World, ...] = ("hatching", "mosaic", "palette")
    """The domains, where there is no folder; plain scenes are one more."""
    crop: int = 128
    """Side of the square training crops, in pixels. With --minutes, a smaller one where the time is short."""


def save_config(config: Run, path: Path) -> None:
    write_text(path, json.dumps({"preset": config.preset} | dataclasses.asdict(config), indent=2, default=str) + "\n")
