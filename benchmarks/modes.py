"""What GANs forget: every objective with every Lipschitz method, on sets of points and on small pictures.

    python -m benchmarks.modes --minutes-per-run 0.5
    python -m benchmarks.modes --only "images/wasserstein/*" "25/*/gp"

Points: 8 Gaussians on a ring and 25 on a grid, deviation 0.05, neighbours 2 apart or nearly (after Srivastava et al. 2017,
sec. 4.1). Of 2500 samples, good ones lie within three deviations of a centre; a covered mode holds a tenth of its fair share.
Pictures: drawn scenes of 32 px by a small DCGAN; sliced Wasserstein distance to held-out scenes, and its part of the way from
noise (0 %) to as many real pictures (100 %), in logarithms, because noise is a hundred times as far away as real pictures.
All runs have the same networks, data, rates and time, and one update of each player in turn.
"""

import argparse
import contextlib
import dataclasses
import io
import json
import math
import tempfile
from fnmatch import fnmatch
from functools import cache, cached_property
from itertools import pairwise, product
from pathlib import Path
from typing import ClassVar, get_args

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.utils.data import Dataset

from training.data.streams import pictures
from training.engine.preset import Preset
from training.engine.recipe import Game, Phase, Recipe, Step
from training.engine.trainer import Trainer
from training.evaluate.metrics.swd import sliced_wasserstein_distance
from training.evaluate.report import markdown
from training.losses.adversarial import GAMES
from training.losses.lipschitz import LIPSCHITZ, GradientNorm, GradientPenalty, WeightClipping
from training.options import Loss, Pictures, Run, Smoothness
from training.presets.dcgan import Dcgan, dcgan

RESULTS = Path(__file__).parent / "results" / "modes.json"
RING = [(2 * math.cos(turn * math.pi / 4), 2 * math.sin(turn * math.pi / 4)) for turn in range(8)]
GRID = list(product((-4.0, -2.0, 0.0, 2.0, 4.0), repeat=2))
CENTRES = {"8": torch.tensor(RING), "25": torch.tensor(GRID)}
DEVIATION = 0.05
SAMPLES = 2500
POINTS = 256  # in a batch
# in the plane slopes are of another size than over thousands of pixels
POINT_LIPSCHITZ = LIPSCHITZ | {
    "clip": WeightClipping(0.1),
    "gp": GradientPenalty(0.1),  # as the authors' code for such points
    "r1": GradientNorm(0.1, on=("real",), every=1),
    "r2": GradientNorm(0.1, on=("fake",), every=1),
    "r1r2": GradientNorm(0.1, on=("real", "fake"), every=1),
}
IMAGE = {"data": Pictures(crop=32), "z_size": 32, "width": 16, "batch": 32, "rate": 5e-4}
PICTURES = 512  # to learn from, and as many to judge with


def perceptron(sizes: tuple[int, ...]) -> nn.Sequential:
    layers = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers[:-1])


class PointGenerator(ModelMixin, ConfigMixin):
    """Points (B, 2) of noise (B, z_size)."""

    @register_to_config
    def __init__(self, z_size: int = 4, width: int = 128):
        super().__init__()
        self.layers = perceptron((z_size, width, width, width, 2))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class PointDiscriminator(ModelMixin, ConfigMixin):
    """One output (B, 1) on each point (B, 2)."""

    @register_to_config
    def __init__(self, width: int = 128):
        super().__init__()
        self.layers = perceptron((2, width, width, width, 1))

    def forward(self, point: Tensor) -> list[Tensor]:
        return [self.layers(point)]


class Points(Step):
    """Points from noise. Batch: `block` (1, N, 2). Network: `g`."""

    gallery = ("plot",)

    @cached_property
    def real(self) -> Tensor:
        return self.batch["block"].flatten(0, 1)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](torch.randn(len(self.real), 4))

    @cached_property
    def plot(self) -> Tensor:
        """Where the fakes lie, in a square of 12 x 12: (1, 3, 96, 96) in [-1, 1]."""
        counts = torch.histogramdd(self.fake, bins=[96, 96], range=[-6.0, 6.0, -6.0, 6.0]).hist
        return counts.clamp(0, 1).expand(1, 3, -1, -1) * 2 - 1


class Gaussians(Dataset):
    """Endless blocks of points from a mixture of Gaussians around `centres` (M, 2)."""

    def __init__(self, centres: Tensor):
        self.centres = centres

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        random = torch.Generator().manual_seed(position)
        chosen = self.centres[torch.randint(len(self.centres), (POINTS,), generator=random)]
        return {"block": chosen + DEVIATION * torch.randn(POINTS, 2, generator=random)}


class Kept(Dataset):
    """The same pictures again and again: drawn once for all runs, so that time is spent on learning."""

    def __init__(self, images: Tensor):
        self.images = images

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        return {"real": self.images[position % len(self.images)]}


@cache
def scenes(part: str) -> Tensor:
    stream = pictures(IMAGE["data"], seed=0, part=part)
    return torch.stack([stream[position]["real"] for position in range(PICTURES)])


