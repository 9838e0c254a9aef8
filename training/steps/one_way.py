"""Two domains without pairs, translated one way: CUT."""

from functools import cached_property

import torch
from torch import Tensor

from training.engine.recipe import Step


class OneWay(Step):
    """Batch: `a` and `b` (B, 3, H, W), unrelated pictures of two domains. Networks: `g`, and the `head` of its layers.

    `fake` is a in the domain of b, `same` is b once more. The vectors of both are compared with those of what they were made
    of, at the same places.

    Args:
        patches: Vectors for each layer.
    """

    gallery = ("a", "fake", "b", "same")
    made_of = (("a", "fake"),)

    def __init__(self, *args, patches: int = 256, **kwargs):  # Park et al. 2020, appendix C.1
        super().__init__(*args, **kwargs)
        self.patches = patches

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self["a"])

    @cached_property
    def same(self) -> Tensor:
        return self.nets["g"](self["b"])

    @cached_property
    def fake_vectors(self) -> list[Tensor]:
        return self.vectors(self.nets["g"](self.fake, features=True))

    @cached_property
    def same_vectors(self) -> list[Tensor]:
        return self.vectors(self.nets["g"](self.same, features=True))

    @cached_property
    def a_vectors(self) -> list[Tensor]:
        with torch.no_grad():
            return self.vectors(self.a_layers)

    @cached_property
    def b_vectors(self) -> list[Tensor]:
        with torch.no_grad():
            return self.vectors(self.nets["g"](self["b"], features=True))

    @cached_property
    def a_layers(self) -> list[Tensor]:
        with torch.no_grad():
            return self.nets["g"](self["a"], features=True)

    @cached_property
    def places(self) -> list[Tensor]:
        """Random positions in each layer, the same for all images of the step, so that vectors can be compared."""
        areas = [layer.shape[2] * layer.shape[3] for layer in self.a_layers]
        return [torch.randperm(area, device=self["a"].device)[: self.patches] for area in areas]

    def vectors(self, layers: list[Tensor]) -> list[Tensor]:
        """Unit vectors (B, N, D) at the places of each of `layers` (B, C, h, w)."""
        pairs = zip(layers, self.places, strict=True)
        return self.nets["head"](*(layer.flatten(2)[:, :, places].transpose(1, 2) for layer, places in pairs))
