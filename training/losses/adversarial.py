"""Adversarial games: what each side minimises, given the discriminator's outputs on real and fake images."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Adversarial:
    """The two sides of a game. Each takes (real, fake) outputs (B, 1, h, w) and returns (B, 1, h, w), to be averaged."""

    name: str
    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor, Tensor], Tensor]
    paired: bool = False  # the generator's side looks at the real outputs too


# Mao et al. 2017, eq. 9 with a = 0, b = c = 1
LSGAN = Adversarial(
    "lsgan",
    discriminator=lambda real, fake: ((real - 1).square() + fake.square()) / 2,
    generator=lambda real, fake: (fake - 1).square(),
)
# Lim & Ye 2017; Miyato et al. 2018, eq. 16 and 17
HINGE = Adversarial(
    "hinge",
    discriminator=lambda real, fake: F.relu(1 - real) + F.relu(1 + fake),
    generator=lambda real, fake: -fake,
)
# Goodfellow et al. 2014, sec. 3, in the non-saturating form
LOGISTIC = Adversarial(
    "logistic",
    discriminator=lambda real, fake: F.softplus(-real) + F.softplus(fake),
    generator=lambda real, fake: F.softplus(-fake),
)
# Jolicoeur-Martineau 2018; Huang et al. 2024 (R3GAN), eq. 2. Use it with R1 and R2.
RELATIVISTIC = Adversarial(
    "relativistic",
    discriminator=lambda real, fake: F.softplus(fake - real),
    generator=lambda real, fake: F.softplus(real - fake),
    paired=True,
)
# Arjovsky et al. 2017, eq. 2. Use it with a Lipschitz method.
WASSERSTEIN = Adversarial(
    "wasserstein",
    discriminator=lambda real, fake: fake - real,
    generator=lambda real, fake: -fake,
)
GAMES = {game.name: game for game in (LSGAN, HINGE, LOGISTIC, RELATIVISTIC, WASSERSTEIN)}


def mean_output(outputs: list[Tensor]) -> Tensor:
    """Average (B,) of outputs (B, 1, h, w), or (B, 1) of a discriminator without windows, over windows, then over scales."""
    return torch.stack([output.float().flatten(1).mean(dim=1) for output in outputs]).mean(dim=0)
