"""Steps with a target for each source."""

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from training.engine.recipe import Step


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
    """A picture and what is left of it at a quarter of its size. Networks: `g`, `features`.

    Batch: `real` (B, 3, H, W) and `small` (B, 3, H/4, W/4). Until the part `growing` of the training, 0..1, is over, `g` only
    doubles.
    """

    gallery = ("enlarged", "result", "real")
    made_of = (("small", "fake_half"),)

    def __init__(self, *args, growing: float, **kwargs):
        super().__init__(*args, **kwargs)
        self.growing = growing

    @cached_property
    def fakes(self) -> list[Tensor]:
        """What `g` makes of `small` at half the size of the picture and, once it has grown, at all of it."""
        return self.nets["g"](self["small"], level=1 if self.progress < self.growing else 2, pyramid=True)

    @property
    def fake_half(self) -> Tensor:
        return self.fakes[0]

    @property
    def fake(self) -> Tensor:
        return self.fakes[-1]

    @cached_property
    def half(self) -> Tensor:
        return shrink(self["real"], 2)

    @cached_property
    def fake_half_features(self) -> dict[int, Tensor]:
        return self.nets["features"](self.fake_half)

    @cached_property
    def fake_features(self) -> dict[int, Tensor]:
        return self.nets["features"](self.fake)

    @cached_property
    def half_features(self) -> dict[int, Tensor]:
        with torch.no_grad():
            return self.nets["features"](self.half)

    @cached_property
    def real_features(self) -> dict[int, Tensor]:
        with torch.no_grad():
            return self.nets["features"](self["real"])

    @cached_property
    def enlarged(self) -> Tensor:
        return self.enlarge(self["small"])

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
