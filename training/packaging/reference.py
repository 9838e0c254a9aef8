"""Write what the reference preset trained as a package for `StyleTransferPipeline`."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import Dataset

from styletransfer.pipelines.style_transfer import StyleTransferPipeline
from styletransfer.styles import Style, unit
from training.options import Run
from training.packaging.cards import explain
from training.packaging.package import describe, held_out
from training.packaging.painter import on_cpu, write_samples

LOOKED_AT = 64  # pictures of the target domain, whose mean code is its style


@dataclass(frozen=True)
class ReferenceExport:
    """Turns `stylizer` and `encoder` into a package whose single named style is the target domain of `data`."""

    config: Run
    data: Dataset

    def __call__(self, nets: dict[str, nn.Module], folder: Path) -> None:
        networks = on_cpu(nets)
        name = self.config.data.world or self.config.data.b.resolve().name
        pictures = torch.stack([self.data[position]["b"] for position in range(LOOKED_AT)])
        with torch.no_grad():
            codes = unit(networks["encoder"](pictures).float())
        # without a palette: it learned to change colours itself
        pipeline = StyleTransferPipeline(**networks, styles=[Style(unit(codes.mean(dim=0, keepdim=True)), name)])
        pipeline.save_pretrained(folder)
        write_samples(pipeline, held_out(self.config), folder / "samples")
        source = f"the folder {self.config.data.a.resolve().name}" if self.config.data.a else "drawn scenes"
        target = f"rendered as {name}" if self.config.data.world else f"and of the folder {name}"
        data = f"Pictures of {source}, {target}."
        explain(
            folder,
            "reference.md",
            address=self.config.hub.repo,
            style=name,
            data=data,
            training=describe(self.config),
        )
