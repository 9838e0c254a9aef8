"""`python -m training export RUN --out model_cards/painter`: publish the package of a run.

Into a folder, with samples of photos that may be shown, the sources of its data, and the scores of an evaluation; with
`--push user/name` to the Hub.
"""

import dataclasses
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import tyro

from styletransfer.catalog import read_index, read_json
from training.packaging.cards import FIELDS_FILE, findings, measured, write_card

if TYPE_CHECKING:
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline


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
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline

    source = options.run / "pipeline"
    if not (source / "model_index.json").is_file():
        raise ValueError(f"{options.run} holds no finished package: there is no {source / 'model_index.json'}")
    if source.resolve().is_relative_to(out.resolve()):
        raise ValueError(f"--out {out} is the run itself, or holds it; give another folder")
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
    title = {"title": options.title or out.resolve().name}
    fresh = out.with_name(f".{out.resolve().name}.part")  # a package takes the place of another when it is whole
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        write(options, source, fresh, equipped, title | given)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def write(options: Export, source: Path, out: Path, equipped: "StyleTransferPipeline | None", given: dict) -> None:
    from styletransfer.images import open_image
    from training.packaging.painter import write_samples
    from training.packaging.training_state import write_training_state

    shutil.copytree(source, out)
    if equipped:
        equipped.save_pretrained(out)
        if equipped.styles:
            shutil.rmtree(out / "samples", ignore_errors=True)
            photos = options.photos or sorted((source / "samples").glob("photo-*.jpg"))
            write_samples(equipped, [open_image(path).convert("RGB") for path in photos], out / "samples")
    if options.with_training_state:
        write_training_state(options.run, out)
    write_card(out, read_json(out / FIELDS_FILE) | findings(options.run, out) | given)


def equip(options: Export, package: Path) -> "StyleTransferPipeline":
    """The painter in the folder `package`, with the style files and the enlarger that are to join it."""
    from styletransfer.models.upscale_generator import UpscaleGenerator
    from styletransfer.pipelines.loading import load_network
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline

    pipeline = StyleTransferPipeline.from_pretrained(package)
    for path in options.styles:
        pipeline.load_style(path)
    if options.enlarger:
        pipeline.register_modules(enlarger=load_network(UpscaleGenerator, options.enlarger))
    if options.photos and not pipeline.styles:
        raise ValueError("--photos are shown in the named styles, and there are none: give --styles")
    return pipeline


def export(options: Export) -> None:
    from styletransfer.pipelines.style_transfer import STYLE_FILE
    from styletransfer.upload import upload

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


def main(arguments: list[str]) -> None:
    export(tyro.cli(Export, prog="python -m training export", description=__doc__, args=arguments))
