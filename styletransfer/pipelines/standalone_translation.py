"""The pipeline of a translator that travels inside a package, for people who have diffusers and not styletransfer.

`DiffusionPipeline.from_pretrained("user/horse2zebra", trust_remote_code=True)(photo).images[0]`

This file is copied: it imports nothing of the house.
"""

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DiffusionPipeline, ImagePipelineOutput, ModelMixin
from PIL import Image, ImageOps
from torch import Tensor


class TranslationPipeline(DiffusionPipeline):
    """Translate pictures by a network of one look, or of one for each of its domains: names and their labels."""

    def __init__(self, translator: ModelMixin, domains: dict | None = None):
        super().__init__()
        self.register_modules(translator=translator)
        self.register_to_config(domains=domains)

    @torch.no_grad()
    def __call__(
        self, image: Image.Image, style: str | None = None, strength: float = 1.0, mask: Image.Image | None = None
    ) -> ImagePipelineOutput:
        """Translate `image`, into the domain `style` where there are several.

        Strength 0 is the picture, 1 its translation, up to 1.5 more than that. `mask`: white is translated, black stays.
        """
        domains = self.config.domains or {None: None}
        if style is None and len(domains) == 1:
            (style,) = domains
        if style not in domains:
            raise ValueError(f"there is no style {style!r}, only {', '.join(map(str, domains))}")
        image = ImageOps.exif_transpose(image)
        scale = self.translator.config.get("scale", 1)
        size = (scale * image.width, scale * image.height)
        pixels = self.pixels(image)
        label = [] if style is None else [torch.tensor([domains[style]], device=pixels.device)]
        dtype = self.translator.dtype
        with torch.autocast(pixels.device.type, dtype, enabled=dtype != torch.float32):
            after = self.translator(pixels, *label)[..., : size[1], : size[0]].float().clamp(-1, 1)
        before = self.pixels(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))[..., : size[1], : size[0]]
        after = torch.lerp(before, after, strength).clamp(-1, 1)
        if mask is not None:
            where = torch.from_numpy(np.array(mask.convert("L").resize(size, Image.Resampling.NEAREST)))
            after = torch.lerp(before, after, where.to(after.device).float() / 255)
        values = after[0].add(1).mul(127.5).round().clamp(0, 255).byte()
        return ImagePipelineOutput(images=[Image.fromarray(values.permute(1, 2, 0).cpu().numpy())])

    def pixels(self, image: Image.Image) -> Tensor:
        """Colours (1, 3, H, W) in [-1, 1], at least 16 x 16."""
        values = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None]
        pixels = values.to(self._execution_device).float() / 127.5 - 1
        return F.pad(pixels, (0, max(16 - image.width, 0), 0, max(16 - image.height, 0)), mode="replicate")
