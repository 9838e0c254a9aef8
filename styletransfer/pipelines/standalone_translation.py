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
    def __call__(self, image: Image.Image, domain: str | None = None, strength: float = 1.0) -> ImagePipelineOutput:
        """Translate `image`, into a domain where there are several. Strength 0 is the picture, 1 its translation."""
        domains = self.config.domains or {None: None}
        if domain not in domains:
            raise ValueError(f"there is no domain {domain!r}, only {', '.join(map(str, domains))}")
        scale = self.translator.config.get("scale", 1)
        if scale > 1 and strength != 1:
            raise ValueError(f"the result is {scale} times as large as the picture, so strength must be 1, got {strength}")
        image = ImageOps.exif_transpose(image)
        before = self.pixels(image)
        label = [] if domain is None else [torch.tensor([domains[domain]], device=before.device)]
        dtype = self.translator.dtype
        with torch.autocast(before.device.type, dtype, enabled=dtype != torch.float32):
            after = self.translator(before, *label).float().clamp(-1, 1)
        if strength < 1:
            after = torch.lerp(before, after, strength)
        values = after[0, :, : scale * image.height, : scale * image.width].add(1).mul(127.5).round().clamp(0, 255).byte()
        return ImagePipelineOutput(images=[Image.fromarray(values.permute(1, 2, 0).cpu().numpy())])

    def pixels(self, image: Image.Image) -> Tensor:
        """Colours (1, 3, H, W) in [-1, 1], at least 16 x 16."""
        values = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None]
        pixels = values.to(self._execution_device).float() / 127.5 - 1
        return F.pad(pixels, (0, max(16 - image.width, 0), 0, max(16 - image.height, 0)), mode="replicate")
