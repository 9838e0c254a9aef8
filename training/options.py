"""Options of the command line: frozen dataclasses, parsed by tyro, saved beside the run. Importing this costs no torch."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from styletransfer.files import write_text


@dataclass(frozen=True)
class Between:
    """A range that `python -m training search` samples on a logarithmic scale."""

    low: float
    high: float


RATES = Between(5e-5, 2e-3)


@dataclass(frozen=True, kw_only=True)
class Crops:
    """What the data of all trainings have in common."""

    crop: int | None = None
    """Side of the square training crops in pixels. Default: the preset's; --minutes may reduce it."""

    def __post_init__(self):
        if self.crop is not None and self.crop <= 0:
            raise ValueError(f"--data.crop must be positive, got {self.crop}")


@dataclass(frozen=True, kw_only=True)
class Data(Crops):
    photos: Path
    """Folder of photos, searched recursively."""
    paintings: Path
    """Folder of paintings, or of folders of paintings, which are then sampled equally often."""


@dataclass(frozen=True, kw_only=True)
class Features:
    network: Literal["squeezenet1_1", "vgg16", "vgg19"] = "squeezenet1_1"
    """Frozen network whose features define the content and style losses."""
    weights: str | None = None
    """A safetensors file with its weights. Default: torchvision's, which are downloaded."""
    normalization: Literal["imagenet", "caffe"] = "imagenet"
    """Input normalization that the weights expect; torchvision's expect "imagenet"."""


