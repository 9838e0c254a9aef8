"""The U-Net of pix2pix (Isola et al. 2017, sec. 6.1.1) as its checkpoints hold it: each level contains the next one."""

import torch
from torch import Tensor, nn


class Level(nn.Module):
    """Down, what lies inside, up; and its own input beside the result, except at the very top."""

    def __init__(self, outer: int, inner: int, inside: nn.Module | None, top: bool = False, dropout: float = 0.0):
        super().__init__()
        shape = {"kernel_size": 4, "stride": 2, "padding": 1}
        down = nn.Conv2d(3 if top else outer, inner, bias=False, **shape)
        up = nn.ConvTranspose2d(inner * (2 if inside else 1), outer, bias=top, **shape)
        before = [down] if top else [nn.LeakyReLU(0.2), down]
        if inside and not top:
            before.append(nn.BatchNorm2d(inner))
        after = [nn.ReLU(), up, nn.Tanh()] if top else [nn.ReLU(), up, nn.BatchNorm2d(outer)]
        if dropout:
            after.append(nn.Dropout(dropout))
        self.model = nn.Sequential(*before, *([inside] if inside else []), *after)
        self.top = top

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) if self.top else torch.cat([x, self.model(x)], dim=1)


class UNet(nn.Module):
    """Widths k, 2k, 4k, 8k, 8k, ...; dropout in the decoder between levels of 8k."""

    def __init__(self, width: int, downs: int, dropout: float = 0.5):
        super().__init__()
        level = Level(8 * width, 8 * width, None)
        for _ in range(downs - 5):
            level = Level(8 * width, 8 * width, level, dropout=dropout)
        for outer in (4, 2, 1):
            level = Level(outer * width, 2 * outer * width, level)
        self.model = Level(3, width, level, top=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)
