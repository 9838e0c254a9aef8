"""Gradient penalties: what keeps a discriminator smooth."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from training.losses.adversarial import mean_verdict


@dataclass(frozen=True)
class GradientNorm:
    """R1 on real images, R2 on fakes (Mescheder et al. 2018, eq. 9): weight / 2 * ||dD/dx||^2, in fp32.

    Computed every `every` updates and multiplied by `every` (lazy regularisation, Karras et al. 2020, sec. 3.1).
    """

    weight: float
    on: tuple[str, ...] = ("real",)
    every: int = 16

    def __call__(self, judge: Callable[[Tensor], list[Tensor]], real: Tensor, fake: Tensor) -> Tensor:
        images = {"real": real, "fake": fake}
        total = 0.0
        for name in self.on:
            image = images[name].detach().float().requires_grad_(True)
            with torch.autocast(image.device.type, enabled=False):
                (gradient,) = torch.autograd.grad(mean_verdict(judge(image)).sum(), image, create_graph=True)
            total = total + gradient.square().sum(dim=(1, 2, 3)).mean()
        return self.every * self.weight / 2 * total
