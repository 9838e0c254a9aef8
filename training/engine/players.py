"""Which networks are trained in a phase, and calls that leave no trace in a network."""

import contextlib
from collections.abc import Iterator

import torch
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


@contextlib.contextmanager
def buffers_restored(nets: dict[str, nn.Module]) -> Iterator[None]:
    """Inside, networks can be called without a trace: running means and power iterations become what they were."""
    before = {name: [value.clone() for value in net.buffers()] for name, net in nets.items()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, net in nets.items():
                for value, kept in zip(net.buffers(), before[name], strict=True):
                    value.copy_(kept)
