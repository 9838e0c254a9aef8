"""The pipeline that travels inside a package, for people who have diffusers and not styletransfer.

`DiffusionPipeline.from_pretrained("user/painter", trust_remote_code=True)(photo, style="ukiyo-e").images[0]`

It paints as styletransfer does, without its masks and colour controls. This file is copied: it imports nothing of the house.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import DiffusionPipeline, ImagePipelineOutput, ModelMixin
from huggingface_hub import hf_hub_download
from PIL import Image, ImageOps
from safetensors.torch import load_file
from torch import Tensor


class StyleTransferPipeline(DiffusionPipeline):
    """Paint photos in the styles of the package, in mixtures of them, or in the style of any painting."""

    def __init__(self, stylizer: ModelMixin, encoder: ModelMixin):
        super().__init__()
        self.register_modules(stylizer=stylizer, encoder=encoder)
        self.exemplars: dict[str, Tensor] = {}

    @property
    def styles(self) -> list[str]:
        """Names of the styles."""
        if not self.exemplars:
            folder = Path(self.stylizer.config._name_or_path).parent
            path = folder / "styles.safetensors"
            if not path.exists():
                # diffusers fetched the networks into this snapshot, and nothing that it does not know; nor does it pass on its
                # token, so a private repository needs one that is saved or in HF_TOKEN
                cache = folder.parents[2]
                path = hf_hub_download(self.config._name_or_path, path.name, revision=folder.name, cache_dir=cache)
            self.exemplars = load_file(path)
        return sorted(self.exemplars)

    @torch.no_grad()
    def __call__(
        self, image: Image.Image, style: str | dict[str, float] | Image.Image, strength: float = 1.0
    ) -> ImagePipelineOutput:
        """Paint `image` by the name of a style, weights of several, or a painting. Strength 0 is the photo, 1 the style."""
        image = ImageOps.exif_transpose(image)
        photo = self.pixels(image)
        if isinstance(style, Image.Image):
            code = self.look(self.pixels(ImageOps.exif_transpose(style)))
        else:
            weights = {style: 1.0} if isinstance(style, str) else style
            if unknown := [name for name in weights if name not in self.styles]:
                raise ValueError(f"there is no style {unknown[0]!r}, only {', '.join(self.styles)}")
            codes = [weight * self.choose(self.exemplars[name], photo) for name, weight in weights.items()]
            code = sum(weights.values()) * unit(sum(codes))
        with self.precision():
            painting = self.stylizer(photo, strength * code[None]).float()[0, :, : image.height, : image.width]
        values = painting.add(1).mul(127.5).round().clamp(0, 255).byte().permute(1, 2, 0)
        return ImagePipelineOutput(images=[Image.fromarray(values.cpu().numpy())])

    def pixels(self, image: Image.Image) -> Tensor:
        """Colours (1, 3, H, W) in [-1, 1], at least 16 x 16."""
        values = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None]
        pixels = values.to(self._execution_device).float() / 127.5 - 1
        return F.pad(pixels, (0, max(16 - image.width, 0), 0, max(16 - image.height, 0)), mode="replicate")

    def look(self, picture: Tensor) -> Tensor:
        with self.precision():
            return unit(self.encoder(picture)[0].float())

    def choose(self, exemplars: Tensor, photo: Tensor) -> Tensor:
        """One code (D,) of `exemplars` (K, D): those nearest to the photo's own code weigh most."""
        exemplars = exemplars.to(photo.device)
        distance = (exemplars - self.look(photo)).square().sum(dim=1)
        variance = exemplars.var(dim=0, correction=0).sum().clamp_min(1e-12)
        return unit((-distance / (0.2 * variance)).softmax(dim=0) @ exemplars)

    def precision(self) -> torch.autocast:
        return torch.autocast(self._execution_device.type, self.stylizer.dtype, enabled=self.stylizer.dtype != torch.float32)


def unit(code: Tensor) -> Tensor:
    """`code` scaled to a root mean square of 1."""
    return code / code.square().mean(dim=-1, keepdim=True).sqrt().clamp_min(1e-6)
