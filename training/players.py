"""Who learns in a phase."""

import contextlib
from collections.abc import Iterator

from torch import nn


@contextlib.contextmanager
def training_only(nets: dict[str, nn.Module], players: tuple[str, ...]) -> Iterator[None]:
    """Inside, only the players take gradients."""
    before = {name: [p.requires_grad for p in net.parameters()] for name, net in nets.items()}
    for name, net in nets.items():
        net.requires_grad_(name in players)
    try:
        yield
    finally:
        for name, net in nets.items():
            for parameter, flag in zip(net.parameters(), before[name], strict=True):
                parameter.requires_grad_(flag)
