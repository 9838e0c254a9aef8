"""Steps that measure content and style on features: of a frozen network, or of the discriminator itself."""

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from training.engine.recipe import Step

Features = dict[int, Tensor]

# a rising pyramid of five: the first four hold style, the second and third content, the last what the picture shows
LAYERS = {
    "squeezenet1_1": (1, 4, 7, 9, 12),  # the first convolution, fire3, fire5, fire6, fire9
    "vgg16": (3, 8, 15, 22, 29),  # relu1_2, relu2_2, relu3_3, relu4_3 as in Johnson et al. 2016, sec. 4; relu5_3
    "vgg19": (3, 8, 17, 26, 35),  # the last of each block
}


def pick(features: Features, start: int, end: int | None = None) -> Features:
    """The layers from place `start` to before `end`, in rising order."""
    return {layer: features[layer] for layer in sorted(features)[start:end]}


class Semantic(Step):
    """Batch: `a` and `b` (B, 3, H, W), different pictures of two domains. Networks: `g`, and the five `LAYERS` of `features`."""

    gallery = ("a", "fake", "b")
    made_of = (("a", "fake"),)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self["a"])

    @cached_property
    def fake_features(self) -> Features:
        return self.nets["features"](self.fake)

    @cached_property
    def a_features(self) -> Features:
        with torch.no_grad():
            return self.nets["features"](self["a"])

    @cached_property
    def a_content(self) -> Features:
        return pick(self.a_features, 1, 3)

    @cached_property
    def b_style(self) -> Features:
        with torch.no_grad():
            return pick(self.nets["features"](self["b"]), 0, 4)


class Reference(Semantic):
    """G(x, y): `stylizer` paints `a` by the code that `encoder` finds in the very picture `b`."""

    @cached_property
    def code(self) -> Tensor:
        return self.nets["encoder"](self["b"])

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["stylizer"](self["a"], self.code)

    @cached_property
    def same_b(self) -> Tensor:
        """A picture of the target domain guided by itself: it should stay (L_TID of Taigman et al. 2017, sec. 4)."""
        return self.nets["stylizer"](self["b"], self.code)

    @cached_property
    def a_meaning(self) -> Features:
        return pick(self.a_features, 4)


class Layers(Step):
    """Content and style by the layers of the discriminator `d`, which are fixed while `g` trains.

    The pictures' own activations take no gradient, those of the result pass it on to the result alone: the phase of the generator
    trains no discriminator.
    """

    gallery = ("a", "fake", "b")
    made_of = (("a", "fake"),)
    content_layers = (1, 2)  # of four

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self["a"])

    @cached_property
    def fake_layers(self) -> Features:
        return self.activations(self.fake)

    @cached_property
    def b_layers(self) -> Features:
        with torch.no_grad():
            return self.activations(self["b"])

    @cached_property
    def fake_content(self) -> Features:
        return self.content(self.fake_layers)

    @cached_property
    def a_content(self) -> Features:
        with torch.no_grad():
            return self.content(self.activations(self["a"]))

    def content(self, layers: Features) -> Features:
        """Middle layers without the mean and deviation of each channel, which are style (Huang & Belongie 2017, sec. 3)."""
        return {layer: F.instance_norm(layers[layer].float()) for layer in self.content_layers}

    def activations(self, image: Tensor) -> Features:
        scales = self.nets["d"](image, features=True)[1]
        return dict(enumerate(activation for scale in scales for activation in scale))
