"""Photos and paintings of many styles: the flagship."""

from functools import cached_property

import torch
from torch import Tensor

from training.recipe import Step


class Domains(Step):
    """Photos and paintings of several domains; the style comes from a painting through the encoder.

    Batch: `photo` (B, 3, H, W), `painting` (B, 3, H, W) of domain `label` (B,). Networks: `stylizer`, `encoder`, `features`.
    """

    gallery = ("photo", "painting", "half", "full")
    made_of = (("photo", "full"),)
    content_layers = (4, 7)  # of SqueezeNet 1.1: fire3 and fire5
    style_layers = (1, 3, 4, 6, 7, 9)  # the first convolution and fire2 to fire6
    judged_layers = (4, 7, 12)  # fire3, fire5 and fire9

    @cached_property
    def code(self) -> Tensor:
        return self.nets["encoder"](self["painting"])

    @cached_property
    def strength(self) -> Tensor:
        """Half of the photos are painted at full strength, the others anywhere from a touch to a little beyond full."""
        photo = self["photo"]
        full, partial = torch.ones(len(photo)), 0.1 + 1.2 * torch.rand(len(photo))
        return torch.where(torch.rand(len(photo)) < 0.5, full, partial).to(photo.device)

    @cached_property
    def fake(self) -> Tensor:
        return self.paint(self.strength)

    @cached_property
    def full(self) -> Tensor:
        return self.paint(torch.ones_like(self.strength))

    @cached_property
    def half(self) -> Tensor:
        return self.paint(torch.full_like(self.strength, 0.5))

    def paint(self, strength: Tensor) -> Tensor:
        return self.nets["stylizer"](self["photo"], self.code * strength[:, None])

    @cached_property
    def fake_features(self) -> dict[int, Tensor]:
        return self.nets["features"](self.fake)

    @cached_property
    def painting_features(self) -> dict[int, Tensor]:
        with torch.no_grad():
            return self.nets["features"](self["painting"])

    @cached_property
    def painting_style(self) -> dict[int, Tensor]:
        return {layer: self.painting_features[layer] for layer in self.style_layers}

    @cached_property
    def photo_content(self) -> dict[int, Tensor]:
        with torch.no_grad():
            kept = self.nets["features"](self["photo"])
        return {layer: kept[layer] for layer in self.content_layers}
