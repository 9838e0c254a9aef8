"""More styles for a trained painter: its own preset, and the discriminators that it was trained against."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate.utils import set_seed
from torch import Tensor, nn

from styletransfer.catalog import find_package, read_json
from styletransfer.models.feature_discriminator import FeatureDiscriminator
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.loading import fetch, package_files
from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from styletransfer.styles import Style, unit
from training.cards import explain
from training.check.domains import subfolders
from training.data.file_list import describe_lists
from training.data.folders import ImageFolder, PhotosAndPaintings
from training.data.replay import MADE
from training.export import encode, exemplars, write_samples
from training.finetune import Finetune
from training.packages import flat, option
from training.preset import Preset
from training.presets.painter import painter
from training.recipe import Game
from training.training_state import CONFIG_FILE, FOLDER, STATE_FILES, read_training_state

DISCRIMINATORS = {"discriminator": PatchDiscriminator, "judge": FeatureDiscriminator}


def painter_of(package: str) -> tuple[Path, StyleTransferPipeline]:
    """The folder of a package, with its discriminators if they were published, and its pipeline."""
    folder = fetch(find_package(package), files=(*package_files(), *STATE_FILES))
    pipe = load_pipeline(folder)
    if not isinstance(pipe, StyleTransferPipeline):
        raise ValueError(f"{package} holds a {type(pipe).__name__}: only a painter can be finetuned")
    return folder, pipe


def finetune(config: Finetune, package: Path, old: StyleTransferPipeline) -> Preset:
    """The painter's preset on the pictures that were arranged for `config`, from the networks in `package`, those of `old`."""
    set_seed(config.seed)
    train = config.pictures / "train"
    data = dataclasses.replace(config.data, photos=train / "photos", paintings=train / "paintings")
    preset = painter(dataclasses.replace(config, data=data, start=str(package)))
    try:
        states = read_training_state(package)
    except FileNotFoundError as error:
        print(f"{error}; new ones start from random weights")
        states = {}
    published = {
        game.discriminator: go_on(game, package, states[game.discriminator], sorted(old.styles), preset.data.styles)
        for game in preset.recipe.games
        if game.discriminator in states
    }
    kept = {name: code.codes for name, code in old.named.items() if name not in subfolders(config.data.paintings)}
    before = {name: looks(old.encoder, paintings).mean(dim=0) for name, paintings in by_style(preset.data).items()}
    export = FinetunedExport(config, preset.data, kept, before)
    rates = preset.rates | {"generator": config.rate}
    return dataclasses.replace(preset, nets=preset.nets | published, rates=rates, export=export)


def go_on(game: Game, package: Path, state: dict[str, Tensor], old: list[str], styles: list[str]) -> nn.Module:
    """The published discriminator of a game, with the rows of its labels in the order of `styles`, and zeros for new ones.

    A row of zeros judges a painting as any painting, until it learns. Where it is not known whose rows were published, because
    styles joined the package later, all rows start anew.
    """
    cls, arguments = DISCRIMINATORS[game.discriminator], read_json(package / FOLDER / game.discriminator / CONFIG_FILE)
    try:
        net = cls.from_config(arguments | {"num_labels": len(styles)})
        game.lipschitz.prepare(net)
        rows = [old.index(name) if name in old else None for name in styles]
        known = arguments["num_labels"] == len(old) and any(row is not None for row in rows)
        for key in [key for key in state if ".embedding." in key]:
            if not known:
                state[key] = net.state_dict()[key]
            elif not key.endswith("_v"):  # the right singular vector of spectral norm has no rows
                state[key] = torch.stack([torch.zeros_like(state[key][0]) if row is None else state[key][row] for row in rows])
        net.load_state_dict(state)
    except (TypeError, ValueError, RuntimeError, LookupError) as error:
        problem = f"{package / FOLDER / game.discriminator} does not fit this training, perhaps it was another --game"
        raise ValueError(f"{problem}: {' '.join(str(error).split())[:200]}") from None
    return net


def by_style(data: PhotosAndPaintings) -> dict[str, ImageFolder]:
    return dict(zip(data.styles, data.paintings, strict=True))


def looks(encoder: nn.Module, paintings: ImageFolder) -> Tensor:
    """The codes (K, D) of paintings."""
    return torch.cat([encode(encoder, image) for image in paintings.images])


@dataclass(frozen=True)
class FinetunedExport:
    """Turns the averaged networks into a package of the old styles and the new.

    Old styles keep their exemplars, moved as far as their paintings have moved in the eyes of the encoder. Encoded anew, they
    would change before anything is learned: the published exemplars may have been chosen with care, and paintings of a painter
    are not the paintings it learned from.

    Args:
        kept: Exemplars (K, D) of the old styles that are not learned anew.
        before: Mean code (D,) of the paintings of each style, by the encoder as it was.
    """

    config: Finetune
    data: PhotosAndPaintings
    kept: dict[str, Tensor]
    before: dict[str, Tensor]

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        networks = {name: net.cpu().eval() for name, net in nets.items()}
        seen = {name: looks(networks["encoder"], paintings) for name, paintings in by_style(self.data).items()}
        styles = {name: exemplars(codes) for name, codes in seen.items() if name not in self.kept}
        for name, codes in self.kept.items():
            styles[name] = unit(codes + seen[name].mean(dim=0) - self.before[name]) if name in seen else codes
        pipeline = StyleTransferPipeline(**networks)
        for name in sorted(styles):
            pipeline.add_style(Style(styles[name], name))
        pipeline.save_pretrained(folder)
        write_samples(pipeline, self.data.photos.images[:1], folder / "samples")
        explain(folder, "template.md", address=self.config.hub.repo, **self.words())

    def words(self) -> dict[str, str]:
        """What the card cannot read off the package."""
        config, start = self.config, flat(self.config)["start"]
        painted = read_json(config.pictures / MADE)["painted"]
        counts = [
            f"{name} ({len(paintings)}{f', painted by {start}' if name in painted else ''})"
            for name, paintings in by_style(self.data).items()
        ]
        unseen = [name for name in self.kept if name not in self.data.styles]
        without = f" Without any: {', '.join(unseen)}." if unseen else ""
        pictures = f"{len(self.data.photos)} photos; paintings by style: {', '.join(counts)}.{without}"
        folders = {"photos": config.data.photos, "paintings": config.data.paintings}
        folders |= {"replay.paintings": config.replay.paintings} if config.replay.paintings else {}
        return {
            "data": f"{pictures}\n\n{describe_lists(folders)}",
            "sources": f"The pictures and their licences are those of whoever trained this package, and of {start}, from which it"
            " started.",
            "training": command(config),
            "results": "Not measured. `python -m training.evaluate` scores a package on held-out pictures.",
        }


def command(config: Finetune) -> str:
    """The command and every option of a finetuning, for its card, without the paths of the machine."""
    options = flat(config)
    default = flat(Finetune(data=config.data, updates=1))
    budget = f"--minutes {config.minutes:g}" if config.updates is None else f"--updates {config.updates}"
    words = [f"python -m training finetune {options['start']} {budget}"]
    for name, value in options.items():
        if name not in ("minutes", "updates", "start") and (value != default[name] or name.startswith("data.")):
            words.append(option(name, value))
    return f"```\n{' '.join(words)}\n```\n\nAll options: `{json.dumps(options)}`"
