"""Does every preset learn? Each is trained on a small world whose truth is known, and scored between two anchors.

`python -m benchmarks.learning` trains all of them on drawn scenes; `--preset cyclegan --minutes 8` one of them for longer. Scores
are distances, so lower is better: of translated pictures to their true renderings, between leaving the picture as it is ("copy")
and 0; of pictures from noise the sliced Wasserstein distance to held-out pictures, between untrained and real ones.
"""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
import torch.nn.functional as F
import tyro
from diffusers import DiffusionPipeline
from torch import Tensor

from benchmarks.machine import largest_resident_mib, machine
from styletransfer import load_pipeline
from styletransfer.images import to_pil
from training.engine.trainer import Trainer
from training.evaluate.held_out import AgainstCrowd, AgainstTruth, Make
from training.evaluate.report import markdown
from training.options import Features, Labelled, Pairs, Pictures, Unpaired
from training.presets import PRESETS, build

RESULTS = Path(__file__).parent / "results" / "learning.json"
HELD = 48  # translated pictures that are scored, of each domain
DRAWN = 384  # pictures from noise that are scored
CPU = {"none": torch.nn.Linear(1, 1)}  # scorers work on the device of the networks, and packages are on the CPU

Scorer = AgainstTruth | AgainstCrowd


@dataclass(frozen=True)
class Task:
    """A preset on a small world.

    Args:
        options: Its own; those of the run come with the run.
        by_package: What a pipeline makes of the samples of the preset's scorer.
        copy: The same for no change at all; for noise, a second set of real pictures (the best there is).
        what: The world, in words.
        count: Results that are scored.
    """

    options: dict[str, object]
    by_package: Callable[[DiffusionPipeline], Make]
    copy: Callable[[Scorer], Make]
    what: str
    count: int = HELD


def score(scorer: Scorer, count: int, make: Make) -> float:
    """Distance of `count` results to the truth, as the scorer of the preset measures it, but of more of them."""
    finer = {"patches": 128, "directions": 512} if isinstance(scorer, AgainstCrowd) else {}
    scores = replace(scorer, held=replace(scorer.held, count=count), make=make, **finer)(CPU)
    return [*scores.values()][-1]  # of enlargements the distance of colours comes after that of features


def translated(pipe: DiffusionPipeline) -> Make:
    def make(_, batch: dict[str, Tensor]) -> Tensor:
        labels = batch.get("label", torch.zeros(len(batch["source"]), dtype=torch.long))
        results = [
            pipe(to_pil(source), pipe.looks[label], output_type="pt").images[0]
            for source, label in zip(batch["source"], labels, strict=True)
        ]
        return torch.stack(results) * 2 - 1

    return make


def untouched(scorer: Scorer) -> Make:
    return lambda _, batch: batch["source"]


def shrunk(pictures: Tensor) -> Tensor:
    return F.interpolate(pictures, scale_factor=1 / 4, mode="bicubic", antialias=True)


def enlarged(pipe: DiffusionPipeline) -> Make:
    return lambda _, batch: torch.stack(pipe([*map(to_pil, shrunk(batch["real"]))], output_type="pt").images) * 2 - 1


def resized(scorer: Scorer) -> Make:
    """Bicubic enlargement, which adds nothing."""
    return lambda _, batch: F.interpolate(shrunk(batch["real"]), scale_factor=4, mode="bicubic")


def drawn(pipe: DiffusionPipeline) -> Make:
    return lambda _, batch: torch.stack(pipe.pictures(batch["z"], 1.0, "pt", True).images) * 2 - 1


def second_set(scorer: Scorer) -> Make:
    others = replace(scorer.held, count=DRAWN, start=scorer.held.start + DRAWN).batches(CPU)
    return lambda *_: next(others)["real"]


# --- the presets on their worlds ---


def unpaired(**options: object) -> Task:
    return Task(
        {"data": Unpaired(world="palette", crop=48), "batch": 2} | options,
        translated,
        untouched,
        "scenes to palette, unpaired, 48 px",
    )


def noise(what: str = "drawn scenes, 32 px", **options: object) -> Task:
    return Task({"data": Pictures(crop=32), "width": 16, "z_size": 32} | options, drawn, second_set, what, DRAWN)


