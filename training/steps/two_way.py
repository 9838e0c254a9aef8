"""Two domains without pairs, translated both ways: CycleGAN."""

from functools import cached_property

from torch import Tensor

from training.engine.recipe import Step


class TwoWay(Step):
    """Batch: `a` and `b` (B, 3, H, W), unrelated pictures of two domains. Networks: `g_ab`, `g_ba`."""

    gallery = ("a", "fake_b", "back_a", "b", "fake_a", "back_b")
    made_of = (("a", "fake_b"), ("b", "fake_a"))

    @cached_property
    def fake_b(self) -> Tensor:
        return self.nets["g_ab"](self["a"])

    @cached_property
    def fake_a(self) -> Tensor:
        return self.nets["g_ba"](self["b"])

    @cached_property
    def back_a(self) -> Tensor:
        return self.nets["g_ba"](self.fake_b)

    @cached_property
    def back_b(self) -> Tensor:
        return self.nets["g_ab"](self.fake_a)

    @cached_property
    def same_a(self) -> Tensor:
        return self.nets["g_ba"](self["a"])

    @cached_property
    def same_b(self) -> Tensor:
        return self.nets["g_ab"](self["b"])
