"""What keeps a discriminator smooth: one exchangeable object for each method."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from training.losses.adversarial import mean_output

Discriminator = Callable[[Tensor], list[Tensor]]


class Lipschitz:
    """Three places where a method may act; each does nothing here."""

    every: int = 1  # updates between two penalties

    def prepare(self, discriminator: nn.Module) -> None:
        """Change the network, once, before training."""

    def penalty(self, discriminator: Discriminator, real: Tensor, fake: Tensor) -> Tensor | None:
        """A loss of the discriminator, which maps images (B, C, H, W) to outputs, one for each scale."""

    def after(self, discriminator: nn.Module) -> None:
        """Change the weights after each of the discriminator's updates."""


@dataclass(frozen=True)
class WeightClipping(Lipschitz):
    """Every weight stays in [-limit, limit] (Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875, alg. 1)."""

    limit: float = 0.01

    @torch.no_grad()
    def after(self, discriminator: nn.Module) -> None:
        for parameter in discriminator.parameters():
            parameter.clamp_(-self.limit, self.limit)


@dataclass(frozen=True)
class SpectralNorm(Lipschitz):
    """Every layer's largest singular value is 1 (Miyato et al. 2018, https://arxiv.org/abs/1802.05957, eq. 8)."""

    def prepare(self, discriminator: nn.Module) -> None:
        for layer in list(discriminator.modules()):
            if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding) and not is_parametrized(layer):
                spectral_norm(layer)


@dataclass(frozen=True)
class GradientPenalty(Lipschitz):
    """weight * (||dD/dx|| - 1)^2 on random points between real and fake (Gulrajani et al. 2017, eq. 3), in fp32."""

    weight: float = 10.0

    def penalty(self, discriminator: Discriminator, real: Tensor, fake: Tensor) -> Tensor:
        return self.weight * (slopes(discriminator, between(real, fake), create_graph=True) - 1).square().mean()


@dataclass(frozen=True)
class GradientNorm(Lipschitz):
    """R1 on real images, R2 on fakes (Mescheder et al. 2018, eq. 9): weight / 2 * ||dD/dx||^2, in fp32.

    Computed every `every` updates and multiplied by `every` (lazy regularisation, Karras et al. 2020, sec. 3.1).
    """

    weight: float = 1.0
    on: tuple[str, ...] = ("real",)
    every: int = 16

    def penalty(self, discriminator: Discriminator, real: Tensor, fake: Tensor) -> Tensor:
        images = {"real": real, "fake": fake}
        norms = [slopes(discriminator, images[name], create_graph=True).square().mean() for name in self.on]
        return self.every * self.weight / 2 * sum(norms)


def between(real: Tensor, fake: Tensor) -> Tensor:
    """A random point on the line from each real image to a fake."""
    share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    return torch.lerp(real.detach().float(), fake.detach().float(), share)


def slopes(discriminator: Discriminator, image: Tensor, create_graph: bool = False) -> Tensor:
    """||dD/dx|| (B,) of the mean output at `image` (B, C, H, W), in fp32 whatever the precision around it."""
    image = image.detach().float().requires_grad_(True)
    with torch.autocast(image.device.type, enabled=False):
        output = mean_output(discriminator(image)).sum()
        (gradient,) = torch.autograd.grad(output, image, create_graph=create_graph)
    # the root has no gradient at zero, and where D is flat it is zero
    return (gradient.flatten(1).square().sum(dim=1) + 1e-12).sqrt()


# weight 1 lies in the range that R3GAN takes at 64 px: 2 at first, 0.2 in the end (Huang et al. 2024, published FFHQ-64 settings)
LIPSCHITZ: dict[str, Lipschitz] = {
    "none": Lipschitz(),
    "clip": WeightClipping(0.01),  # Arjovsky et al. 2017, alg. 1
    "gp": GradientPenalty(10.0),  # Gulrajani et al. 2017, sec. 4
    "spectral": SpectralNorm(),
    "r1": GradientNorm(1.0, on=("real",), every=1),
    "r2": GradientNorm(1.0, on=("fake",), every=1),
    "r1r2": GradientNorm(1.0, on=("real", "fake"), every=1),
}
