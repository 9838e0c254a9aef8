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


@dataclass(frozen=True, kw_only=True)
class Painter(Run):
    """Photos to paintings in the style of any painting: the flagship."""

    data: Data
    features: Features = field(default_factory=Features)
    rate: float = 1e-3
    """Learning rate of the generator."""
    content: float = 10.0
    """Weight of the content distance to the recoloured photo."""
    style: float = 20.0
    """Weight of the nearest-neighbour feature distance to the painting."""
    moments: float = 10.0
    """Weight of the distance of channel means and deviations."""
    palette: float = 60.0
    """Weight of the colour distance to the painting."""
    adversarial: float = 1.0
    """Weight of the adversarial loss."""
    apart: float = 2.0
    """Weight of the similarity of the codes of different paintings."""
    pretrained: str | None = None
    """A painter package, folder or Hub id, to start from in place of random weights."""

    smaller = ((64, 2), (96, 2), (128, 4))
    space: ClassVar = {
        "rate": RATES,
        "content": Between(3, 30),
        "style": Between(5, 60),
        "palette": Between(20, 200),
        "adversarial": Between(0.3, 3),
    }


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


@dataclass(frozen=True, kw_only=True)
class Dcgan(Run):
    """Pictures from noise (Radford et al. 2016), by the non-saturating minimax game."""

    data: Pictures = field(default_factory=Pictures)
    z_size: int = 100
    """Numbers in the noise vector."""
    width: int = 64
    """Channels of the widest layers' smallest multiple."""
    rate: float = 2e-4
    """Learning rate of both players."""
    batch: int = 32
    game: Loss = "logistic"
    lipschitz: Smoothness = "none"
    """What keeps the discriminator smooth."""
    discriminator_updates: int = 1
    """Updates of the discriminator for each of the generator."""
    augment: bool = False
    """Change real and fake pictures alike before they are judged (DiffAugment)."""

    smaller = ((32, 16), (32, 32), (64, 16))
    enough = 2000
    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("none", "spectral", "r1", "r1r2")}


@dataclass(frozen=True, kw_only=True)
class Wgan(Dcgan):
    """Pictures from noise by a Wasserstein critic: clipping, gradient penalty, spectral norm, R1, R2."""

    rate: float = 1e-4
    game: Loss = "wasserstein"
    lipschitz: Smoothness = "gp"
    discriminator_updates: int = 5

    enough = 5000
    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("gp", "clip", "spectral")}


@dataclass(frozen=True, kw_only=True)
class R3gan(Dcgan):
    """Pictures from noise by the relativistic game with R1 and R2 (Huang et al. 2024)."""

    game: Loss = "relativistic"
    lipschitz: Smoothness = "r1r2"

    enough = 1000
    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("r1", "r2", "r1r2")}


@dataclass(frozen=True, kw_only=True)
class Few(Dcgan):
    """Pictures from noise, learned from one picture or a few, with DiffAugment (Zhao et al. 2020)."""

    pictures: int = 1
    """How many pictures of the data to learn from."""
    game: Loss = "hinge"
    lipschitz: Smoothness = "spectral"
    augment: bool = True

    space: ClassVar = {"rate": RATES, "width": (32, 64), "lipschitz": ("none", "spectral", "r1r2")}


@dataclass(frozen=True, kw_only=True)
class Progressive(Run):
    """Pictures from noise, at a resolution that grows while it trains (Karras et al. 2018)."""

    data: Pictures = field(default_factory=lambda: Pictures(crop=128))
    z_size: int = 128
    """Numbers in the noise vector."""
    width: int = 128
    """Channels at the lowest resolutions; halved at each above 32 pixels."""
    rate: float = 1e-3
    """Learning rate of both players."""
    batch: int = 16
    game: Loss = "wasserstein"
    lipschitz: Smoothness = "gp"
    """What keeps the discriminator smooth."""
    augment: bool = False
    """Change real and fake pictures alike before they are judged (DiffAugment)."""

    smaller = ((32, 8), (64, 8), (64, 16))
    space: ClassVar = {"rate": Between(1e-4, 1e-2), "width": (64, 128)}


@dataclass(frozen=True, kw_only=True)
class Pix2pix(Run):
    """Pairs of pictures: U-Net and conditional patch discriminator (Isola et al. 2017)."""

    data: Pairs = field(default_factory=Pairs)
    width: int = 64
    """Channels of the first layer."""
    rate: float = 2e-4
    """Learning rate of both players."""
    l1: float = 100.0
    """Weight of the L1 distance to the target."""

    smaller = ((64, 2), (64, 4), (128, 2))
    space: ClassVar = {"rate": RATES, "width": (32, 64), "l1": Between(10, 1000)}


@dataclass(frozen=True, kw_only=True)
class Superres(Run):
    """Enlargement in two stages, x2 and from it x4."""

    data: Pictures = field(default_factory=lambda: Pictures(crop=128))
    width: int = 48
    """Channels of the first stage."""
    rate: float = 2e-4
    """Learning rate of all players."""
    features: Features = field(default_factory=Features)
    likeness: float = 0.05
    """Weight of the feature distance beside the pixels' L1."""
    adversarial: float = 5e-3
    """Weight of each adversarial loss beside the pixels' L1."""

    smaller = ((64, 2), (64, 4), (128, 2))
    space: ClassVar = {"rate": RATES, "width": (32, 48), "adversarial": Between(1e-3, 5e-2)}