@dataclass(frozen=True, kw_only=True)
class Hub:
    repo: str | None = None
    """Push the package to this Hub repository, user/name, during training; needs `hf auth login` or HF_TOKEN."""
    every: int = 1000
    """Updates between pushes, each of which follows a save."""
    private: bool = False
    """Create the repository as private."""

    def __post_init__(self):
        if self.repo is not None and not all(self.repo.partition("/")):
            raise ValueError(f"--hub.repo must look like user/name, got {self.repo!r}")
        if self.every <= 0:
            raise ValueError(f"--hub.every must be positive, got {self.every}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """Options that every training has."""

    out: Path = Path("runs/latest")
    """Folder of the run: config.json, state, samples, logs, and the trained package in pipeline/."""
    minutes: float | None = None
    """Time budget in minutes; learning rates fall to zero towards its end. Required unless --updates is given."""
    updates: int | None = None
    """Number of updates, instead of a time budget."""
    resume: bool = False
    """Resume from the last state in --out, or start from scratch if there is none."""
    batch: int | None = None
    """Batch size over all processes and accumulation steps. Default: the preset's; --minutes may reduce it."""
    accumulate: int = 1
    """Gradient accumulation: split each batch into this many parts to save memory. The result is the same."""
    seed: int = 0
    """Seed of all random numbers."""
    precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    """Mixed precision; "auto" uses bf16 where the hardware supports it, else full precision."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; "auto" uses a CUDA device if there is one."""
    compile: bool = False
    """Compile the networks with torch.compile: minutes at the start, then faster updates on a GPU."""
    workers: int = 0
    """Data loader processes; 0 loads in the training process, which is best on a CPU."""
    log_every: int | None = None
    """Updates between log entries. Default: the preset's, fewer in a short training; likewise for the next two."""
    sample_every: int | None = None
    """Updates between sample grids."""
    save_every: int | None = None
    """Updates between saved states."""
    validate_every: int | None = None
    """Updates between validations, whose best weights are kept; 0 turns validation off. Default: ten validations per training, at
    least 100 updates apart. Every tenth picture is held out for them from folders of ten or more."""
    patience: int = 0
    """Early stopping: stop after this many validations without improvement; 0 never stops early."""
    tracker: Literal["tensorboard", "wandb", "trackio", "none"] = "tensorboard"
    """Where to log losses, scores and samples; wandb and trackio must be installed separately."""
    hub: Hub = field(default_factory=Hub)
    data: Crops = field(default_factory=Crops)

    preset: ClassVar[str]
    """Name on the command line."""
    sizes: ClassVar[tuple[tuple[int, int], ...]] = ((128, 4),)
    """Crop and batch, the smallest first and the standard last. A training with --minutes may take a smaller one."""
    target_updates: ClassVar[int] = 1000
    """Target number of updates; --minutes shrinks crops and batches until it is reachable. Most presets of benchmarks/learning.py
    have come far after as many."""
    intervals: ClassVar[dict[str, int]] = {"log_every": 50, "sample_every": 500, "save_every": 500}
    """Standard updates between log entries, sample grids and saved states."""
    space: ClassVar[dict[str, Between | tuple]] = {}
    """Search space of `python -m training search`: options and their values."""

    def __post_init__(self):
        if self.updates is None and self.minutes is None:
            raise ValueError("give a budget, such as --minutes 60 or --updates 10000")
        for name in ("minutes", "updates", "batch", "accumulate", "log_every", "sample_every", "save_every"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"--{name.replace('_', '-')} must be positive, got {value}")
        for name in ("validate_every", "patience"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"--{name.replace('_', '-')} cannot be negative, got {getattr(self, name)}")
        if self.patience and self.validate_every == 0:
            raise ValueError("--patience counts validations, and --validate-every 0 makes none")
        if self.batch is not None and self.batch % self.accumulate:
            raise ValueError(f"--batch {self.batch} cannot be split into --accumulate {self.accumulate} equal parts")

    @classmethod
    def about(cls) -> str:
        """What --help starts with: the preset, and the standard values of what has no fixed default."""
        crop, batch = cls.sizes[-1]
        intervals = ", ".join(f"--{name.replace('_', '-')} {updates}" for name, updates in cls.intervals.items())
        return f"{cls.__doc__}\n\nStandard values: --data.crop {crop}, --batch {batch}, {intervals}."

    def sized(self, crop: int, batch: int) -> "Run":
        """The same with this crop and batch."""
        return dataclasses.replace(self, batch=batch, data=dataclasses.replace(self.data, crop=crop))

    def resolved(self) -> "Run":
        """The same with the standard crop, batch and intervals where none are given."""
        crop, batch = self.sizes[-1]
        missing = {name: standard for name, standard in self.intervals.items() if getattr(self, name) is None}
        config = self.sized(either(self.data.crop, crop), either(self.batch, batch))
        return dataclasses.replace(config, **missing)


def either(given: int | None, standard: int) -> int:
    return standard if given is None else given


World = Literal["pointillism", "hatching", "cartoon", "mosaic", "ink", "palette"]
Loss = Literal["logistic", "lsgan", "hinge", "wasserstein", "relativistic"]
Smoothness = Literal["none", "clip", "gp", "spectral", "r1", "r2", "r1r2"]


@dataclass(frozen=True, kw_only=True)
class Pictures(Crops):
    folder: Path | None = None
    """Folder of pictures. Default: a built-in synthetic data set of drawn scenes."""
    world: World | None = None
    """Render the pictures in this synthetic style first."""


@dataclass(frozen=True, kw_only=True)
class Unpaired(Crops):
    a: Path | None = None
    """Folder of pictures to translate. Default: a built-in synthetic data set, which needs --data.world."""
    b: Path | None = None
    """Folder of pictures of the target domain. Default: other pictures of a, rendered in the style of --data.world."""
    world: World | None = None
    """A synthetic style to learn; the ground truth is known."""


@dataclass(frozen=True, kw_only=True)
class Pairs(Crops):
    source: Path | None = None
    """Folder of pictures to translate. Default: a built-in synthetic data set, which needs --data.world."""
    target: Path | None = None
    """Folder of the targets, with the same file names. Default: the sources, rendered in the style of --data.world."""
    world: World | None = None
    """A synthetic style to learn."""


@dataclass(frozen=True, kw_only=True)
class Labelled(Crops):
    folder: Path | None = None
    """Folder with one sub-folder of pictures per domain. Default: drawn scenes, rendered in the styles of --data.worlds."""
    worlds: tuple[World, ...] = ("hatching", "mosaic", "palette")
    """The domains if there is no folder; plain scenes are one more."""


def save_config(config: Run, path: Path) -> None:
    write_text(path, json.dumps({"preset": config.preset} | dataclasses.asdict(config), indent=2, default=str) + "\n")
