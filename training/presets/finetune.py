"""A trained painter learns on: its own preset, from the networks of a package and the discriminator that they played against."""

import dataclasses
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from training.presets.painter import Painter, painter

if TYPE_CHECKING:
    from torch import Tensor, nn

    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from training.engine.preset import Preset
    from training.engine.recipe import Game


@dataclass(frozen=True, kw_only=True)
class Finetune(Painter):
    """A trained painter learns on from more paintings, with all of its networks; older paintings can be rehearsed."""

    preset: ClassVar = "finetune"

    pretrained: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="PACKAGE")] = "painter"
    """Painter package: a folder, a Hub id, or the name of a bundled package."""
    rate: float = 2e-4
    """Learning rate of the painter's networks: a fifth of the initial training's, to limit forgetting."""
    replay: Path | None = None
    """Folder of older paintings, or of folders of them, for half of the samples; prevents forgetting."""
    out: Path = Path("runs/finetune")
    """Folder of the run: as of any training, with the scores before and after in changes.json."""


def finetune(config: Finetune) -> "Preset":
    """The painter's preset from the networks of a package. Its `export.old` is the pipeline of the package."""
    from accelerate.utils import set_seed

    from training.packaging.finetuned import DROPPED, FinetunedExport
    from training.packaging.training_state import read_training_state

    package, old = painter_of(config.pretrained)
    set_seed(config.seed)
    preset = painter(dataclasses.replace(config, pretrained=str(package)), config.replay)
    (game,) = preset.recipe.games
    nets = dict(preset.nets)
    try:
        state = read_training_state(package)[game.discriminator]
    except FileNotFoundError as error:
        print(f"{error}; a new one starts from random weights")
    else:
        nets[game.discriminator] = go_on(game, package, state, nets["encoder"].config.code_size)
    export = FinetunedExport(config, preset.export.held, old)
    if export.adapted:
        print(f"warning: {DROPPED}", file=sys.stderr)
    return dataclasses.replace(preset, nets=nets, export=export)


def painter_of(package: str) -> "tuple[Path, StyleTransferPipeline]":
    """The folder of a package, with its discriminator if it was published, and its pipeline."""
    from styletransfer.catalog import find_package
    from styletransfer.pipelines import load_pipeline
    from styletransfer.pipelines.loading import fetch, package_files
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from training.packaging.training_state import STATE_FILES

    folder = fetch(find_package(package), files=(*package_files(), *STATE_FILES))
    pipe = load_pipeline(folder)
    if not isinstance(pipe, StyleTransferPipeline):
        raise ValueError(f"{package} holds a {type(pipe).__name__}: only a painter can be finetuned")
    return folder, pipe


def go_on(game: "Game", package: Path, state: "dict[str, Tensor]", code_size: int) -> "nn.Module":
    """The published discriminator of a game."""
    from styletransfer.catalog import read_json
    from styletransfer.models.patch_discriminator import PatchDiscriminator
    from training.packaging.training_state import CONFIG_FILE, FOLDER

    folder = package / FOLDER / game.discriminator
    try:
        arguments = read_json(folder / CONFIG_FILE)
        if arguments["code_size"] != code_size:
            raise ValueError(f"it takes codes of {arguments['code_size']} floats, the encoder's have {code_size}")
        net = PatchDiscriminator.from_config(arguments)
        game.lipschitz.prepare(net)
        net.load_state_dict(state)
    except (TypeError, ValueError, RuntimeError, LookupError) as error:
        raise ValueError(f"{folder} does not fit this training: {' '.join(str(error).split())[:200]}") from None
    return net
