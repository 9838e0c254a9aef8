"""The pipeline of a noise GAN that travels inside a package, for people who have diffusers and not styletransfer.

`DiffusionPipeline.from_pretrained("user/faces", trust_remote_code=True)(seeds=[0, 1, 2]).images`

This file is copied: it imports nothing of the house.
"""

from collections.abc import Sequence

import torch
from diffusers import DiffusionPipeline, ImagePipelineOutput, ModelMixin
from PIL import Image

BATCH = 16  # pictures made at once


class GenerationPipeline(DiffusionPipeline):
    """Make pictures from noise. A seed always gives the same picture."""

    def __init__(self, noise_generator: ModelMixin):
        super().__init__()
        self.register_modules(noise_generator=noise_generator)

    @torch.no_grad()
    def __call__(self, seeds: int | Sequence[int] = (0,), truncation: float = 1.0) -> ImagePipelineOutput:
        """Make one picture for each seed. `truncation` scales the noise: below 1 the pictures come closer to the average one."""
        network = self.noise_generator
        randoms = [torch.Generator().manual_seed(seed) for seed in ([seeds] if isinstance(seeds, int) else seeds)]
        noise = truncation * torch.stack([torch.randn(network.config.z_size, generator=random) for random in randoms])
        images = []
        for z in noise.split(BATCH):
            pixels = network(z.to(self._execution_device, network.dtype)).float().clamp(-1, 1)
            values = pixels.add(1).mul(127.5).round().byte().permute(0, 2, 3, 1)
            images += [Image.fromarray(picture) for picture in values.cpu().numpy()]
        return ImagePipelineOutput(images=images)
