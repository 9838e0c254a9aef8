"""The pipeline that travels inside a package, for people who have diffusers and not styletransfer.

`DiffusionPipeline.from_pretrained("user/painter", trust_remote_code=True)(photo, style="starry-night").images[0]`

It paints as styletransfer does. What it imports of the house is put into its file when a package is written.
"""

from pathlib import Path
from typing import ClassVar

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput, ModelMixin
from huggingface_hub import snapshot_download
from PIL import Image

from styletransfer.color import Palette
from styletransfer.images import to_tensor, upright
from styletransfer.pipelines.painting import COLOR, SIZE, TONE, Controls, Painter
from styletransfer.styles import Style


class StyleTransferPipeline(Painter, DiffusionPipeline):
    """Paint photos in the styles of the package, in mixtures of them, or in the style of any painting."""

    _optional_components: ClassVar = ["enlarger"]

    def __init__(self, stylizer: ModelMixin, encoder: ModelMixin, enlarger: ModelMixin | None = None):
        super().__init__()
        self.register_modules(stylizer=stylizer, encoder=encoder, enlarger=enlarger)
        self.named: dict[str, Style] = {}

    @property
    def styles(self) -> list[str]:
        """Names of the styles."""
        if not self.named:
            folder = Path(self.stylizer.config._name_or_path).parent
            if folder.parent.name == "snapshots":
                # diffusers fetched the networks into this snapshot, and nothing that it does not know; nor does it pass on its
                # token, so a private repository needs one that is saved or in HF_TOKEN
                cache, name = folder.parents[2], self.config._name_or_path
                snapshot_download(name, revision=folder.name, cache_dir=cache, allow_patterns="styles/*.safetensors")
            for path in sorted(folder.glob("styles/*.safetensors")):
                self.add_style(Style.load(path))
        return list(self.named)

    def add_style(self, style: Style) -> None:
        """Add a style, such as `Style.load("my-style.safetensors")`."""
        self.check_fit(style)
        self.named[style.name] = style

    @torch.no_grad()
    def __call__(
        self,
        image: Image.Image,
        style: str | dict[str, float] | Image.Image,
        strength: float = 1.0,
        mask: Image.Image | None = None,
        tone: float = TONE,
        color: float = COLOR,
        brush: float = 1.0,
        size: int = SIZE,
    ) -> ImagePipelineOutput:
        """Paint `image` by the name of a style, weights of several, or a painting. Strength 0 is the photo, 1 the style.

        `mask`: white is painted, black stays. `tone` and `color`: how far lightness and colours move to those of the style, 0 to
        1. `brush`: from 0.5, fine strokes, to 2, broad ones. `size`: shorter side in pixels at which strokes are painted.
        """
        if isinstance(style, Image.Image):
            pixels = to_tensor(style)
            code = self.code_of(pixels.to(self._execution_device))
            parts = [(Style(code[None], "painting", (Palette.of(pixels),)), strength)]
        else:
            weights = {style: 1.0} if isinstance(style, str) else style
            if unknown := [name for name in weights if name not in self.styles]:
                raise ValueError(f"there is no style {unknown[0]!r}, only {', '.join(self.styles)}")
            parts = [(self.named[name], strength * weight) for name, weight in weights.items()]
        painting = self.paint(upright(image), mask, parts, Controls(tone, color, brush, size))
        return ImagePipelineOutput(images=[painting])
