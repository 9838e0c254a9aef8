"""Photos and the paintings of one style, which an adapter of a frozen painter learns."""

from functools import cached_property

from torch import Tensor, nn

from styletransfer.models.style_adapter import adapted
from training.steps.painting import Painting


class AdaptedPainting(Painting):
    """The paintings of one style. Batch: as for `Painting`. Networks: `stylizer`, frozen, `codes`, `adapter`, `features`."""

    @cached_property
    def code(self) -> Tensor:
        return self.nets["codes"](self["label"])

    def paint(self, strength: Tensor) -> Tensor:
        return adapted(self.nets["stylizer"], self.nets["adapter"](), self["recolored"], self.code * strength[:, None])


class Codes(nn.Module):
    """The code of each painting, as the encoder saw the whole of it."""

    def __init__(self, codes: Tensor):
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, label: Tensor) -> Tensor:
        return self.codes[label]
