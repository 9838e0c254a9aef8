"""`python -m training export RUN --out model_cards/painter`: publish the package of a run.

Into a folder, with samples of photos that may be shown, the sources of its data, and the scores of an evaluation; with
`--push user/name` to the Hub.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro

from styletransfer.catalog import read_index, read_json
from training.packaging.cards import FIELDS_FILE, findings, measured, write_card


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
    """Style files, as learn-style writes them, that become the named styles of a painter. The demo opens on the first."""
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
    from training.packaging.training_state import write_training_state

    source = options.run / "pipeline"
    if not (source / "model_index.json").is_file():
        raise ValueError(f"{options.run} holds no finished package: there is no {source / 'model_index.json'}")
    if source.resolve().is_relative_to(out.resolve()):
        raise ValueError(f"--out {out} is the run itself, or holds it; give another folder")
    if out.exists() and any(out.iterdir()) and not (out / "model_index.json").is_file():
        raise ValueError(f"{out} is not empty and no package; give another folder")
    equipment = [name for name in ("photos", "styles", "enlarger") if getattr(options, name)]
    if equipment and read_index(source)["_class_name"] != StyleTransferPipeline.__name__:
        verb = "is" if equipment[0] == "enlarger" else "are"
        raise ValueError(f"--{equipment[0]} {verb} for painters, and {options.run} is none")
    fields = {"title": options.title or out.resolve().name} | (measured(options.evaluation) if options.evaluation else {})
    fields |= {"sources": options.sources.read_text(encoding="utf-8").strip()} if options.sources else {}
    fields |= {"address": options.push} if options.push else {}
    fresh = out.with_name(f".{out.resolve().name}.part")  # a package takes the place of another when it is whole
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        shutil.copytree(source, fresh)
        if equipment:
            fields |= equip(options, fresh)
        if options.with_training_state:
            write_training_state(options.run, fresh)
        write_card(fresh, read_json(fresh / FIELDS_FILE) | findings(options.run, fresh) | fields)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def equip(options: Export, package: Path) -> dict[str, str]:
    """Add style files and the enlarger to the painter in the folder `package`, and show photos in all of its styles.

    Returns the fields of its card that come of it.
    """
    from styletransfer.images import open_image
    from styletransfer.models.upscale_generator import UpscaleGenerator
    from styletransfer.pipelines.loading import load_network
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from training.packaging.samples import write_samples

    pipeline = StyleTransferPipeline.from_pretrained(package)
    added = [pipeline.load_style(path) for path in options.styles]
    if options.enlarger:
        pipeline.register_modules(enlarger=load_network(UpscaleGenerator, options.enlarger))
    if options.photos and not pipeline.styles:
        raise ValueError("--photos are shown in the named styles, and there are none: give --styles")
    pipeline.save_pretrained(package)
    if pipeline.styles:
        photos = [open_image(path).convert("RGB") for path in options.photos or sorted(package.glob("samples/photo-*.jpg"))]
        shutil.rmtree(package / "samples", ignore_errors=True)
        write_samples(pipeline, package / "samples", photos)
    return {"cover": added[0].name} if added else {}


def main(arguments: list[str]) -> None:
    options = tyro.cli(Export, prog="python -m training export", description=__doc__, args=arguments)

    from styletransfer.pipelines.style_transfer import STYLE_FILE
    from styletransfer.upload import upload

    if options.out is None and options.push is None:
        raise ValueError("where to? give --out FOLDER, --push user/name, or both")
    run = options.run
    folder = run / "pipeline" if (run / "pipeline" / STYLE_FILE).is_file() else run  # of learn-style, whose card is complete
    with TemporaryDirectory() as scratch:
        if any((folder / name).is_file() for name in ("model_index.json", STYLE_FILE)):
            if options != Export(run=run, push=options.push, private=options.private):
                raise ValueError(f"{folder} is a package already: it can only be pushed, as it is, by --push user/name")
        else:
            folder = options.out or Path(scratch) / run.resolve().name
            publish(options, folder)
        if options.push:
            print(f"the package is at {upload(folder, options.push, private=options.private)}")
