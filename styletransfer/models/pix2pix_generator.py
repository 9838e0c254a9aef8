"""The U-Net generator of pix2pix as its public checkpoints have it, with batch norm."""

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import init_gaussian, pad_to_multiple
from styletransfer.models.network import Network


class Norm(nn.BatchNorm2d):
    """Batch norm, or with `per_image` by the statistics of each image for itself: the same weights, the running ones unused."""

    def __init__(self, channels: int, per_image: bool):
        super().__init__(channels)
        self.per_image = per_image

    def forward(self, x: Tensor) -> Tensor:
        if self.per_image:
            return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=self.eps)
        return super().forward(x)


class Pix2pixGenerator(Network):
    """U-Net (Isola et al. 2017, sec. 6.1.1, https://arxiv.org/abs/1611.07004) with batch norm, for checkpoints made elsewhere.

    `UNetGenerator` is the one to train here. Dropout, which the paper uses as noise, is left out: one image has one result.

    Args:
        base_channels: Width of the first level; doubled at each level, at most eightfold.
        num_downs: Levels; 8 take 256 px to a single pixel. Any size works: the image is padded to a multiple of
            `2 ** num_downs` and the result is cropped.
        statistics: What normalises: "running" the averages of the training, "image" each image's own, as in the paper (sec. 3.3).

    Example:
        `photo = Pix2pixGenerator()(torch.rand(1, 3, 256, 256) * 2 - 1)`
    """

    @register_to_config
    def __init__(self, base_channels: int = 64, num_downs: int = 8, statistics: str = "running"):
        super().__init__()
        if num_downs < 2:
            raise ValueError(f"num_downs must be at least 2, got {num_downs}")
        if statistics not in ("running", "image"):
            raise ValueError(f"statistics must be running or image, got {statistics!r}")
        widths = [base_channels * min(2**level, 8) for level in range(num_downs)]
        options = {"kernel_size": 4, "stride": 2, "padding": 1, "bias": False}
        self.down = nn.ModuleList(nn.Conv2d(a, b, **options) for a, b in zip([3, *widths], widths, strict=False))
        self.down_norms = nn.ModuleList(Norm(width, statistics == "image") for width in widths[1:-1])
        # from the innermost level outwards; all but the innermost also get the skip connection of their level
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(widths[level] * (1 if level == num_downs - 1 else 2), widths[level - 1], **options)
            for level in range(num_downs - 1, 0, -1)
        )
        self.up_norms = nn.ModuleList(Norm(width, statistics == "image") for width in widths[-2::-1])
        self.out = nn.ConvTranspose2d(2 * widths[0], 3, 4, stride=2, padding=1)
        init_gaussian(self)

    @property
    def size_multiple(self) -> int:
        return 2**self.config.num_downs

    def forward(self, image: Tensor) -> Tensor:
        """Translate `image` (B, 3, H, W) in [-1, 1], H and W at least 16."""
        height, width = image.shape[-2:]
        first, *between, last = self.down
        levels = [first(pad_to_multiple(image, self.size_multiple))]  # (B, C, H/2, W/2)
        for conv, norm in zip(between, self.down_norms, strict=True):
            levels.append(norm(conv(F.leaky_relu(levels[-1], 0.2))))  # (B, up to 8C, H/2**level, W/2**level)
        x = last(F.leaky_relu(levels[-1], 0.2))
        for conv, norm in zip(self.up, self.up_norms, strict=True):
            x = torch.cat([levels.pop(), norm(conv(F.relu(x)))], dim=1)
        return self.out(F.relu(x)).tanh()[..., :height, :width]
