"""Write what a painter training made as a package that `load_pipeline` opens.

`python -m training export RUN --out model_cards/painter` publishes the package of a run into a folder, with samples of photos
that may be shown, the sources of its data, and the scores of an evaluation. `--push user/name` puts it on the Hub.
"""

import dataclasses
import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro
from PIL import Image
from torch import nn

from styletransfer.catalog import read_index, read_json
from styletransfer.images import open_image
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.pipelines.loading import load_network
from styletransfer.pipelines.style_transfer import STYLE_FILE, StyleLike, StyleTransferPipeline
from styletransfer.upload import upload
from training.data.file_list import describe_lists
from training.data.folders import PhotosAndPaintings
from training.options import Painter
from training.packaging.cards import FIELDS_FILE, explain, findings, measured, write_card
from training.packaging.package import describe, save_sample, sheet
from training.packaging.training_state import write_training_state

SHOWN = 5  # paintings that a painter without named styles is shown with
COLUMNS = 9  # of a sheet, at most


@dataclass(frozen=True)
class PainterExport:
    """Turns the averaged networks into a package, with a card and with samples of what was held out."""

    config: Painter
    held: PhotosAndPaintings

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        write_painter(self.pipeline(nets), self.held, folder)
        results = "Not measured. `python -m training evaluate` scores a package on held-out pictures."
        explain(folder, "template.md", address=self.config.hub.repo, results=results, **self.words())

    def pipeline(self, nets: Mapping[str, nn.Module]) -> StyleTransferPipeline:
        return StyleTransferPipeline(**on_cpu(nets))

    def words(self) -> dict[str, str]:
        """What the card cannot read off the package."""
        data = self.config.data
        return {
            "data": describe_lists({"photos": data.photos, "paintings": data.paintings}),
            "sources": "The pictures and their licences are those of whoever trained this package.",
            "training": describe(self.config),
        }


def on_cpu(nets: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    return {name: net.cpu().eval() for name, net in nets.items()}


def write_painter(pipeline: StyleTransferPipeline, held: PhotosAndPaintings, folder: Path) -> None:
    """Save `pipeline` with the first held-out photo in its named styles, or else in those of a few held-out paintings."""
    pipeline.save_pretrained(folder)
    photo, samples = held.photos.images[0], folder / "samples"
    if pipeline.styles:
        write_samples(pipeline, [photo], samples)
        return
    paintings = held.paintings
    chosen = [paintings[len(paintings) * number // SHOWN] for number in range(min(SHOWN, len(paintings)))]
    results = paint(pipeline, photo, chosen)
    save_sample(photo, samples / "photo-1.jpg")
    blank = Image.new("RGB", photo.size, "white")
    save_sample(sheet([squares([blank, *chosen]), squares([photo, *results])]), samples / "sheet.jpg")


def write_samples(pipeline: StyleTransferPipeline, photos: list[Image.Image], folder: Path) -> None:
    """`photo-1.jpg` ..., the first photo in every named style as `<style>.jpg`, and `sheet.jpg`, each photo in all of them."""
    rows = []
    for number, photo in enumerate(photos, 1):
        save_sample(photo, folder / f"photo-{number}.jpg")
        results = paint(pipeline, photo, pipeline.styles)
        if number == 1:
            for style, result in zip(pipeline.styles, results, strict=True):
                save_sample(thumbnail(result, 256), folder / f"{style}.jpg")
        cells = squares([photo, *results])
        columns = math.ceil(len(cells) / math.ceil(len(cells) / COLUMNS))
        rows += [cells[first : first + columns] for first in range(0, len(cells), columns)]
    save_sample(sheet(rows), folder / "sheet.jpg")


def paint(pipeline: StyleTransferPipeline, photo: Image.Image, styles: Sequence[StyleLike]) -> list[Image.Image]:
    return [pipeline(photo, style).images[0] for style in styles]


def squares(pictures: list[Image.Image]) -> list[Image.Image]:
    return [thumbnail(picture, 200) for picture in pictures]


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
    """Photos to show in every named style; by default the sample of the run."""
    styles: tuple[Path, ...] = ()
    """Style files, as learn-style writes them, that become the named styles of a painter."""
    enlarger: Path | None = None
    """Folder of an UpscaleGenerator, with which a painter enlarges what it painted."""
    sources: Path | None = None
    """A text for the card: where the training pictures come from, and their licences."""
    evaluation: tuple[Path, ...] = ()
    """Reports of `python -m training evaluate --json`; by default evaluation.json of the run."""
    with_training_state: bool = False
    """Add what the generator played against, from which a finetuning can go on; nobody else fetches it."""


def publish(options: Export, out: Path) -> None:
    """Write the package of a run into the folder `out`."""
    source = options.run / "pipeline"
    if not (source / "model_index.json").is_file():
        raise ValueError(f"{options.run} holds no finished package: there is no {source / 'model_index.json'}")
    if out.exists() and any(out.iterdir()) and not (out / "model_index.json").is_file():
        raise ValueError(f"{out} is not empty and no package; give another folder")
    painter = read_index(source)["_class_name"] == StyleTransferPipeline.__name__
    for name in ("photos", "styles", "enlarger"):
        if getattr(options, name) and not painter:
            raise ValueError(f"--{name} {'is' if name == 'enlarger' else 'are'} for painters, and {options.run} is none")
    equipped = equip(options, source) if options.photos or options.styles or options.enlarger else None
    given = measured(options.evaluation) if options.evaluation else {}
    if options.sources:
        given["sources"] = options.sources.read_text(encoding="utf-8").strip()
    if options.push:
        given["address"] = options.push
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(source, out)
    if equipped:
        equipped.save_pretrained(out)
        if equipped.styles:
            shutil.rmtree(out / "samples", ignore_errors=True)
            photos = options.photos or sorted((source / "samples").glob("photo-*.jpg"))
            write_samples(equipped, [open_image(path).convert("RGB") for path in photos], out / "samples")
    if options.with_training_state:
        write_training_state(options.run, out)
    title = {"title": options.title or out.resolve().name}
    write_card(out, read_json(out / FIELDS_FILE) | title | findings(options.run, out) | given)


def equip(options: Export, package: Path) -> StyleTransferPipeline:
    """The painter in the folder `package`, with the style files and the enlarger that are to join it."""
    pipeline = StyleTransferPipeline.from_pretrained(package)
    for path in options.styles:
        pipeline.load_style(path)
    if options.enlarger:
        pipeline.register_modules(enlarger=load_network(UpscaleGenerator, options.enlarger))
    if options.photos and not pipeline.styles:
        raise ValueError("--photos are shown in the named styles, and there are none: give --styles")
    return pipeline


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
                options.styles,
                options.enlarger,
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
        export(tyro.cli(Export, prog="python -m training export", description=__doc__, args=arguments))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
