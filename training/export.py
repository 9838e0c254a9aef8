"""Write what a painter training made as a package that `load_pipeline` opens.

`python -m training.export RUN --out model_cards/painter` publishes the package of a run into a folder, with samples of photos
that may be shown, the sources of its data, and the scores of an evaluation. `--push user/name` puts it on the Hub.
"""

import dataclasses
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import tyro
from PIL import Image
from torch import Tensor, nn

from styletransfer.catalog import read_json
from styletransfer.images import open_image, to_tensor
from styletransfer.pipelines.style_transfer import STYLE_FILE, STYLES_FILE, StyleTransferPipeline
from styletransfer.styles import unit
from styletransfer.upload import upload
from training.cards import FIELDS_FILE, findings, measured, write_card
from training.config import Painter
from training.data.folders import PhotosAndPaintings
from training.training_state import write_training_state

MOST_EXEMPLARS = 16  # of a style: enough palettes to choose from


@dataclass(frozen=True)
class PainterExport:
    """Turns the averaged networks into a package: named styles from the paintings, a card, samples."""

    config: Painter
    data: PhotosAndPaintings

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        networks = {name: net.cpu().eval() for name, net in nets.items()}
        StyleTransferPipeline(**networks).save_pretrained(folder)


@torch.no_grad()
def encode(encoder: nn.Module, painting: Image.Image) -> Tensor:
    return unit(encoder(to_tensor(painting)).float())


def exemplars(codes: Tensor, most: int = MOST_EXEMPLARS) -> Tensor:
    """At most `most` of the `codes` (K, D): the fifth farthest from their mean is left out, the rest picked far apart."""
    distance = (codes - codes.mean(dim=0)).norm(dim=1)
    typical = codes[distance.argsort()[: max(1, round(0.8 * len(codes)))]]
    picked = [0]  # the most typical
    while len(picked) < min(most, len(typical)):
        picked.append(torch.cdist(typical, typical[picked]).amin(dim=1).argmax().item())
    return typical[picked]


def write_samples(pipeline: StyleTransferPipeline, photos: list[Image.Image], folder: Path) -> None:
    """`photo-1.jpg` ..., the first photo in every style as `<style>.jpg`, and `sheet.jpg`, a row of all styles for each photo."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, photo in enumerate(photos, 1):
        photo.save(folder / f"photo-{number}.jpg", quality=92)
        rows.append([photo] + [pipeline(photo, style).images[0] for style in pipeline.styles])
    for style, painting in zip(pipeline.styles, rows[0][1:], strict=True):
        thumbnail(painting, 256).save(folder / f"{style}.jpg", quality=88)
    cells = [[thumbnail(picture, 200) for picture in row] for row in rows]
    sheet = Image.new("RGB", (204 * len(cells[0]) - 4, 204 * len(cells) - 4), "white")
    for y, row in enumerate(cells):
        for x, cell in enumerate(row):
            sheet.paste(cell, (204 * x, 204 * y))
    sheet.save(folder / "sheet.jpg", quality=88)


def thumbnail(picture: Image.Image, size: int) -> Image.Image:
    """The middle square of a picture."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.convert("RGB").resize((size, size), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))


@dataclass(frozen=True, kw_only=True)
class Export:
    """Publish the package of a run into a folder, to the Hub, or both."""

    run: tyro.conf.Positional[Path]
    """Folder of a run, the --out of its training; or of a package, which is pushed as it is."""
    out: Path | None = None
    """Folder of the package, replaced if it is one."""
    push: str | None = None
    """Repository of the Hub, user/name, made where there is none; needs `hf auth login` or HF_TOKEN."""
    private: bool = False
    """Make the repository private, if it is new."""
    title: str | None = None
    """What to call it; the name of its folder by default."""
    photos: tuple[Path, ...] = ()
    """Photos to show in every style; by default the sample of the run."""
    sources: Path | None = None
    """A text for the card: where the training pictures come from, and their licences."""
    evaluation: tuple[Path, ...] = ()
    """Reports of `python -m training.evaluate --json`; by default evaluation.json of the run."""
    with_training_state: bool = False
    """Add what the generator played against, from which a finetuning can go on; nobody else fetches it."""


def publish(options: Export, out: Path) -> None:
    """Write the package of a run into the folder `out`."""
    source = options.run / "pipeline"
    if not (source / "model_index.json").is_file():
        raise ValueError(f"{options.run} holds no finished package: there is no {source / 'model_index.json'}")
    if out.exists() and any(out.iterdir()) and not (out / "model_index.json").is_file():
        raise ValueError(f"{out} is not empty and no package; give another folder")
    if options.photos and not (source / STYLES_FILE).is_file():
        raise ValueError(f"--photos are for painters: {options.run} is none, and shows the pictures that it held out")
    given = measured(options.evaluation) if options.evaluation else {}
    if options.sources:
        given["sources"] = options.sources.read_text(encoding="utf-8").strip()
    if options.push:
        given["address"] = options.push
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(source, out)
    if options.photos:
        shutil.rmtree(out / "samples")
        photos = [open_image(path).convert("RGB") for path in options.photos]
        write_samples(StyleTransferPipeline.from_pretrained(out), photos, out / "samples")
    if options.with_training_state:
        write_training_state(options.run, out)
    title = {"title": options.title or out.resolve().name}
    write_card(out, read_json(out / FIELDS_FILE) | title | findings(options.run, out) | given)


def export(options: Export) -> None:
    if options.out is None and options.push is None:
        raise ValueError("where to? give --out FOLDER, --push user/name, or both")
    with TemporaryDirectory() as scratch:
        style = options.run / "pipeline"
        if (style / STYLE_FILE).is_file():  # of learn-style, whose card is complete
            options = dataclasses.replace(options, run=style)
        if any((options.run / name).is_file() for name in ("model_index.json", STYLE_FILE)):
            changes = (
                options.out,
                options.title,
                options.photos,
                options.sources,
                options.evaluation,
                options.with_training_state,
            )
            if any(changes):
                raise ValueError(f"{options.run} is a package already: it can only be pushed, as it is, by --push user/name")
            folder = options.run
        else:
            folder = options.out or Path(scratch) / options.run.resolve().name
            publish(options, folder)
        if options.push:
            print(f"the package is at {upload(folder, options.push, private=options.private)}")


def main(arguments: list[str] | None = None) -> int:
    try:
        export(tyro.cli(Export, prog="python -m training.export", description=__doc__, args=arguments))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