TASKS: dict[str, Task] = {
    # short trainings take higher rates than the papers' long ones
    "dcgan": noise(rate=5e-4),
    "wgan": noise(rate=5e-4),
    "r3gan": noise(rate=5e-4),
    "few": noise("crops of one scene, 32 px", rate=5e-4),
    "progressive": noise("drawn scenes, growing from 8 to 32 px", width=32, rate=5e-3),
    "pix2pix": Task(
        {"data": Pairs(world="hatching", crop=64), "width": 32}, translated, untouched, "scenes to hatching, paired, 64 px"
    ),
    "superres": Task({"data": Pictures(crop=64), "width": 32}, enlarged, resized, "drawn scenes, 16 to 64 px"),
    "cyclegan": unpaired(width=16, blocks=2),
    "cut": unpaired(width=16, blocks=2),
    "fastcut": unpaired(width=16, blocks=2),
    "stargan": Task(
        # short trainings need more of what is not the game: the critic's slope is 1 per image, the other losses are means
        {"data": Labelled(worlds=("palette", "ink"), crop=32), "width": 16, "blocks": 2, "batch": 4}
        | {"rate": 3e-4, "cycle": 100.0, "classes": 10.0},
        translated,
        untouched,
        "scenes to palette and ink, 32 px",
        2 * HELD,
    ),
    "semantic": unpaired(width=16, backbone="resnet18", rate=5e-4, batch=4),
    "reference": unpaired(batch=4),
    "layers": unpaired(width=16, rate=5e-4, batch=4),
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """Train presets on small worlds and score them."""

    preset: Literal["all", *TASKS] = "all"
    minutes: float = 4.0
    """Training time of each preset."""
    features: Features = field(default_factory=lambda: Features(weights="random"))
    """Of the presets that measure content or style on features; random ones need no download."""
    json: Path = RESULTS


def measure(name: str, minutes: float, features: Features) -> dict:
    task = TASKS[name]
    with TemporaryDirectory() as folder:
        out = Path(folder)
        common = {
            "minutes": minutes,
            "out": out,
            "tracker": "none",
            "sample_every": 10**9,
            "save_every": 10**9,
            "validate_every": 0,
        }
        if "features" in {field.name for field in dataclasses.fields(PRESETS[name])}:
            common["features"] = features
        config = PRESETS[name](**task.options | common)
        preset = build(config)
        preset.export({net: preset.nets[net] for net in preset.averaged}, out / "untrained")
        before = score(preset.scorer, task.count, task.by_package(load_pipeline(out / "untrained")))
        trainer = Trainer(preset, config)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
        return {
            "world": task.what,
            "copy": score(preset.scorer, task.count, task.copy(preset.scorer)),
            "before": before,
            "after": score(preset.scorer, task.count, task.by_package(load_pipeline(out / "pipeline"))),
            "updates": trainer.update,
            "minutes": minutes,
            "seconds_per_update": seconds / trainer.update,
            "peak_mib": largest_resident_mib(),
        }


def closed(name: str, row: dict) -> float:
    """Part of the gap that is closed: between copy and truth, or for noise between untrained and real."""
    if TASKS[name].copy is second_set:
        return (row["before"] - row["after"]) / (row["before"] - row["copy"])
    return 1 - row["after"] / row["copy"]


def table(rows: dict[str, dict]) -> str:
    heads = ["preset", "world", "untrained", "copy / real", "**trained**", "gap closed"]
    lines = []
    for name, row in rows.items():
        scores = [f"{row['before']:.3f}", f"{row['copy']:.3f}", f"**{row['after']:.3f}**", f"{closed(name, row):.0%}"]
        costs = [f"{row['minutes']:g}", str(row["updates"]), f"{row['seconds_per_update']:.2f}", f"{row['peak_mib']:.0f}"]
        lines.append([name, row["world"], *scores, *costs])
    return markdown([*heads, "minutes", "updates", "s / update", "peak MiB"], lines, words=2)


def main() -> None:
    settings = tyro.cli(Options, prog="python -m benchmarks.learning", description=__doc__)
    names = list(TASKS) if settings.preset == "all" else [settings.preset]
    rows = json.loads(settings.json.read_text())["presets"] if settings.json.exists() else {}
    for name in names:
        if len(names) > 1:  # a process each, so that peak memory is its own
            command = [sys.executable, "-m", "benchmarks.learning", "--preset", name, "--minutes", str(settings.minutes)]
            for key in ("network", "weights", "normalization"):
                command += [f"--features.{key}", str(getattr(settings.features, key))]
            subprocess.run([*command, "--json", str(settings.json)], check=True)
            rows = json.loads(settings.json.read_text())["presets"]
        else:
            rows[name] = measure(name, settings.minutes, settings.features)
    rows = {name: rows[name] for name in TASKS if name in rows}
    settings.json.parent.mkdir(parents=True, exist_ok=True)
    settings.json.write_text(json.dumps({"machine": machine(), "presets": rows}, indent=2) + "\n", encoding="utf-8")
    print(table({name: rows[name] for name in names}))


if __name__ == "__main__":
    main()
