"""Deception rate and content similarity of a package on held-out photos, as its users get it."""

from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from styletransfer import open_image
from styletransfer.models.features import FeaturePyramid
from training.config import Features
from training.evaluate.report import Score
from training.metrics.content import content_similarity
from training.metrics.deception import PHOTO, DeceptionRate
from training.metrics.intervals import bootstrap_mean
from training.metrics.pictures import as_jpeg, batches
from training.metrics.probe import LinearProbe
from training.metrics.statistics import color_statistics, gradient_statistics, network_statistics

STYLE_LAYERS, CONTENT_LAYER = (1, 4, 7, 10, 12), 7  # of SqueezeNet 1.1: conv1, fire3, 5, 7, 9; and fire5
PROTOCOL = "shorter side 256 px, centre crop 256 x 256; results pass through JPEG quality 90, as photos and paintings did"
PROBES = {
    "network": "SqueezeNet 1.1 channel means and deviations; style losses of the training see this network too",
    "color_and_gradient": "Lab histograms and gradient histograms at 3 scales; no network",
    "gradient": "luminance gradient histograms at 3 scales; blind to colour, no network",
}


class Describer:
    """Statistics and content features of pictures by one pass of a frozen SqueezeNet."""

    def __init__(self, features: Features):
        if features.network != "squeezenet1_1":
            raise ValueError(f"the metrics are defined on squeezenet1_1, got --features.network {features.network}")
        self.pyramid = FeaturePyramid(features.network, STYLE_LAYERS, features.weights, features.normalization)

    @torch.no_grad()
    def __call__(self, images: Iterable[Image.Image], content: bool = False) -> dict[str, Tensor]:
        """Rows of every probe in PROBES, one for each image, and if wished the features `content`, a megabyte for each image."""
        parts: dict[str, list[Tensor]] = {name: [] for name in PROBES} | ({"content": []} if content else {})
        for batch in batches(images):
            features, gradient = self.pyramid(batch), gradient_statistics(batch)
            parts["network"].append(network_statistics(features))
            parts["color_and_gradient"].append(torch.cat([color_statistics(batch), gradient], dim=1))
            parts["gradient"].append(gradient)
            if content:
                parts["content"].append(features[CONTENT_LAYER])
        return {name: torch.cat(rows) for name, rows in parts.items()}


def evaluate(
    describe: Describer,
    data: Path,
    pipe: Callable | None = None,
    count: int | None = None,
    strengths: tuple[float, ...] = (1.0,),
) -> dict:
    """The report on `pipe`, or without one on the anchors alone, from the folders train/ and held/ of `data`."""
    styles = sorted(folder.name for folder in (data / "train" / "paintings").glob("[!.]*/"))
    if not styles:
        raise ValueError(f"no styles in {data / 'train' / 'paintings'}; python -m training.data.split makes the folders")
    if pipe is not None and (unknown := set(pipe.styles) - set(styles)):
        raise ValueError(
            f"the package has the styles {', '.join(sorted(unknown))}, but {data}/train/paintings has no such folders"
        )
    folders = {PHOTO: "photos"} | {style: f"paintings/{style}" for style in styles}
    paths = {(part, name): pictures(data / part / folder) for part in ("train", "held") for name, folder in folders.items()}
    paths["held", PHOTO] = paths["held", PHOTO][:count]
    photos = [open_image(path) for path in paths["held", PHOTO]]
    if len(photos) < 2:
        raise ValueError("at least two held-out photos are needed: one is compared with another")

    known = {key: describe(map(open_image, files)) for key, files in tqdm(paths.items(), "photos and paintings", leave=False)}
    metrics = {}
    for name in tqdm(PROBES, "probes", leave=False):
        probe = LinearProbe.fit({kind: known["train", kind][name] for kind in folders})
        metrics[name] = DeceptionRate(probe, known["held", PHOTO][name], {style: known["held", style][name] for style in styles})

    originals = describe(photos, content=True)["content"]
    copies = describe(map(as_jpeg, photos), content=True)["content"]
    content = {
        "the photo itself": bootstrap_mean(content_similarity(copies, originals)),
        "another photo": bootstrap_mean(content_similarity(originals.roll(1, dims=0), originals)),
    }
    for style in tqdm(pipe.styles if pipe is not None else [], "styles", leave=False):
        for strength in strengths:
            results = (as_jpeg(pipe(photo, style=style, strength=strength).images[0]) for photo in photos)
            rows = describe(results, content=strength == 1)
            for name, metric in metrics.items():
                metric.update(style, strength, rows[name])
            if strength == 1:
                content[style] = bootstrap_mean(content_similarity(rows["content"], originals))
    return {
        "protocol": PROTOCOL,
        "pictures": {f"{part} {name}": len(files) for (part, name), files in paths.items()},
        "deception": {
            name: {
                "statistics": PROBES[name],
                "penalty": metric.probe.penalty,
                "photos_taken_for_photos": metric.rate(metric.photos, PHOTO),
                "styles": metric.compute(),
            }
            for name, metric in metrics.items()
        },
        "content_similarity": content,
    }


def pictures(folder: Path) -> list[Path]:
    paths = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")) if folder.is_dir() else []
    if not paths:
        raise ValueError(f"no pictures in {folder}; python -m training.data.split makes the folders")
    return paths


def table(report: dict) -> str:
    """The report for people to read: rates with 95 % intervals, between anchors; "real (CV)" is cross validated on train/."""
    lines = []
    for name, part in report["deception"].items():
        lines.append(f"Deception rate, probe {name!r} ({part['statistics']})")
        lines.append(
            f"  {'style':20} {'untouched photos':>18} {'results':>18} {'real paintings':>18} {'of real':>8} {'real (CV)':>10}"
            "   mean probability by strength"
        )
        for style, entry in part["styles"].items():
            share = f"{entry['part_of_paintings']:.0%}" if "part_of_paintings" in entry else "-"
            line = f"  {style:20} {entry['photos']!s:>18} {entry.get('results', '-')!s:>18} {entry['paintings']!s:>18} {share:>8}"
            line += f" {entry['paintings_cross_validated']:>10.2f}   "
            if "probability" in entry:
                line += " ".join(f"{interval.value:.2f}" for interval in entry["probability"].values())
                line += " rises" if entry["rises"] else " DOES NOT RISE"
            lines.append(line.rstrip())
        lines += [f"  untouched photos taken for photos: {part['photos_taken_for_photos']}", ""]
    lines.append("Content similarity (cosine of fire5 features)")
    lines += [f"  {name:20} {interval!s:>20}" for name, interval in report["content_similarity"].items()]
    return "\n".join(lines)


def scores(report: dict) -> list[Score]:
    """The rates of every probe and painted style, between untouched photos and real paintings."""
    rows = []
    for probe, part in report["deception"].items():
        for style, entry in part["styles"].items():
            if "results" in entry:
                rate, anchors = entry["results"], {"copy": entry["photos"].value, "real": entry["paintings"].value}
                name, count = f"Deception rate, {probe.replace('_', ' ')}", report["pictures"][f"held {PHOTO}"]
                rows.append(Score(f"deception_{probe}", name, style, rate.value, rate.low, rate.high, anchors, "higher", count))
    return rows
