"""Pictures from noise: a number in, a picture out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.utils import BaseOutput
from PIL import Image
from torch import Tensor

from styletransfer.images import to_pil
from styletransfer.models.dcgan_generator import DCGANGenerator
from styletransfer.models.progressive_generator import ProgressiveGenerator
from styletransfer.pipelines.base import NetworkPipeline
from styletransfer.tasks import TASKS

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

    task = TASKS["GenerationPipeline"]
    component = "noise_generator"
    networks = (DCGANGenerator, ProgressiveGenerator)

    def __init__(self, noise_generator: DCGANGenerator | ProgressiveGenerator):
        super().__init__()
        self.register_modules(noise_generator=noise_generator)

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
            truncation: Scale of the noise. Below 1 the pictures come closer to the average one; 0 to 2. It changes nothing for a
                generator that brings its noise to one length, as a `ProgressiveGenerator` does.
            output_type: "pil", "np" (arrays (H, W, 3) in [0, 1]) or "pt" (tensors (3, H, W) in [0, 1], on the CPU).
            return_dict: False for a plain tuple.
        """
        seeds = [seeds] if isinstance(seeds, int) else list(seeds)
        if not seeds:
            raise ValueError("seeds is an empty list")
        return self.pictures(torch.stack([self.noise(seed) for seed in seeds]), truncation, output_type, return_dict)

    def between(
        self,
        start: int,
        end: int,
        steps: int = 8,
        truncation: float = 1.0,
        output_type: str = "pil",
        return_dict: bool = True,
    ) -> GenerationOutput | tuple:
        """Lead from the picture of one seed to that of another in equal steps, both of them included.

        `pipe.between(3, 7, steps=9).images`

        The noise turns from one vector to the other (slerp, White 2016, https://arxiv.org/abs/1609.04468). A straight line would
        cut across, where vectors are shorter than any that the generator knows.

        Args:
            start: Seed of the first picture.
            end: Seed of the last one.
            steps: Number of pictures, at least 2.
            truncation: As for `__call__`, like what follows.
        """
        if not isinstance(steps, int) or isinstance(steps, bool) or steps < 2:
            raise ValueError(f"steps must be a whole number of at least 2, got {steps!r}")
        noise = turn(self.noise(start), self.noise(end), torch.linspace(0, 1, steps))
        return self.pictures(noise, truncation, output_type, return_dict)

    @torch.no_grad()
    def pictures(self, noise: Tensor, truncation: float, output_type: str, return_dict: bool) -> GenerationOutput | tuple:
        """Pictures of `noise` (N, z_size), in the wanted form."""
        number = isinstance(truncation, Real) and not isinstance(truncation, bool) and math.isfinite(truncation)
        if not number or not 0 <= truncation <= MAX_TRUNCATION:
            raise ValueError(f"truncation must be a number from 0 to {MAX_TRUNCATION:g}, got {truncation!r}")
        if output_type not in OUTPUT_TYPES:
            raise ValueError(f"output_type must be one of {', '.join(OUTPUT_TYPES)}, got {output_type!r}")
        images = []
        for z in (noise * truncation).split(BATCH):
            made = self.noise_generator(z.to(self._execution_device, self.noise_generator.dtype))
            images += [self.form(pixels, output_type) for pixels in made.float().clamp(-1, 1).cpu()]
        self.maybe_free_model_hooks()
        return GenerationOutput(images=images) if return_dict else (images,)

    def noise(self, seed: int) -> Tensor:
        """The vector (z_size,) of a seed, the same on every device."""
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
            raise ValueError(f"a seed must be a whole number from 0 to 2^63 - 1, got {seed!r}")
        return torch.randn(self.noise_generator.config.z_size, generator=torch.Generator().manual_seed(seed))

    def form(self, pixels: Tensor, output_type: str) -> Image.Image | np.ndarray | Tensor:
        if output_type == "pil":
            return to_pil(pixels)
        pixels = pixels.add(1).div(2)
        return pixels if output_type == "pt" else pixels.permute(1, 2, 0).numpy()


def turn(a: Tensor, b: Tensor, shares: Tensor) -> Tensor:
    """Vectors (N, D) from `a` (D,) to `b` (D,) along the arc between them, a share of 0 to 1 of the way (slerp)."""
    angle = torch.acos(F.cosine_similarity(a, b, dim=0).clamp(-1, 1))
    if angle.sin() < 1e-3:  # side by side, or opposite, where no arc is the nearest
        return a + shares[:, None] * (b - a)
    weight_a, weight_b = (((1 - shares) * angle).sin() / angle.sin(), (shares * angle).sin() / angle.sin())
    return weight_a[:, None] * a + weight_b[:, None] * b
