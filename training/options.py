"""Options of the command line: frozen dataclasses, parsed by tyro, saved beside the run. Importing this costs no torch."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal


@dataclass(frozen=True)
class Between:
    """Numbers that `python -m training search` tries, evenly on a logarithmic scale."""

    low: float
    high: float


RATES = Between(5e-5, 2e-3)


@dataclass(frozen=True, kw_only=True)
class Crops:
    """What the data of all trainings have in common."""

    crop: int | None = None
    """Side of the square training crops, in pixels. By default that of the preset, or with --minutes a smaller one where time is
    short."""

    def __post_init__(self):
        if self.crop is not None and self.crop <= 0:
            raise ValueError(f"--data.crop must be positive, got {self.crop}")


@dataclass(frozen=True, kw_only=True)
class Data(Crops):
    photos: Path
    """Folder of photos, searched with its sub-folders."""
    paintings: Path
    """Folder of paintings, or of folders of them, which then come up equally often."""


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
    data: Crops = field(default_factory=Crops)
    batch: int | None = None
    """Samples for each update, over all processes and accumulation steps. By default those of the preset, or with --minutes fewer
    where time is short."""
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
    log_every: int | None = None
    """Updates between two log lines. This and the next two are by default the preset's, shorter in a short training."""
    sample_every: int | None = None
    """Updates between two sample grids."""
    save_every: int | None = None
    """Updates between two saved states."""
    validate_every: int | None = None
    """Updates between two validations, on every tenth picture, which is held out of ten and more; the best weights ship, and 0
    never validates. By default ten validations in a training, 100 updates apart or more."""
    patience: int = 0
    """End after so many validations that were no better than the best; 0 goes on."""
    tracker: Literal["tensorboard", "wandb", "trackio", "none"] = "tensorboard"
    """Where losses, scores and samples can be watched; wandb and trackio are to be installed first."""
    hub: Hub = field(default_factory=Hub)

    preset: ClassVar[str]
    """Its name on the command line."""
    sizes: ClassVar[tuple[tuple[int, int], ...]] = ((128, 4),)
    """Crop and batch, the smallest first and the standard last. A training with --minutes may take a smaller one."""
    enough: ClassVar[int] = 1000
    """Updates for which it rather takes a smaller one; most presets of benchmarks/learning.py have come far after as many."""
    intervals: ClassVar[dict[str, int]] = {"log_every": 50, "sample_every": 500, "save_every": 500}
    """Standard updates between two log lines, sample grids and saved states."""
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
        if self.batch is not None and self.batch % self.accumulate:
            raise ValueError(f"--batch {self.batch} cannot be split into --accumulate {self.accumulate} equal parts")

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
    """Folder of pictures; none trains on drawn scenes."""
    world: World | None = None
    """Render the pictures in this style first."""


@dataclass(frozen=True, kw_only=True)
class Unpaired(Crops):
    a: Path | None = None
    """Folder of pictures to translate; none draws scenes, and needs a world."""
    b: Path | None = None
    """Folder of pictures that the results should look like; none renders other pictures of a in the style of the world."""
    world: World | None = None
    """A style to learn that is computed, not collected: its truth is known."""


@dataclass(frozen=True, kw_only=True)
class Pairs(Crops):
    source: Path | None = None
    """Folder of pictures to translate; none draws scenes, and needs a world."""
    target: Path | None = None
    """Folder of their translations, under the same file names; none renders the sources in the style of the world."""
    world: World | None = None
    """A style to learn that is computed, not collected."""


@dataclass(frozen=True, kw_only=True)
class Labelled(Crops):
    folder: Path | None = None
    """Folder with one sub-folder of pictures for each domain; none renders drawn scenes in the styles of the worlds."""
    worlds: tuple[World, ...] = ("hatching", "mosaic", "palette")
    """The domains, where there is no folder; plain scenes are one more."""


def save_config(config: Run, path: Path) -> None:
    path.write_text(json.dumps({"preset": config.preset} | dataclasses.asdict(config), indent=2, default=str) + "\n")
