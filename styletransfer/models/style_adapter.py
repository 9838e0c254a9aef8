"""A named style as a low-rank change of the generator's weights."""

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.func import functional_call


class StyleAdapter(ModelMixin, ConfigMixin):
    """Low-rank changes of the convolutions of a `StyleGenerator`, and changes of the biases of its modulations.

    A convolution's weight W (O, I, k, k), as a matrix (O, I k k), becomes W + up @ down with `up` (O, rank) and `down`
    (rank, I k k) (LoRA, Hu et al. 2022, https://arxiv.org/abs/2106.09685, eq. 3). `up` starts at zero: a new adapter changes
    nothing. Merged into the weights it costs nothing, and adapters of several styles are mixed by a weighted sum.

    Args:
        shapes: Shape of each weight or bias of the generator that changes, by its name there.
        rank: Of the changes of the convolutions.

    Example:
        `adapter = StyleAdapter.of(stylizer); paint(stylizer, adapter.changes(), photo, code)`
    """

    @register_to_config
    def __init__(self, shapes: dict[str, list[int]], rank: int = 16):
        super().__init__()
        self.factors = nn.ParameterDict()
        for name, (out_channels, *rest) in shapes.items():
            key = name.replace(".", "/")
            if rest:
                columns = torch.Size(rest).numel()
                self.factors[f"{key}/down"] = nn.Parameter(torch.randn(rank, columns) / columns**0.5)
                self.factors[f"{key}/up"] = nn.Parameter(torch.zeros(out_channels, rank))
            else:
                self.factors[key] = nn.Parameter(torch.zeros(out_channels))

    @classmethod
    def of(cls, stylizer: nn.Module, rank: int = 16) -> "StyleAdapter":
        """An adapter that fits `stylizer`, and changes nothing yet."""
        changed = {
            name: list(parameter.shape)
            for name, parameter in stylizer.named_parameters()
            if parameter.ndim == 4 or name.endswith("affine.bias")
        }
        return cls(shapes=changed, rank=rank)

    def forward(self) -> dict[str, Tensor]:
        """What to add to each parameter of the generator, by its name there."""
        return changes(self.factors, self.config.shapes)


def changes(factors: dict[str, Tensor], shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """What the factors of an adapter add to the parameters of these `shapes`."""
    added = {}
    for name, shape in shapes.items():
        key = name.replace(".", "/")
        added[name] = (factors[f"{key}/up"] @ factors[f"{key}/down"]).view(shape) if len(shape) > 1 else factors[key]
    return added


def adapted(stylizer: nn.Module, added: dict[str, Tensor], *inputs: Tensor) -> Tensor:
    """What `stylizer` makes of `inputs` with `added` on top of its parameters."""
    parameters = dict(stylizer.named_parameters())
    return functional_call(stylizer, {name: parameters[name] + change for name, change in added.items()}, inputs)
