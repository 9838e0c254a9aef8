"""Pictures of many domains, each to be translated into another one: StarGAN."""

from functools import cached_property

from torch import Tensor

from training.engine.recipe import Step


class Labels(Step):
    """Batch: `image` (B, 3, H, W) of domain `label` (B,), to be brought into domain `target` (B,). Networks: `g`, `d`."""

    gallery = ("image", "fake", "back")
    made_of = (("image", "fake"),)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self["image"], self["target"])

    @cached_property
    def back(self) -> Tensor:
        return self.nets["g"](self.fake, self["label"])

    # each is named by one phase alone: the logits of a real image train the discriminator, those of a fake the generator

    @cached_property
    def image_logits(self) -> Tensor:
        return self.nets["d"](self["image"], classes=True)[1]

    @cached_property
    def fake_logits(self) -> Tensor:
        return self.nets["d"](self.fake, classes=True)[1]
