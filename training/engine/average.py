"""Moving averages of weights: what ships."""

import torch
from torch import nn


class Average:
    """Exponential moving average of a network, faster at first: decay min(decay, (1 + n) / (10 + n)). Buffers are copied."""

    def __init__(self, net: nn.Module, decay: float):
        self.net = type(net).from_config(net.config).to(next(net.parameters()).device)
        self.net.load_state_dict(net.state_dict())
        self.net.eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def follow(self, net: nn.Module, update: int) -> None:
        decay = min(self.decay, (1 + update) / (10 + update))
        torch._foreach_lerp_(list(self.net.parameters()), [p.detach() for p in net.parameters()], 1 - decay)
        for mine, theirs in zip(self.net.buffers(), net.buffers(), strict=True):
            mine.copy_(theirs)
