"""Which adversarial game paints best: the painter, trained alike with each of them, judged on held-out photos and paintings.

`python -m benchmarks.games --photos DIR --paintings DIR --updates 200` prints for each game the nearest-neighbour distance of the
results to their paintings and the content distance to their photos, as the training validates, and writes them to
benchmarks/results/games.json.
"""

import dataclasses
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro

from benchmarks.machine import machine
from training.engine.preset import Preset
from training.engine.trainer import Trainer
from training.losses.adversarial import GAMES
from training.losses.lipschitz import GradientNorm
from training.options import Data, Features
from training.presets import build
from training.presets.painter import Painter

COMPARED = ("none", "hinge", "lsgan", "relativistic")


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """Train the painter with each adversarial game, from the same start and for as long, and judge the results."""

    photos: Path
    """Folder of photos, a tenth of which are held out."""
    paintings: Path
    """Folder of paintings, or of folders of them, a tenth of which are held out."""
    features: Features = field(default_factory=Features)
    pretrained: str | None = None
    """Package to start from; random weights by default."""
    updates: int = 200
    crop: int = 128
    json: Path = Path("benchmarks/results/games.json")


def with_game(preset: Preset, name: str) -> Preset:
    """The painter with another game, or with none."""
    if name == "none":
        phases = preset.recipe.phases[:1]
        return dataclasses.replace(preset, recipe=dataclasses.replace(preset.recipe, games=(), phases=phases))
    (game,) = preset.recipe.games
    # a relativistic game compares outputs without a bound: its authors give it R1 and R2 (Huang et al. 2024, sec. 3)
    lipschitz = GradientNorm(1.0, on=("real", "fake")) if name == "relativistic" else game.lipschitz
    game = dataclasses.replace(game, loss=GAMES[name], lipschitz=lipschitz)
    return dataclasses.replace(preset, recipe=dataclasses.replace(preset.recipe, games=(game,)))


def measure(options: Ablation, name: str, folder: Path) -> dict[str, float]:
    config = Painter(
        data=Data(photos=options.photos, paintings=options.paintings, crop=options.crop),
        features=options.features,
        pretrained=options.pretrained,
        updates=options.updates,
        out=folder,
        tracker="none",
        sample_every=10**9,
        save_every=10**9,
        validate_every=0,
    )
    trainer = Trainer(with_game(build(config), name), config)
    started = time.perf_counter()
    trainer.train()
    seconds = (time.perf_counter() - started) / options.updates
    return trainer.preset.scorer(trainer.averaged_nets()) | {"seconds_per_update": seconds}


def main() -> None:
    options = tyro.cli(Ablation, prog="python -m benchmarks.games", description=__doc__)
    rows = {}
    with TemporaryDirectory() as folder:
        for name in COMPARED:
            rows[name] = measure(options, name, Path(folder) / name)
    print(f"{'game':14} {'neighbours':>10} {'content':>9} {'s/update':>9}")
    for name, row in rows.items():
        print(
            f"{name:14} {row['neighbor_distance']:>10.3f} {row['content_distance']:>9.3f} {row['seconds_per_update']:>9.2f}",
        )
    settings = {name: getattr(options, name) for name in ("updates", "crop")}
    settings["pretrained"] = Path(options.pretrained).name if options.pretrained else None
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": machine(), **settings, "games": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
