"""Which adversarial game paints best: the painter, trained alike with each of them, judged on held-out photos.

`python -m benchmarks.games --data DIR --updates 200` (a folder with train/ and held/, as training.data.split makes it) prints for
each game the deception rate and the content similarity of its package and writes them to benchmarks/results/games.json.
"""

import dataclasses
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro

from benchmarks.machine import machine
from styletransfer import load_pipeline
from training.config import Data, Features, Painter
from training.evaluate import Describer, evaluate
from training.presets import build
from training.trainer import Trainer

GAMES = ("hinge", "lsgan", "relativistic")


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """Train the painter with each adversarial game, from the same start and for as long, and judge the results."""

    data: Path
    """Folder with train/ and held/, each with photos/ and paintings/<style>/."""
    features: Features = field(default_factory=Features)
    start: str | None = None
    """Package to start from; random weights by default."""
    updates: int = 200
    crop: int = 128
    photos: int = 10
    """Held-out photos to judge by."""
    json: Path = Path("benchmarks/results/games.json")


def measure(options: Ablation, game: str, folder: Path, describe: Describer) -> dict:
    config = Painter(
        data=Data(photos=options.data / "train/photos", paintings=options.data / "train/paintings", crop=options.crop),
        features=options.features,
        start=options.start,
        updates=options.updates,
        out=folder,
        tracker="none",
        sample_every=10**9,
        save_every=10**9,
        validate_every=0,
        game=game,
    )
    started = time.perf_counter()
    trainer = Trainer(build(config), config)
    trainer.train()
    seconds = (time.perf_counter() - started) / options.updates
    report = evaluate(describe, options.data, load_pipeline(folder / "pipeline"), options.photos)
    styles = {
        name: {
            "share": entry.get("part_of_paintings"),
            "probability": entry["probability"][1.0].value,
            "content": report["content_similarity"][name].value,
        }
        for name, entry in report["deception"]["network"]["styles"].items()
    }
    return {"seconds_per_update": seconds, "styles": styles}


def mean(row: dict, column: str) -> float:
    values = [entry[column] for entry in row["styles"].values() if entry[column] is not None]
    return sum(values) / len(values)


def main() -> None:
    options = tyro.cli(Ablation, prog="python -m benchmarks.games", description=__doc__)
    describe = Describer(options.features)
    rows = {}
    with TemporaryDirectory() as folder:
        for game in GAMES:
            rows[game] = measure(options, game, Path(folder) / game, describe)
    print(f"{'game':14} {'part of real':>12} {'probability':>12} {'content':>9} {'s/update':>9}")
    for game, row in rows.items():
        print(
            f"{game:14} {mean(row, 'share'):>12.2f} {mean(row, 'probability'):>12.3f} {mean(row, 'content'):>9.3f}"
            f" {row['seconds_per_update']:>9.2f}"
        )
    settings = {name: value for name, value in dataclasses.asdict(options).items() if name in ("updates", "crop", "photos")}
    settings["start"] = Path(options.start).name if options.start else None
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": machine(), **settings, "games": rows}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
