"""What a finetuning leaves: a package with the named styles of the one that it started from."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from training.data.file_list import describe_lists
from training.options import Run
from training.packaging.package import flat, option
from training.packaging.painter import PainterExport, on_cpu

DROPPED = (
    "The named styles keep their code and palettes. Their adapters belonged to the old weights and are gone: learn them anew."
)


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


def command(config: Run) -> str:
    """The command and every option of a finetuning, for its card, without the paths of the machine."""
    config = config.resolved()
    options = flat(config)
    default = flat(type(config)(data=config.data, updates=1).resolved())
    budget = f"--minutes {config.minutes:g}" if config.updates is None else f"--updates {config.updates}"
    words = [f"python -m training finetune {options['pretrained']} {budget}"]
    for name, value in options.items():
        if name not in ("minutes", "updates", "pretrained") and (value != default[name] or name.startswith("data.")):
            words.append(option(name, value))
    return f"```\n{' '.join(words)}\n```\n\nAll options: `{json.dumps(options)}`"
