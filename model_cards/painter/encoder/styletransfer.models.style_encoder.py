"""The style encoder: any painting in, the code of its style out."""

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

"""The base of every network."""

from importlib import import_module

from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin


class Network(ModelMixin, ConfigMixin):
    """A torch module whose arguments are its config, and which a folder or a repository of the Hub can hold."""

    @classmethod
    def from_pretrained(cls, path_or_repo, *arguments, **options):
        """Network in a folder or in a repository of the Hub; `styletransfer.pipelines.loading.from_pretrained` names the options.

        `StyleGenerator.from_pretrained("model_cards/painter", subfolder="stylizer")`
        """
        if not __name__.startswith("styletransfer."):  # a copy in a package, for people without styletransfer
            return super().from_pretrained(path_or_repo, *arguments, **options)
        return import_module("styletransfer.pipelines.loading").from_pretrained(cls, path_or_repo, *arguments, **options)


class Standardize(nn.Module):
    """Subtracts a fixed mean and divides by a fixed deviation (B, C), so that what all paintings share drops out."""

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.deviation


class StyleEncoder(Network):
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
        if type(size) is not int or size < 16:
            raise ValueError(f"size must be a whole number of pixels from 16 on, got {size!r}")
        widths = [base_channels, 2 * base_channels, 4 * base_channels, 4 * base_channels]
        self.stages = nn.ModuleList(
            nn.Conv2d(before, after, 3, stride=2, padding=1, padding_mode="reflect")
            for before, after in zip([3, *widths], widths, strict=False)
        )
        moments = 2 * (3 + sum(widths))
        self.head = nn.Sequential(Standardize(moments), nn.Linear(moments, 256), nn.SiLU(), nn.Linear(256, code_size))

    def forward(self, painting: Tensor) -> Tensor:
        """Code (B, code_size) with unit root mean square of `painting` (B, 3, H, W) in [-1, 1], H and W at least 16."""
        height, width = painting.shape[-2:]
        if min(height, width) < 16:
            raise ValueError(f"painting must be at least 16 x 16 pixels, got {height} x {width}")
        scale = self.config.size / min(height, width)
        x = painting
        if scale < 1:
            size = (round(height * scale), round(width * scale))
            # in float32: antialiasing knows no bfloat16 on the CPU
            x = F.interpolate(x.float(), size=size, mode="bilinear", antialias=True, align_corners=False).to(x.dtype)
        code = self.head(self.moments(x))
        return code * torch.rsqrt(code.square().mean(dim=1, keepdim=True) + 1e-8)

    def moments(self, x: Tensor) -> Tensor:
        kept = [*spread(x)]
        for stage in self.stages:
            x = F.leaky_relu(stage(x), 0.2)
            kept += spread(x)
        return torch.cat(kept, dim=1)

    @torch.no_grad()
    def calibrate(self, paintings: Tensor) -> None:
        """Fix the standardisation by `paintings` (B, 3, H, W), a few dozen of them, before training.

        Without it the codes of any two paintings start nearly parallel (cosine 0.98, against 0.1 with it), and styles are slow
        to part.
        """
        moments = self.moments(paintings)
        self.head[0].mean.copy_(moments.mean(dim=0))
        self.head[0].deviation.copy_(moments.std(dim=0).clamp_min(1e-3))


def spread(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (B, C) of each channel of `x` (B, C, H, W)."""
    variance, mean = torch.var_mean(x, dim=(2, 3), correction=0)
    return mean, (variance + 1e-5).sqrt()
