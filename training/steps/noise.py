"""Steps of pictures from noise."""

import math
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from training.engine.recipe import Step


class Noise(Step):
    """Pictures from noise. Batch: `real` (B, 3, S, S). Network: `g`."""

    gallery = ("real", "fake")
    made_of = (("z", "fake"),)

    @cached_property
    def z(self) -> Tensor:
        real = self.batch["real"]
        return torch.randn(len(real), self.nets["g"].config.z_size, device=real.device)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self.z)


class GrowingNoise(Noise):
    """Pictures from noise at a resolution that grows while it trains. Batch: `real` (B, 3, S, S) at full size. Network: `g`.

    Each of the generator's resolutions is trained, then the next one is faded in (Karras et al. 2018, fig. 2): equal parts of the
    first `growing` of the training, a part in 0..1. The rest belongs to the full resolution.
    """

    gallery = ("seen", "fake")

    def __init__(self, *args, growing: float = 0.6, **kwargs):
        super().__init__(*args, **kwargs)
        self.growing = growing

    @property
    def levels(self) -> int:
        return len(self.nets["g"].blocks) - 1

    @property
    def level(self) -> float:
        """Current level; a fraction is the share of the new resolution."""
        part = self.progress / self.growing * 2 * self.levels  # even parts train a level, odd parts fade in the next
        whole = math.floor(part / 2)
        return float(min(whole + max(part - 2 * whole - 1, 0.0), self.levels))

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self.z, self.level)

    @cached_property
    def seen(self) -> Tensor:
        """The real pictures at the current resolution; between two levels their fine detail fades in too (appendix C)."""
        top = math.ceil(self.level)
        seen = F.avg_pool2d(self["real"], 2 ** (self.levels - top))
        if self.level == top:
            return seen
        coarse = F.interpolate(F.avg_pool2d(seen, 2), scale_factor=2)
        return torch.lerp(coarse, seen, self.level - (top - 1))
