"""A trained painter learns on: its own preset, from the networks of a package and the discriminator that they played against."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from accelerate.utils import set_seed
from torch import Tensor, nn

from styletransfer.catalog import find_package, read_json
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.pipelines import load_pipeline
from styletransfer.pipelines.loading import fetch, package_files
from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from training.commands.finetune import Finetune
from training.data.file_list import describe_lists
from training.engine.preset import Preset
from training.engine.recipe import Game
from training.packaging.package import flat, option
from training.packaging.painter import PainterExport, on_cpu
from training.packaging.training_state import CONFIG_FILE, FOLDER, STATE_FILES, read_training_state
from training.presets.painter import painter

DROPPED = (
    "The named styles keep their code and palettes. Their adapters belonged to the old weights and are gone: learn them anew."
)


def painter_of(package: str) -> tuple[Path, StyleTransferPipeline]:
    """The folder of a package, with its discriminator if it was published, and its pipeline."""
    folder = fetch(find_package(package), files=(*package_files(), *STATE_FILES))
    pipe = load_pipeline(folder)
    if not isinstance(pipe, StyleTransferPipeline):
        raise ValueError(f"{package} holds a {type(pipe).__name__}: only a painter can be finetuned")
    return folder, pipe


def finetune(config: Finetune, package: Path, old: StyleTransferPipeline) -> Preset:
    """The painter's preset from the networks in the folder `package`, those of `old`."""
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


def go_on(game: Game, package: Path, state: dict[str, Tensor], code_size: int) -> nn.Module:
    """The published discriminator of a game."""
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


@dataclass(frozen=True)
class FinetunedExport(PainterExport):
    """Turns the averaged networks into a package with the named styles and the enlarger of `old`, but without adapters.

    An adapter is a change of the weights that it was learned for. Its painting is not at hand to learn another.
    """

    old: StyleTransferPipeline

    @property
    def adapted(self) -> bool:
        return any(style.adapter for style in self.old.named.values())

    def pipeline(self, nets: Mapping[str, nn.Module]) -> StyleTransferPipeline:
        styles = [dataclasses.replace(style, adapter={}) for style in self.old.named.values()]
        return StyleTransferPipeline(**on_cpu(nets), enlarger=self.old.enlarger, styles=styles)

    def words(self) -> dict[str, str]:
        config, start = self.config, flat(self.config)["pretrained"]
        folders = {"photos": config.data.photos, "paintings": config.data.paintings}
        folders |= {"older paintings": config.replay} if config.replay else {}
        return {
            "data": f"After the training of {start}, of which its card tells:\n\n{describe_lists(folders)}",
            "sources": f"The pictures and their licences are those of whoever trained this package, and of {start}, from which it"
            " started.",
            "training": "\n\n".join([command(config), *([DROPPED] if self.adapted else [])]),
        }


def command(config: Finetune) -> str:
    """The command and every option of a finetuning, for its card, without the paths of the machine."""
    options = flat(config)
    default = flat(Finetune(data=config.data, updates=1))
    budget = f"--minutes {config.minutes:g}" if config.updates is None else f"--updates {config.updates}"
    words = [f"python -m training finetune {options['pretrained']} {budget}"]
    for name, value in options.items():
        if name not in ("minutes", "updates", "pretrained") and (value != default[name] or name.startswith("data.")):
            words.append(option(name, value))
    return f"```\n{' '.join(words)}\n```\n\nAll options: `{json.dumps(options)}`"
