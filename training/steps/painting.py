"""Photos and a painting: what the painter learns from."""

from functools import cached_property

import torch
from torch import Tensor

from training.engine.recipe import Step


class Painting(Step):
    """Photos, recoloured by the palette of a painting, that are painted in its strokes; the encoder finds the style.

    Batch: `photo`, `recolored` and `painting` (B, 3, H, W), and `label` (B,), the same for the same painting. Networks:
    `stylizer`, `encoder`, `features`.
    """

    gallery = ("photo", "painting", "recolored", "full")
    made_of = (("photo", "full"),)
    content_layers = (4, 7)  # of SqueezeNet 1.1: fire3 and fire5
    style_layers = (4, 7, 9, 12)  # fire3, fire5, fire6 and fire9

    @cached_property
    def code(self) -> Tensor:
        return self.nets["encoder"](self["painting"])

    @cached_property
    def seen_code(self) -> Tensor:
        """The code as the discriminator gets it: it must not steer the encoder."""
        return self.code.detach()

    @cached_property
    def strength(self) -> Tensor:
        """Three of four photos are painted at full strength, the others anywhere from a touch to beyond full."""
        photo = self["photo"]
        full, partial = torch.ones(len(photo)), 0.1 + 1.4 * torch.rand(len(photo))
        return torch.where(torch.rand(len(photo)) < 0.75, full, partial).to(photo.device)

    @cached_property
    def fake(self) -> Tensor:
        return self.paint(self.strength)

    @cached_property
    def full(self) -> Tensor:
        return self.paint(torch.ones_like(self.strength))

    def paint(self, strength: Tensor) -> Tensor:
        return self.nets["stylizer"](self["recolored"], self.code * strength[:, None])

    @cached_property
    def fake_features(self) -> dict[int, Tensor]:
        return self.nets["features"](self.fake)

    @cached_property
    def painting_style(self) -> dict[int, Tensor]:
        with torch.no_grad():
            kept = self.nets["features"](self["painting"])
        return {layer: kept[layer] for layer in self.style_layers}

    @cached_property
    def content(self) -> dict[int, Tensor]:
        with torch.no_grad():
            kept = self.nets["features"](self["recolored"])
        return {layer: kept[layer] for layer in self.content_layers}