def point_preset(task: str, game: str, method: str) -> Preset:
    return Preset(
        nets={"g": PointGenerator(), "d": PointDiscriminator()},
        recipe=Recipe(
            step=Points,
            phases=(Phase("generator", ("g",)), Phase("discriminator", ("d",))),
            games=(Game("d", real="real", fake="fake", loss=GAMES[game], lipschitz=POINT_LIPSCHITZ[method]),),
        ),
        data=Gaussians(CENTRES[task]),
        rates={"generator": 1e-3, "discriminator": 1e-3},
        averaged=("g",),
        export=nothing,
        betas=(0.0, 0.9),
        clip_norm=20.0,
    )


def image_preset(game: str, method: str, run: dict) -> Preset:
    config = Dcgan(**(run | IMAGE), game=game, lipschitz=method)
    return dataclasses.replace(dcgan(config), data=Kept(scenes("train")), export=nothing)


def nothing(nets: dict[str, nn.Module], folder: Path) -> None:
    """There is no package to write."""


def coverage(points: Tensor, centres: Tensor) -> dict[str, float]:
    """How many modes `points` (N, 2) cover, and which part of them is good."""
    distance, nearest = torch.cdist(points, centres).min(dim=1)
    good = distance < 3 * DEVIATION
    counts = torch.bincount(nearest[good], minlength=len(centres))
    return {"modes": int((counts >= 0.1 * len(points) / len(centres)).sum()), "good": good.float().mean().item()}


def distances(fakes: Tensor) -> dict[int, float]:
    """Sliced Wasserstein distance of `fakes` to the held-out scenes at each level."""
    return sliced_wasserstein_distance(scenes("held"), fakes, patches=64, directions=256)


@cache
def anchors() -> tuple[dict[int, float], dict[int, float]]:
    """The distances of noise, and of the scenes that are learned from."""
    noise = torch.rand(scenes("held").shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return distances(noise), distances(scenes("train"))


def way(reached: dict[int, float], noise: dict[int, float], real: dict[int, float]) -> float:
    """Part of the way from `noise` to `real`, in logarithms, averaged over levels."""
    parts = [math.log(noise[level] / reached[level]) / math.log(noise[level] / real[level]) for level in reached]
    return sum(parts) / len(parts)


@torch.no_grad()
def made(generator: nn.Module, count: int) -> Tensor:
    z = torch.randn(count, generator.config.z_size, generator=torch.Generator().manual_seed(0))
    return torch.cat([generator(part) for part in z.split(256)])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial(Run):
    """What the trainer is told of a run."""

    preset: ClassVar = "modes"


def train(task: str, game: str, method: str, minutes: float) -> dict:
    """Train one combination and score its averaged generator. A run that breaks off with NaN says so."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        run = {"out": Path(folder), "minutes": minutes, "device": "cpu", "precision": "no", "tracker": "none"}
        run |= {"log_every": 1000, "sample_every": 10**9, "save_every": 10**9, "validate_every": 0}
        config = Trial(**run, batch=1 if task in CENTRES else IMAGE["batch"])
        preset = point_preset(task, game, method) if task in CENTRES else image_preset(game, method, run)
        trainer = Trainer(preset, config)
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # a progress bar for each run would bury the results
                trainer.train()
        except FloatingPointError as error:
            return {"minutes": minutes, "broke": str(error).partition(";")[0]}
    if trainer.progress() < 1:
        raise KeyboardInterrupt
    generator = trainer.averages["g"].net
    if task in CENTRES:
        score = coverage(made(generator, SAMPLES), CENTRES[task])
    else:
        reached = distances(made(generator, PICTURES))
        noise, real = anchors()
        score = {"swd": reached, "noise": noise, "real": real, "way": way(reached, noise, real)}
    speed = 1000 * trainer.seconds / trainer.update
    return {"minutes": minutes, "updates": trainer.update, "milliseconds_per_update": speed} | score


def cell(task: str, result: dict | None) -> str:
    if result is None:
        return "-"
    if "broke" in result:
        return "NaN"
    return f"{result['modes']}" if task in CENTRES else f"{result['way']:.0%}"


def table(results: dict[str, dict]) -> str:
    """A row for each objective, a column for each method: modes of 8, modes of 25, part of the way with pictures."""
    methods = get_args(Smoothness)
    lines = []
    for game in get_args(Loss):
        cells = [
            " · ".join(cell(task, results.get(f"{task}/{game}/{method}")) for task in (*CENTRES, "images")) for method in methods
        ]
        lines.append([game, *cells])
    return markdown(["objective", *methods], lines, words=1 + len(methods))


def main() -> None:
    summary, _, details = __doc__.partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.modes",
        description=summary,
        epilog=details,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes-per-run", type=float, default=0.5)
    parser.add_argument(
        "--only", nargs="+", default=["*"], metavar="PATTERN", help="of task/objective/method: 8, 25 or images first"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="a json; runs that it holds from before stay in the table")
    options = parser.parse_args()
    names = ["/".join(parts) for parts in product((*CENTRES, "images"), get_args(Loss), get_args(Smoothness))]
    chosen = [name for name in names if any(fnmatch(name, pattern) for pattern in options.only)]
    if not chosen:
        parser.error(f"no run is called {' or '.join(options.only)}; one is {names[0]}")
    results = json.loads(options.results.read_text(encoding="utf-8")) if options.results.exists() else {}
    options.results.parent.mkdir(exist_ok=True)
    for number, name in enumerate(chosen, 1):
        print(f"{number} of {len(chosen)}: {name}", flush=True)
        results[name] = train(*name.split("/"), options.minutes_per_run)
        print(f"  {results[name]}", flush=True)
        options.results.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
