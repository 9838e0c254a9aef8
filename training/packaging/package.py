"""Packages of what the presets train, apart from the painter's: a translator or a noise generator, with a card and samples."""

import dataclasses
import json
import shlex
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import nn

from styletransfer.images import to_pil
from styletransfer.pipelines.generation import GenerationPipeline
from styletransfer.pipelines.translation import TranslationPipeline
from training.data.file_list import describe_lists
from training.data.streams import labelled, pairs, pictures, unpaired
from training.options import Labelled, Pairs, Pictures, Run, Unpaired
from training.packaging.cards import explain

SOURCES = {  # kind of data -> its stream, and which of its pictures a translator takes
    Unpaired: (unpaired, "a"),
    Pairs: (pairs, "source"),
    Labelled: (labelled, "image"),
    Pictures: (pictures, "real"),
}
SAMPLES = 4
NO_PART_OF_THE_RESULT = ("out", "resume", "device", "workers", "log_every", "sample_every", "save_every", "tracker", "hub")


@dataclass(frozen=True)
class TranslatorExport:
    """Writes the averaged network `name` as a package that translates pictures, between `domains` if it has several."""

    config: Run
    name: str
    domains: list[str] | None = None

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        pipeline = TranslationPipeline(nets[self.name].cpu().eval(), self.domains)
        pipeline.save_pretrained(folder)
        rows = []
        for number, photo in enumerate(held_out(self.config, pipeline.scale), 1):
            results = [pipeline(photo, style).images[0] for style in pipeline.looks]
            save_sample(photo, folder / "samples" / f"photo-{number}.jpg")
            rows.append([photo.resize(results[0].size, Image.Resampling.NEAREST), *results])
        save_sample(sheet(rows), folder / "samples" / "sheet.jpg")
        describe_network(self.config, pipeline.translator, folder, "translator.md")


@dataclass(frozen=True)
class NoiseExport:
    """Writes the averaged network `name` as a package that makes pictures from noise."""

    config: Run
    name: str

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        pipeline = GenerationPipeline(nets[self.name].cpu().eval())
        pipeline.save_pretrained(folder)
        made = pipeline(seeds=list(range(SAMPLES**2))).images
        rows = [made[start : start + SAMPLES] for start in range(0, len(made), SAMPLES)]
        save_sample(sheet(rows), folder / "samples" / "sheet.jpg")
        describe_network(self.config, pipeline.noise_generator, folder, "generator.md")


def held_out(config: Run, scale: int = 1) -> list[Image.Image]:
    """Pictures of part "held", as the translator takes them: smaller by `scale`."""
    stream, name = SOURCES[type(config.data)]
    data = stream(config.data, config.seed, part="held")
    photos = [to_pil(data[position][name]) for position in range(SAMPLES)]
    return [photo.reduce(scale) for photo in photos]


def sheet(rows: list[list[Image.Image]], gap: int = 4) -> Image.Image:
    """Pictures of one size in rows and columns, with white lines between them."""
    width, height = (side + gap for side in rows[0][0].size)
    canvas = Image.new("RGB", (width * len(rows[0]) - gap, height * len(rows) - gap), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            canvas.paste(picture, (width * x, height * y))
    return canvas


def save_sample(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=92)


def describe_network(config: Run, network: nn.Module, folder: Path, template: str) -> None:
    """Write the card, and beside the package what it was written from."""
    folders = {name: value for name, value in vars(config.data).items() if isinstance(value, Path)}
    rendered = getattr(config.data, "world", None) or ", ".join(getattr(config.data, "worlds", ()) if not folders else ())
    data = "Folders of pictures: " + ", ".join(f"{name} ({path.name})" for name, path in folders.items())
    lists = f"\n\n{describe_lists(folders)}" if folders else ""
    size = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    explain(
        folder,
        template,
        address=config.hub.repo,
        network=f"`{type(network).__name__}` with {size:.2f} million parameters",
        preset=config.preset,
        data=(data if folders else "Drawn scenes") + (f", rendered as {rendered}." if rendered else ".") + lists,
        sources="The pictures and their licences are those of whoever trained this package."
        if folders
        else "Nobody's pictures were used: scenes and styles are computed by `training/data/worlds.py`.",
        training=describe(config),
    )


def describe(config: Run) -> str:
    """The command and every option of a training, for its card, without the paths of the machine."""
    config = config.resolved()
    options = flat(config)
    budget = f"--minutes {config.minutes:g}" if config.updates is None else f"--updates {config.updates}"
    words = [f"python -m training {config.preset} {budget}"]
    # what has no default must be given, and is taken along whole
    required = {field.name: getattr(config, field.name) for field in dataclasses.fields(config) if is_required(field)}
    default = flat(type(config)(updates=1, **required).resolved())
    for name, value in options.items():
        if name not in ("minutes", "updates") and (value != default[name] or name.split(".")[0] in required):
            words.append(option(name, value))
    return f"```\n{' '.join(words)}\n```\n\nAll options: `{json.dumps(options)}`"


def is_required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def option(name: str, value: object) -> str:
    """An option as the command line takes it."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return " ".join([f"--{flag}", *(shlex.quote(str(part)) for part in (value if isinstance(value, list) else [value]))])


def flat(config: object, prefix: str = "") -> dict:
    """The options of `config` that decide on the result, by the name that the command line has for them."""
    options = {}
    for field in dataclasses.fields(config):
        name, value = prefix + field.name, getattr(config, field.name)
        if name in NO_PART_OF_THE_RESULT:
            continue
        if dataclasses.is_dataclass(value):
            options |= flat(value, f"{name}.")
        else:
            options[name] = Path(value).name if lies_here(name, value) else list(value) if isinstance(value, tuple) else value
    return options


def lies_here(name: str, value: object) -> bool:
    """Whether an option is a path: data, weights, or a package to start from that is no Hub id."""
    text = isinstance(value, str) and (name.endswith("weights") or Path(value).is_absolute() or Path(value).exists())
    return isinstance(value, Path) or text
