"""A named style as a low-rank change of the generator's weights."""

from collections.abc import Mapping
from threading import Lock

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.func import functional_call

from styletransfer.models.network import Network

# functional_call puts the changed weights into the network for as long as it runs: two threads at once would paint with each
# other's, and leave them there
TURNS = Lock()


class StyleAdapter(Network):
    """Low-rank changes of the convolutions of a `StyleGenerator`, and changes of the biases of its modulations.

    A convolution's weight W (O, I, k, k), as a matrix (O, I k k), becomes W + up @ down with `up` (O, rank) and `down`
    (rank, I k k) (LoRA, Hu et al. 2022, https://arxiv.org/abs/2106.09685, eq. 3). `up` starts at zero: a new adapter changes
    nothing. Merged into the weights it costs nothing, and adapters of several styles are mixed by a weighted sum.

    Args:
        shapes: Shape of each parameter of the generator that changes, by its name there.
        rank: Of the changes of the convolutions.

    Example:
        `adapted(stylizer, StyleAdapter.of(stylizer)(), photo, code)`
    """

    @register_to_config
    def __init__(self, shapes: dict[str, list[int]], rank: int = 16):
        super().__init__()
        self.down, self.up, self.bias = nn.ParameterDict(), nn.ParameterDict(), nn.ParameterDict()
        for name, (out_channels, *rest) in shapes.items():
            key = name.replace(".", "/")  # a dot would be a sub-module
            if rest:
                columns = torch.Size(rest).numel()
                self.down[key] = nn.Parameter(torch.randn(rank, columns) / columns**0.5)
                self.up[key] = nn.Parameter(torch.zeros(out_channels, rank))
            else:
                self.bias[key] = nn.Parameter(torch.zeros(out_channels))

    @classmethod
    def of(cls, stylizer: nn.Module, rank: int = 16) -> "StyleAdapter":
        """An adapter that fits `stylizer`, and changes nothing yet."""
        changed = {
            name: list(parameter.shape)
            for name, parameter in stylizer.named_parameters()
            if parameter.ndim == 4 or name.endswith("affine.bias")
        }
        return cls(shapes=changed, rank=rank)

    def factors(self) -> dict[str, Tensor]:
        """What a style file holds: `<parameter>.down` and `<parameter>.up` of convolutions, `<parameter>` of biases."""
        kept = {key.replace("/", "."): value for key, value in self.bias.items()}
        for kind, factors in (("down", self.down), ("up", self.up)):
            kept |= {f"{key.replace('/', '.')}.{kind}": value for key, value in factors.items()}
        return kept

    @torch.no_grad()
    def load_factors(self, factors: Mapping[str, Tensor]) -> None:
        """Take the values of `factors`, as a style file holds them: the same names and shapes as `factors()`."""
        own = self.factors()
        wrong = own.keys() ^ factors.keys() or {name for name in own if own[name].shape != factors[name].shape}
        if wrong:
            raise ValueError(f"these factors of another adapter do not fit: {', '.join(sorted(wrong)[:3])}")
        for name, factor in own.items():
            factor.copy_(factors[name])

    def forward(self) -> dict[str, Tensor]:
        """What to add to each parameter of the generator, by its name there; convolutions as matrices (O, I k k)."""
        return changes(self.factors())


def changes(factors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the `factors` of an adapter add to each parameter; to convolutions a matrix (O, I k k)."""
    added = {}
    for name, factor in factors.items():
        base, _, kind = name.rpartition(".")
        if kind == "up":
            added[base] = factor @ factors[f"{base}.down"]
        elif kind != "down":
            added[name] = factor
    return added


def adapted(stylizer: nn.Module, added: Mapping[str, Tensor], *inputs: Tensor) -> Tensor:
    """What `stylizer` makes of `inputs` with `added` on top of its parameters."""
    with TURNS:
        parameters = dict(stylizer.named_parameters())
        changed = {name: parameters[name] + change.view_as(parameters[name]) for name, change in added.items()}
        return functional_call(stylizer, changed, inputs)


def misfits(stylizer: nn.Module, factors: Mapping[str, Tensor]) -> list[str]:
    """Names of the `factors` that do not belong to a parameter of `stylizer`, or have another shape than it needs."""
    parameters = dict(stylizer.named_parameters())
    wrong = []
    for name, factor in factors.items():
        base, _, kind = name.rpartition(".")
        if kind in ("up", "down"):
            other = factors.get(f"{base}.{'down' if kind == 'up' else 'up'}")
            weight = parameters.get(base)
            size = None if weight is None else (weight.shape[0], weight[0].numel())
            up, down = (factor, other) if kind == "up" else (other, factor)
            fits = up is not None and down is not None and up.ndim == down.ndim == 2 and up.shape[1] == down.shape[0]
            fits = fits and size == (up.shape[0], down.shape[1])
        else:
            fits = name in parameters and parameters[name].shape == factor.shape
        if not fits:
            wrong.append(name)
    return wrong
