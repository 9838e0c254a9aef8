"""The discriminator of progressive growing."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import START, EqualConv, check_level, level_widths
from styletransfer.models.network import Network


class ShrinkBlock(nn.Module):
    """Two convolutions with leaky ReLU, then the mean of every 2 x 2 pixels."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.convs = nn.ModuleList(EqualConv(in_channels, count, 3, padding=1) for count in (in_channels, out_channels))

    def forward(self, x: Tensor) -> Tensor:
        for conv in self.convs:
            x = F.leaky_relu(conv(x), 0.2)
        return F.avg_pool2d(x, 2)


def spread(x: Tensor, group: int) -> Tensor:
    """How much the pictures of a batch differ: a map (B, 1, H, W) of `x` (B, C, H, W) to judge together with them.

    The standard deviation over each group of `group` pictures, averaged to one number (Karras et al. 2018, sec. 3).
    """
    count, channels, height, width = x.shape
    group = group if count % group == 0 else count  # a last, shorter batch is one group
    groups = x.view(group, count // group, channels, height, width).float()
    deviation = (groups.var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (B / group,)
    return deviation.to(x.dtype).repeat(group)[:, None, None, None].expand(-1, 1, height, width)


class ProgressiveDiscriminator(Network):
    """Judges pictures at a resolution that grows: the mirror of `ProgressiveGenerator` (Karras et al. 2018, table 2).

    Args:
        base_channels: Width up to 32 px; halved at each level above.
        image_size: Side of the pictures at the highest level, a power of two of at least 8.
        group: Pictures of a batch that are compared for their variety; 1 judges each alone.

    Example:
        `(verdict,) = ProgressiveDiscriminator()(torch.rand(4, 3, 32, 32) * 2 - 1, level=1.5)`
    """

    @register_to_config
    def __init__(self, base_channels: int = 128, image_size: int = 128, group: int = 4):
        super().__init__()
        widths = level_widths(base_channels, image_size)
        self.from_rgb = nn.ModuleList(EqualConv(3, width, 1) for width in widths)
        # blocks[i] leads from level i + 1 to level i
        self.blocks = nn.ModuleList(ShrinkBlock(wide, narrow) for narrow, wide in pairwise(widths))
        self.last = EqualConv(widths[0] + 1, widths[0], 3, padding=1)
        self.whole = EqualConv(widths[0], widths[0], START)
        self.head = EqualConv(widths[0], 1, 1, gain=1.0)

    def forward(self, image: Tensor, level: float | None = None) -> list[Tensor]:
        """One verdict (B, 1) on each `image` (B, 3, S, S) in [-1, 1], where S is 8 * 2 ** ceil(level); higher is more real.

        `level` goes from 0 to the highest, which None means; a fraction is the share of the new resolution.
        """
        level = len(self.blocks) if level is None else level
        top = check_level(level, len(self.blocks))
        size = START * 2**top
        if image.shape[1:] != (3, size, size):
            raise ValueError(f"image at level {level} must be (B, 3, {size}, {size}), got {tuple(image.shape)}")
        x = F.leaky_relu(self.from_rgb[top](image), 0.2)
        if top:
            x = self.blocks[top - 1](x)
            if level < top:
                coarse = F.leaky_relu(self.from_rgb[top - 1](F.avg_pool2d(image, 2)), 0.2)
                x = torch.lerp(coarse, x, level - (top - 1))
        for block in reversed(self.blocks[: max(top - 1, 0)]):
            x = block(x)
        x = torch.cat([x, spread(x, self.config.group)], dim=1)  # (B, C + 1, 8, 8)
        x = F.leaky_relu(self.whole(F.leaky_relu(self.last(x), 0.2)), 0.2)
        return [self.head(x).flatten(1)]
