"""Steps with a target for each source."""

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from training.recipe import Step


class Paired(Step):
    """Batch: `source` and its `target` (B, 3, H, W). Network: `g`."""

    gallery = ("source", "fake", "target")
    made_of = (("source", "fake"),)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self["source"])

    @cached_property
    def fake_pair(self) -> Tensor:
        """Source and result (B, 6, H, W), as a conditional discriminator sees them (Isola et al. 2017, eq. 1)."""
        return torch.cat([self["source"], self.fake], dim=1)

    @cached_property
    def real_pair(self) -> Tensor:
        return torch.cat([self["source"], self["target"]], dim=1)


class Enlarged(Step):
    """A picture and what is left of it at a quarter of its resolution. Batch: `real` (B, 3, H, W). Networks: `g`, `features`.

    At first `g` doubles the picture; its second stage fades in during the part `growth` of the training.
    """

    gallery = ("enlarged", "result", "real")
    made_of = (("small", "fake"),)
    scale = 4
    growth = (0.25, 0.4)

    @property
    def level(self) -> float:
        start, end = self.growth
        return 1 + min(max((self.progress - start) / (end - start), 0.0), 1.0)

    @cached_property
    def small(self) -> Tensor:
        return shrink(self["real"], self.scale)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self.small, level=self.level)

    @cached_property
    def target(self) -> Tensor:
        """The picture at the size of the result: half until the second stage begins."""
        return self["real"] if self.level > 1 else shrink(self["real"], 2)

    @cached_property
    def fake_features(self) -> dict[int, Tensor]:
        return self.nets["features"](self.fake)

    @cached_property
    def target_features(self) -> dict[int, Tensor]:
        with torch.no_grad():
            return self.nets["features"](self.target)

    @cached_property
    def enlarged(self) -> Tensor:
        return self.enlarge(self.small)

    @cached_property
    def result(self) -> Tensor:
        return self.enlarge(self.fake)

    def enlarge(self, image: Tensor) -> Tensor:
        """`image` at the size of the picture, by bicubic interpolation."""
        return F.interpolate(image, size=self["real"].shape[-2:], mode="bicubic", align_corners=False)


def shrink(image: Tensor, scale: int) -> Tensor:
    """`image` (B, 3, H, W) at 1 / `scale` of its size, without aliases."""
    size = [side // scale for side in image.shape[-2:]]
    return F.interpolate(image, size=size, mode="bicubic", antialias=True, align_corners=False)
