"""The style encoder: any painting in, the code of its style out."""

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn


class StyleEncoder(ModelMixin, ConfigMixin):
    """Style code of a painting: means and deviations of learned features, as AdaIN describes a style (Huang & Belongie 2017).

    Args:
        code_size: Floats in the code.
        base_channels: Width of the first of four stages; doubled until four times as wide.
        size: Larger paintings are shrunk until their shorter side is `size` pixels.

    Example:
        `code = StyleEncoder()(torch.rand(1, 3, 300, 400) * 2 - 1)  # (1, 192), root mean square 1`
    """

    @register_to_config
    def __init__(self, code_size: int = 192, base_channels: int = 32, size: int = 192):
        super().__init__()
        widths = [base_channels, 2 * base_channels, 4 * base_channels, 4 * base_channels]
        self.stages = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1, padding_mode="reflect")
            for before, after in zip([3, *widths], widths, strict=False)
        )
        self.head = nn.Sequential(nn.Linear(2 * (3 + sum(widths)), 256), nn.SiLU(), nn.Linear(256, code_size))

    def forward(self, painting: Tensor) -> Tensor:
        """Code (B, code_size) with unit root mean square of `painting` (B, 3, H, W) in [-1, 1], H and W at least 16."""
        height, width = painting.shape[-2:]
        if min(height, width) < 16:
            raise ValueError(f"painting must be at least 16 x 16 pixels, got {height} x {width}")
        scale = self.config.size / min(height, width)
        x = painting
        if scale < 1:
            size = (round(height * scale), round(width * scale))
            x = F.interpolate(x, size=size, mode="bilinear", antialias=True, align_corners=False)
        moments = [*spread(x)]
        for stage in self.stages:
            x = F.leaky_relu(stage(x), 0.2)
            moments += spread(x)
        code = self.head(torch.cat(moments, dim=1))
        return code * torch.rsqrt(code.square().mean(dim=1, keepdim=True) + 1e-8)


def spread(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (B, C) of each channel of `x` (B, C, H, W)."""
    variance, mean = torch.var_mean(x, dim=(2, 3), correction=0)
    return mean, (variance + 1e-5).sqrt()
