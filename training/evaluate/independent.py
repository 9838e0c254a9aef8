"""The headline of a painter: style and content by features that no loss sees, between anchors."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from styletransfer import open_image
from styletransfer.styles import read_tensors
from training.data.folders import held_paintings
from training.evaluate.metrics.independent import NEAREST, SIDE, IndependentFeatures, Seen, see
from training.evaluate.metrics.intervals import bootstrap_mean, proportion
from training.evaluate.metrics.vision_transformer import load_vision_transformer
from training.evaluate.report import Score

METRICS = {
    "style_cosine": "Style: cosine to the painting",
    "style_top5": f"Painting among the {NEAREST} nearest",
    "content_cosine": "Content: cosine of patches to the photo",
}
ANCHORS = ("photo", "another painting")  # left as it is; in place of the result, one of the same artist


@dataclass(frozen=True, kw_only=True)
class Independent:
    weights: Path | None = None
    """A safetensors file of a vision transformer that no loss sees, such as that of facebook/dinov2-small on the Hub. Without it
    these scores are left out."""
    paintings: Path | None = None
    """Folders of paintings, of which those that training holds out, every tenth, set the scale; by default --paintings."""
    cache: Path | None = None
    """A file to keep in what the network saw of them; the next run then starts at once."""


def features(options: Independent, paintings: Path) -> IndependentFeatures:
    network = load_vision_transformer(options.weights)
    root = options.paintings or paintings
    held = held_paintings(root)
    if len(held) < 2:
        raise ValueError(f"{root} must have folders of ten paintings or more, of which every tenth sets the scale of style")
    files = {path.relative_to(root).as_posix(): path.stat().st_size for path in held}
    about = {"seen": json.dumps({"weights": options.weights.name, "side": SIDE, "files": files})}
    if options.cache and options.cache.is_file():
        tensors, metadata = read_tensors(options.cache)
        if metadata == about:
            return IndependentFeatures(network, tensors["style"])
    style = see(network, map(open_image, held)).style
    if options.cache:
        save_file({"style": style}, options.cache, metadata=about)
    return IndependentFeatures(network, style)


def protocol(features: IndependentFeatures) -> str:
    return (
        f"Style and content by a vision transformer that no loss sees, pictures with {SIDE} px on the shorter side: cosine of "
        f"channel means and deviations after blocks 2, 5 and 8, counted from 0, standardised over {len(features.paintings)} "
        "held-out paintings, with which the painting competes; mean cosine of the patches after block 9"
    )


def named_paintings(styles: Iterable[str], folder: Path, names: Path | None = None) -> dict[str, Path]:
    """The file of each style's painting anywhere below `folder`, of those that have one, found by its name."""
    table = json.loads(names.read_text(encoding="utf-8")) if names else {}
    files: dict[str, Path] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        files |= {path.name: path, path.stem: path}
    return {style: files[table.get(style, style)] for style in styles if table.get(style, style) in files}


def other_paintings(painting: Path, artists: Path | None) -> list[Path]:
    """The paintings of the same artist that lie beside `painting`, by a csv with the columns file and artist."""
    if artists is None:
        return []
    with artists.open(encoding="utf-8", newline="") as file:
        table = {row["file"]: row["artist"] for row in csv.DictReader(file)}
    same = [name for name, artist in table.items() if artist == table.get(painting.name) and name != painting.name]
    return [path for name in same if (path := painting.with_name(name)).is_file()]


@dataclass(frozen=True)
class NamedStyles:
    """Scores of results in named styles, each of one painting.

    Args:
        features: What sees the pictures.
        photos: What the results are made of, in their order.
        paintings: File of the painting of each style.
        artists: A csv as `other_paintings` reads it.
    """

    features: IndependentFeatures
    photos: Seen
    paintings: Mapping[str, Path]
    artists: Path | None = None

    def scores(self, style: str, results: Iterable[Image.Image]) -> list[Score]:
        features, painting = self.features, self.paintings[style]
        own = features.see([open_image(painting)]).style
        files = other_paintings(painting, self.artists)
        others = features.see(map(open_image, files)) if files else None
        anchors = (features.compare(seen, seen, own) if seen else None for seen in (self.photos, others))
        return rows(style, features.compare(features.see(results, self.photos.sizes), self.photos, own), *anchors)


def rows(
    style: str | None, values: dict[str, Tensor], copies: dict[str, Tensor], others: dict[str, Tensor] | None = None
) -> list[Score]:
    """Scores of values as `IndependentFeatures.compare` gives them for results, photos and other paintings of the artist."""
    found = []
    for (metric, name), key in zip(METRICS.items(), ("style", "top5", "content"), strict=True):
        interval = proportion(values[key]) if key == "top5" else bootstrap_mean(values[key])
        photo = float(copies[key].double().mean())
        another = float(others[key].double().mean()) if others and key != "content" else None
        anchors = dict(zip(ANCHORS, (photo, another), strict=True))
        found.append(Score(metric, name, style, interval.value, interval.low, interval.high, anchors, "higher", len(values[key])))
    return found
