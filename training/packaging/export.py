"""What a training leaves: the package of its averaged networks, with samples and a card."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from PIL import Image
from torch import nn

from styletransfer.images import to_pil
from styletransfer.pipelines.generation import GenerationPipeline
from styletransfer.pipelines.translation import TranslationPipeline
from training.data.streams import labelled, pairs, pictures, unpaired
from training.options import Labelled, Pairs, Pictures, Run, Unpaired
from training.packaging.cards import describe_data, explain
from training.packaging.command import describe
from training.packaging.samples import write_samples

SOURCES = {  # kind of data -> its stream, and which of its pictures a translator takes
    Unpaired: (unpaired, "a"),
    Pairs: (pairs, "source"),
    Labelled: (labelled, "image"),
    Pictures: (pictures, "real"),
}
SAMPLES = 4


def no_pictures() -> list[Image.Image]:
    return []


@dataclass(frozen=True)
class Export:
    """Writes the averaged networks as a package.

    Args:
        config: Of the training.
        pipeline: Makes the pipeline of the networks, which are given by name.
        template: Of the card, a file of model_cards/.
        photos: For the samples; a pipeline that makes pictures from noise needs none.
        paintings: For the samples of a painter without named styles.
        fields: What the card says otherwise than of other trainings.

    Example:
        `Export(config, StyleTransferPipeline, "template.md", photos)({"stylizer": g, "encoder": e}, Path("run/pipeline"))`
    """

    config: Run
    pipeline: Callable[..., DiffusionPipeline]
    template: str
    photos: Callable[[], Sequence[Image.Image]] = no_pictures
    paintings: Callable[[], Sequence[Image.Image]] = no_pictures
    fields: dict[str, str] = field(default_factory=dict)

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        pipeline = self.pipeline(**{name: net.cpu().eval() for name, net in nets.items()})
        pipeline.save_pretrained(folder)
        write_samples(pipeline, folder / "samples", self.photos(), self.paintings())
        networks = {
            part: sum(p.numel() for p in part.parameters())
            for part in pipeline.components.values()
            if isinstance(part, nn.Module)
        }
        largest = max(networks, key=networks.get)
        about = {
            "network": f"`{type(largest).__name__}` with {networks[largest] / 1e6:.2f} million parameters",
            "preset": self.config.preset,
            "training": describe(self.config),
        }
        explain(folder, self.template, self.config.hub.repo, **about | describe_data(self.config.data) | self.fields)


def translator(config: Run, name: str, domains: list[str] | None = None) -> Export:
    """The network `name` as a package that translates pictures, between `domains` if it has several."""

    def pipeline(**nets: nn.Module) -> TranslationPipeline:
        return TranslationPipeline(nets[name], domains)

    return Export(config, pipeline, "translator.md", lambda: held_out(config))


def generator(config: Run, name: str) -> Export:
    """The network `name` as a package that makes pictures from noise."""
    return Export(config, lambda **nets: GenerationPipeline(nets[name]), "generator.md")


def held_out(config: Run) -> list[Image.Image]:
    """Pictures to translate, of part "held"."""
    stream, name = SOURCES[type(config.data)]
    data = stream(config.data, config.seed, part="held")
    return [to_pil(data[position][name]) for position in range(SAMPLES)]
