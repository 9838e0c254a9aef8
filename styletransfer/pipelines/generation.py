"""Pictures from noise: a number in, a picture out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

from styletransfer.images import to_pil
from styletransfer.models.dcgan_generator import DCGANGenerator
from styletransfer.models.progressive_generator import ProgressiveGenerator
from styletransfer.pipelines.base import NetworkPipeline

OUTPUT_TYPES = ("pil", "np", "pt")
MAX_TRUNCATION = 2.0
BATCH = 16  # pictures made at once


@dataclass
class GenerationOutput(BaseOutput):
    """Pictures, in the order of the seeds: PIL images, arrays (H, W, 3) or tensors (3, H, W) with values in [0, 1]."""

    images: list[Image.Image] | list[np.ndarray] | list[Tensor]


class GenerationPipeline(NetworkPipeline):
    """Make pictures from noise. A seed always gives the same picture.

    Args:
        noise_generator: Generator that turns a vector of noise into a picture.

    Example:
        `load_pipeline("runs/latest/pipeline")(seeds=[0, 1, 2]).images[0]`
    """

    component = "noise_generator"
    networks = (DCGANGenerator, ProgressiveGenerator)

    def __init__(self, noise_generator: DCGANGenerator | ProgressiveGenerator):
        super().__init__()
        self.register_modules(noise_generator=noise_generator)

    @torch.no_grad()
    def __call__(
        self,
        seeds: int | Sequence[int] = (0,),
        truncation: float = 1.0,
        output_type: str = "pil",
        return_dict: bool = True,
    ) -> GenerationOutput | tuple:
        """Make one picture for each seed.

        Args:
            seeds: A whole number from 0 to 2^63 - 1, or several.
            truncation: Scale of the noise. Below 1 the pictures come closer to the average one; 0 to 2.
            output_type: "pil", "np" (arrays (H, W, 3) in [0, 1]) or "pt" (tensors (3, H, W) in [0, 1], on the CPU).
            return_dict: False for a plain tuple.
        """
        seeds = [seeds] if isinstance(seeds, int) else list(seeds)
        if not seeds:
            raise ValueError("seeds is an empty list")
        for seed in seeds:
            if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
                raise ValueError(f"a seed must be a whole number from 0 to 2^63 - 1, got {seed!r}")
        number = isinstance(truncation, Real) and not isinstance(truncation, bool) and math.isfinite(truncation)
        if not number or not 0 <= truncation <= MAX_TRUNCATION:
            raise ValueError(f"truncation must be a number from 0 to {MAX_TRUNCATION:g}, got {truncation!r}")
        if output_type not in OUTPUT_TYPES:
            raise ValueError(f"output_type must be one of {', '.join(OUTPUT_TYPES)}, got {output_type!r}")
        images = []
        for start in range(0, len(seeds), BATCH):
            z = torch.stack([self.noise(seed) for seed in seeds[start : start + BATCH]]) * truncation
            made = self.noise_generator(z.to(self._execution_device, self.noise_generator.dtype))
            images += [self.form(pixels, output_type) for pixels in made.float().clamp(-1, 1).cpu()]
        self.maybe_free_model_hooks()
        return GenerationOutput(images=images) if return_dict else (images,)

    def noise(self, seed: int) -> Tensor:
        """The vector (z_size,) of a seed, the same on every device."""
        return torch.randn(self.noise_generator.config.z_size, generator=torch.Generator().manual_seed(seed))

    def form(self, pixels: Tensor, output_type: str) -> Image.Image | np.ndarray | Tensor:
        if output_type == "pil":
            return to_pil(pixels)
        pixels = pixels.add(1).div(2)
        return pixels if output_type == "pt" else pixels.permute(1, 2, 0).numpy()