@dataclass(frozen=True, kw_only=True)
class Cyclegan(Run):
    """Two-way translation without pairs (Zhu et al. 2017)."""

    data: Unpaired = field(default_factory=Unpaired)
    width: int = 64
    """Channels of the first layer."""
    blocks: int = 9
    """Residual blocks; 6 suit 128 px, 9 suit 256 px."""
    rate: float = 2e-4
    """Learning rate of all players."""
    batch: int = 1
    cycle: float = 10.0
    """Weight of the way there and back."""
    identity: float = 5.0
    """Weight of leaving alone what is in the target domain already."""

    smaller = ((64, 1), (96, 1))
    space: ClassVar = {"rate": RATES, "width": (32, 64), "blocks": (6, 9), "cycle": Between(3, 30), "identity": Between(1, 15)}


@dataclass(frozen=True, kw_only=True)
class Cut(Run):
    """One-way translation without pairs, by contrast of patches (Park et al. 2020)."""

    data: Unpaired = field(default_factory=Unpaired)
    width: int = 64
    """Channels of the first layer."""
    blocks: int = 9
    """Residual blocks."""
    rate: float = 2e-4
    """Learning rate of all players."""
    batch: int = 1
    nce: float = 1.0
    """Weight of the contrast between patches of the photo and of the result."""
    identity: bool = True
    """Contrast on pictures of the target domain too, which should stay as they are."""
    patches: int = 256
    """Patches for each layer."""

    smaller = ((64, 1), (96, 1))
    space: ClassVar = {"rate": RATES, "width": (32, 64), "blocks": (6, 9), "nce": Between(0.3, 10)}


@dataclass(frozen=True, kw_only=True)
class Fastcut(Cut):
    """CUT without the identity part, with more contrast: twice as fast (Park et al. 2020)."""

    nce: float = 10.0
    identity: bool = False

    space: ClassVar = {"rate": RATES, "width": (32, 64), "blocks": (6, 9), "nce": Between(1, 30)}


@dataclass(frozen=True, kw_only=True)
class Stargan(Run):
    """Many domains in one generator (Choi et al. 2018)."""

    data: Labelled = field(default_factory=Labelled)
    width: int = 64
    """Channels of the first layer."""
    blocks: int = 6
    """Residual blocks."""
    rate: float = 1e-4
    """Learning rate of both players."""
    batch: int = 8
    cycle: float = 10.0
    """Weight of the way there and back."""
    classes: float = 1.0
    """Weight of the classification of domains."""

    smaller = ((64, 4), (64, 8), (128, 4))
    enough = 4000
    space: ClassVar = {"rate": RATES, "width": (32, 64), "cycle": Between(3, 100), "classes": Between(0.3, 10)}


@dataclass(frozen=True, kw_only=True)
class Semantic(Run):
    """Semantic style transfer: U-Net against a VGG-16 or ResNet discriminator, in three stages."""

    data: Unpaired = field(default_factory=Unpaired)
    features: Features = field(default_factory=Features)
    backbone: Literal["vgg16", "resnet18"] = "resnet18"
    """Architecture of the discriminator; vgg16 takes several times as long."""
    pretrained: bool = False
    """Start the discriminator from torchvision's ImageNet weights, which are downloaded."""
    width: int = 64
    """Channels of the U-Net's first layer."""
    rate: float = 2e-4
    """Learning rate of both players."""
    content: float = 10.0
    """Weight of the semantic feature loss ||Phi(x) - Phi(G(x))||^2."""
    style: float = 10.0
    """Weight of the Gram distance, in the last stage."""

    smaller = ((64, 2), (64, 4), (128, 2))
    enough = 500
    space: ClassVar = {"rate": RATES, "width": (32, 64), "content": Between(1, 100), "style": Between(1, 100)}


@dataclass(frozen=True, kw_only=True)
class Reference(Run):
    """Cross-domain G(x, y): a content keeper and a style transferrer, guided by a reference picture."""

    data: Unpaired = field(default_factory=Unpaired)
    features: Features = field(default_factory=Features)
    rate: float = 5e-4
    """Learning rate of both players."""
    content: float = 10.0
    """Weight of the content keeper, L1 on features."""
    style: float = 30.0
    """Weight of the Gram distance to the reference."""
    constancy: float = 1.0
    """Weight of f-constancy and of the identity on the target domain (Taigman et al. 2017)."""

    smaller = ((64, 2), (64, 4), (128, 2))
    enough = 500
    space: ClassVar = {"rate": RATES, "content": Between(1, 100), "style": Between(3, 300), "constancy": Between(0.1, 10)}


@dataclass(frozen=True, kw_only=True)
class Layers(Run):
    """Style and content measured by the discriminator's own middle layers, without any other network."""

    data: Unpaired = field(default_factory=Unpaired)
    width: int = 64
    """Channels of the first layer."""
    rate: float = 2e-4
    """Learning rate of both players."""
    content: float = 10.0
    """Weight of the content distance on the discriminator's layers."""
    style: float = 10.0
    """Weight of the style distance on them."""

    smaller = ((64, 2), (64, 4), (128, 2))
    enough = 500
    space: ClassVar = {"rate": RATES, "width": (32, 64), "content": Between(1, 100), "style": Between(1, 100)}


PRESETS: dict[str, type[Run]] = {
    "painter": Painter,
    "dcgan": Dcgan,
    "wgan": Wgan,
    "r3gan": R3gan,
    "few": Few,
    "progressive": Progressive,
    "pix2pix": Pix2pix,
    "superres": Superres,
    "cyclegan": Cyclegan,
    "cut": Cut,
    "fastcut": Fastcut,
    "stargan": Stargan,
    "semantic": Semantic,
    "reference": Reference,
    "layers": Layers,
}


def save_config(config: Run, path: Path) -> None:
    path.write_text(json.dumps({"preset": preset_name(config)} | dataclasses.asdict(config), indent=2, default=str) + "\n")


def preset_name(config: Run) -> str:
    return next(name for name, cls in PRESETS.items() if type(config) is cls)
