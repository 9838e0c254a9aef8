"""`python -m training.exemplars PACKAGE --data DIR`: choose the paintings that each style of a package paints by.

An encoder knows what a painting looks like, not how well a photo can be painted by it. So every painting of a style is tried as
an exemplar on a few photos, and a linear probe says how often the results are taken for the style. Held-out pictures are not
looked at: they must still be able to judge the choice.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
import tyro
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from styletransfer import load_pipeline, open_image
from styletransfer.pipelines.style_transfer import STYLES_FILE, StyleTransferPipeline
from styletransfer.styles import Style
from training.config import Features
from training.evaluate import Describer, pictures
from training.export import exemplars, thumbnail
from training.metrics.deception import PHOTO
from training.metrics.pictures import as_jpeg
from training.metrics.probe import LinearProbe

PIXELS = 256  # side of the photos that are painted: what the probe looks at


@dataclass(frozen=True, kw_only=True)
class Select:
    """Choose the exemplars of a package's styles by how well they paint."""

    package: tyro.conf.Positional[Path]
    """Folder of a painter package; its styles.safetensors is rewritten."""
    data: Path
    """Folder with train/photos/ and train/paintings/<style>/, as training.data.split makes it."""
    features: Features = field(default_factory=Features)
    photos: int = 6
    """Training photos to try every painting on."""
    candidates: int = 40
    """Paintings of each style to try, at most."""
    keep: float = 0.4
    """Part of the candidates that may become exemplars."""


def select(pipe: StyleTransferPipeline, options: Select) -> dict[str, Tensor]:
    """Codes (K, D) of the exemplars of each style."""
    describe = Describer(options.features)
    train = options.data / "train"
    files = {PHOTO: pictures(train / "photos")} | {style: pictures(train / "paintings" / style) for style in pipe.styles}
    rows = {
        name: describe(map(open_image, paths))["network"] for name, paths in tqdm(files.items(), "real pictures", leave=False)
    }
    probe = LinearProbe.fit(rows)
    photos = [thumbnail(open_image(path), PIXELS) for path in spread(files[PHOTO], options.photos)]
    chosen = {}
    for style in pipe.styles:
        paintings = spread(files[style], options.candidates)
        codes = torch.cat([pipe.encode_style(open_image(path)).codes for path in paintings])
        scores = torch.stack([score(pipe, describe, probe, photos, style, code) for code in tqdm(codes, style, leave=False)])
        best = scores.argsort(descending=True)[: max(4, round(options.keep * len(codes)))]
        chosen[style] = exemplars(codes[best])
        means = f"{scores[best].mean():.2f}, of all {scores.mean():.2f}"
        print(f"{style:20} probability of the {len(best)} best of {len(codes)} paintings: {means}", flush=True)
    return chosen


def score(
    pipe: StyleTransferPipeline, describe: Describer, probe: LinearProbe, photos: list[Image.Image], style: str, code: Tensor
) -> Tensor:
    """Mean probability that `photos`, painted by a single `code` (D,), are paintings of `style`."""
    results = pipe(photos, style=Style(code[None], "candidate")).images
    return probe.probabilities(describe(map(as_jpeg, results))["network"])[:, probe.classes.index(style)].mean()


def spread(paths: list[Path], count: int) -> list[Path]:
    """At most `count` of the `paths`, evenly."""
    return [paths[len(paths) * number // min(count, len(paths))] for number in range(min(count, len(paths)))]


def main(arguments: list[str] | None = None) -> int:
    options = tyro.cli(Select, prog="python -m training.exemplars", description=__doc__, args=arguments)
    try:
        chosen = select(load_pipeline(options.package), options)
        path = options.package / STYLES_FILE
        save_file({style: codes.contiguous() for style, codes in chosen.items()}, path)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
