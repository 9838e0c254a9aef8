"""A trained painter learns on: its own preset, from the networks of a package and the discriminator that they played against."""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import tyro

from training.presets.painter import Painter, load_painter, painter

if TYPE_CHECKING:
    from torch import Tensor, nn

    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from training.engine.preset import Preset
    from training.engine.recipe import Game


DROPPED = (
    "The named styles keep their code and palettes. Their adapters belonged to the old weights and are gone: learn them anew."
)


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
    """The painter's preset from the networks of a package, whose named styles stay, without their adapters."""
    from accelerate.utils import set_seed

    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from training.data.file_list import describe_lists
    from training.packaging.command import describe, flat
    from training.packaging.training_state import STATE_FILES, read_training_state

    package, old = load_painter(config.pretrained, STATE_FILES)
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
    dropped = [DROPPED] if has_adapters(old) else []
    start, folders = flat(config)["pretrained"], {"photos": config.data.photos, "paintings": config.data.paintings}
    folders |= {"older paintings": config.replay} if config.replay else {}
    whose = f"those of whoever trained this package, and of {start}, from which it started."
    fields = {
        "data": f"After the training of {start}, of which its card tells:\n\n{describe_lists(folders)}",
        "sources": f"The pictures and their licences are {whose}",
        "training": "\n\n".join([describe(config, "pretrained"), *dropped]),
    }
    # the painting of an adapter is not at hand to learn another
    styles = [dataclasses.replace(style, adapter={}) for style in old.named.values()]
    pipeline = partial(StyleTransferPipeline, enlarger=old.enlarger, styles=styles)
    export = dataclasses.replace(preset.export, config=config, pipeline=pipeline, fields=fields)
    return dataclasses.replace(preset, nets=nets, export=export)


def has_adapters(pipe: "StyleTransferPipeline") -> bool:
    return any(style.adapter for style in pipe.named.values())


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
