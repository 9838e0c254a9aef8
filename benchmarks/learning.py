"""Does every preset learn? Each is trained on a small world whose truth is known, and scored between two anchors.

`python -m benchmarks.learning` trains all of them on drawn scenes; `--preset cyclegan --minutes 8` one of them for longer. Scores
are distances, so less is better: of translated pictures to their true renderings, between leaving the picture as it is ("copy")
and 0; of pictures from noise the sliced Wasserstein distance to held-out pictures, between untrained and real ones.
"""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
import torch.nn.functional as F
import tyro
from torch import Tensor

from benchmarks.machine import largest_resident_mib, machine
from styletransfer import load_pipeline
from styletransfer.images import to_pil
from training.data.streams import pairs, pictures
from training.engine.trainer import Trainer
from training.evaluate.metrics.swd import sliced_wasserstein_distance
from training.evaluate.metrics.truth import color_distance
from training.evaluate.report import markdown
from training.options import Features, Labelled, Pairs, Pictures, Run, Unpaired
from training.presets import PRESETS, build

RESULTS = Path(__file__).parent / "results" / "learning.json"
HELD = 48  # translated pictures that are scored
DRAWN = 384  # pictures from noise that are scored

Score = Callable[[Run, Path], float]  # of the package in a folder


@dataclass(frozen=True)
class Task:
    """A preset on a small world.

    Args:
        options: Its own; those of the run come with the run.
        score: Distance of a package's results to the truth.
        copy: The same distance for no change at all; for noise, of a second set of real pictures (the best there is).
        what: The world, in words.
    """

    options: dict[str, object]
    score: Score
    copy: Callable[[Run], float]
    what: str


# --- distances to the truth ---


def held_pairs(config: Run) -> dict[str | None, list[dict[str, Tensor]]]:
    """Held-out pairs by domain; None where a preset has only one."""
    if config.preset == "stargan":
        streams = {world: pairs(Pairs(world=world, crop=config.data.crop), seed=0, part="held") for world in config.data.worlds}
    else:
        streams = {None: pairs(config.data, seed=0, part="held")}
    return {domain: [stream[position] for position in range(HELD)] for domain, stream in streams.items()}


def distance(results: list[Tensor], truths: list[Tensor]) -> float:
    """Mean absolute difference of results in [0, 1] and truths in [-1, 1], as colours in [0, 1]."""
    return color_distance(torch.stack(results) * 2 - 1, torch.stack(truths)).mean().item()


def copied(config: Run) -> float:
    distances = [
        distance([(pair["source"] + 1) / 2 for pair in held], [pair["target"] for pair in held])
        for held in held_pairs(config).values()
    ]
    return sum(distances) / len(distances)


def translated(config: Run, package: Path) -> float:
    pipe, distances = load_pipeline(package), []
    for domain, held in held_pairs(config).items():
        photos = [to_pil(pair["source"][None]) for pair in held]
        results = pipe(photos, domain or pipe.looks[0], output_type="pt").images
        distances.append(distance(results, [pair["target"] for pair in held]))
    return sum(distances) / len(distances)


def held_pictures(config: Run, count: int = HELD) -> list[Tensor]:
    stream = pictures(config.data, seed=0, part="held")
    return [stream[position]["real"] for position in range(count)]


def shrunk(picture: Tensor) -> Tensor:
    return F.interpolate(picture[None], scale_factor=1 / 4, mode="bicubic", antialias=True)


def enlarged(config: Run, package: Path) -> float:
    pipe, held = load_pipeline(package), held_pictures(config)
    return distance(pipe([to_pil(shrunk(picture)) for picture in held], output_type="pt").images, held)


def resized(config: Run) -> float:
    """Bicubic enlargement, which adds nothing."""
    held = held_pictures(config)
    results = [F.interpolate(shrunk(picture), scale_factor=4, mode="bicubic")[0].add(1).div(2).clamp(0, 1) for picture in held]
    return distance(results, held)


def swd(reals: list[Tensor], fakes: list[Tensor]) -> float:
    distances = sliced_wasserstein_distance(torch.stack(reals), torch.stack(fakes))
    return sum(distances.values()) / len(distances)


def drawn(config: Run, package: Path) -> float:
    images = load_pipeline(package)(seeds=list(range(DRAWN)), output_type="pt").images
    return swd(real_pictures(config)[:DRAWN], [image * 2 - 1 for image in images])


def second_set(config: Run) -> float:
    reals = real_pictures(config)
    return swd(reals[:DRAWN], reals[DRAWN:])


def real_pictures(config: Run) -> list[Tensor]:
    if config.preset == "few":  # what it should draw is more of the few pictures it has seen
        data = build(config).data
        return [data[10**6 + position]["real"] for position in range(2 * DRAWN)]
    return held_pictures(config, 2 * DRAWN)


# --- the presets on their worlds ---


def unpaired(**options: object) -> Task:
    return Task(
        {"data": Unpaired(world="palette", crop=48), "batch": 2} | options,
        translated,
        copied,
        "scenes to palette, unpaired, 48 px",
    )


def noise(what: str = "drawn scenes, 32 px", **options: object) -> Task:
    return Task({"data": Pictures(crop=32), "width": 16, "z_size": 32} | options, drawn, second_set, what)


TASKS: dict[str, Task] = {
    # short trainings take higher rates than the papers' long ones
    "dcgan": noise(rate=5e-4),
    "wgan": noise(rate=5e-4),
    "r3gan": noise(rate=5e-4),
    "few": noise("crops of one scene, 32 px", rate=5e-4),
    "progressive": noise("drawn scenes, growing from 8 to 32 px", width=32, rate=5e-3),
    "pix2pix": Task(
        {"data": Pairs(world="hatching", crop=64), "width": 32}, translated, copied, "scenes to hatching, paired, 64 px"
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
        copied,
        "scenes to palette and ink, 32 px",
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
        before = task.score(config, out / "untrained")
        trainer = Trainer(preset, config)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
        return {
            "world": task.what,
            "copy": task.copy(config),
            "before": before,
            "after": task.score(config, out / "pipeline"),
            "updates": trainer.update,
            "minutes": minutes,
            "seconds_per_update": seconds / trainer.update,
            "peak_mib": largest_resident_mib(),
        }


def closed(name: str, row: dict) -> float:
    """Part of the gap that is closed: between copy and truth, or for noise between untrained and real."""
    if TASKS[name].score is drawn:
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
