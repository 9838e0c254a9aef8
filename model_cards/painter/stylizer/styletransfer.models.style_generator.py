"""The flagship generator: a photo and a style code in, a painting out."""

import numpy as np
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

Statistics = dict[nn.Module, tuple[Tensor, Tensor]]
GRAIN = 128  # side of the noise, which repeats, at a quarter of the resolution
SCALES = (1, 2, 4, 8)  # over so many of its pixels it is smoothed


class ModulatedNorm(nn.Module):
    """Instance normalisation whose scale and shift are linear in the style code (AdaIN, Huang & Belongie 2017, sec. 5)."""

    def __init__(self, channels: int, code_size: int, eps: float = 1e-3):
        super().__init__()
        self.affine = nn.Linear(code_size, 2 * channels)
        self.eps = eps

    def forward(self, x: Tensor, code: Tensor, statistics: Statistics | None) -> Tensor:
        scale, shift = self.affine(code).float().chunk(2, dim=1)  # (B, C) each
        mean = variance = None
        if statistics is not None:
            if self not in statistics:
                variance, mean = torch.var_mean(x.detach().float(), dim=(2, 3), correction=0)
                statistics[self] = (mean, variance)
            mean, variance = (moment.expand(len(x), -1).reshape(-1) for moment in statistics[self])
        # (B, C) planes as the channels of one image: batch norm then normalises and modulates each in a single fused pass,
        # with its statistics in fp32 whatever the dtype of x
        planes = x.reshape(1, -1, *x.shape[2:])
        scale, shift = (scale + 1).reshape(-1), shift.reshape(-1)
        y = F.batch_norm(planes, mean, variance, scale, shift, training=mean is None, eps=self.eps)
        return y.reshape(x.shape)


class ModulatedBlock(nn.Module):
    """Residual block with one modulated normalisation."""

    def __init__(self, channels: int, code_size: int):
        super().__init__()
        self.conv1 = conv3x3(channels, channels)
        self.norm = ModulatedNorm(channels, code_size)
        self.conv2 = conv3x3(channels, channels)

    def forward(self, x: Tensor, code: Tensor, statistics: Statistics | None) -> Tensor:
        return x + self.conv2(F.relu(self.norm(self.conv1(x), code, statistics), inplace=True))


class ModulatedConv(nn.Module):
    """Convolution, modulated normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, code_size: int, stride: int = 1):
        super().__init__()
        self.conv = conv3x3(in_channels, out_channels, stride)
        self.norm = ModulatedNorm(out_channels, code_size)

    def forward(self, x: Tensor, code: Tensor, statistics: Statistics | None) -> Tensor:
        return F.relu(self.norm(self.conv(x), code, statistics), inplace=True)


def conv3x3(in_channels: int, out_channels: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    # reflect padding: zeros leave a dark frame after instance norm
    # no bias: every path to the output but the last convolution passes a normalisation, which would take it out again
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, padding_mode="reflect", bias=bias)


class StyleGenerator(Network):
    """Paints strokes over a photo whose colours are already those of the style (`styletransfer.color`).

    A style is a code that modulates the normalisations, and for named styles an adapter of the weights (`StyleAdapter`). The
    output is `image + gate(code) * (painting - image)` with `gate(code)` the root mean square of the code, so the zero code
    returns the image exactly and scaling the code is the strength of the style. The painting is an underpainting, the image at
    half of its resolution, and the strokes of the trunk over it. At a quarter, whatever the strokes have not learned shows as
    fog; at full resolution the photo's own texture stays, and no stroke is ever learned.

    Beside the image the trunk sees noise of several scales, always the same. Without it, every place of a smooth sky looks alike
    to a convolution, and strokes there can only be ripples, as regular as brickwork (Ulyanov et al. 2016,
    https://arxiv.org/abs/1603.03417, sec. 3.1; Karras et al. 2019, sec. 3.2). While it trains, the noise is shifted by chance.

    The trunk runs at a quarter and an eighth of the resolution. Nothing in it upsamples by learned zero-filling: features grow
    by bilinear interpolation, and the last pixel shuffle is followed by the binomial filter (1, 2, 1), two of the zero-order
    holds that remove its checkerboard whatever the weights (Sugawara et al. 2018, https://arxiv.org/abs/1806.02658, sec. 3).

    Args:
        code_size: Floats in a style code. Codes of strength 1 have unit root mean square.
        base_channels: Width at a quarter of the resolution.
        trunk_channels: Width at an eighth of the resolution.
        num_blocks: Residual blocks at an eighth of the resolution.

    Example:
        `painting = StyleGenerator()(torch.rand(1, 3, 256, 256) * 2 - 1, torch.randn(1, 192))`
    """

    size_multiple = 8

    @register_to_config
    def __init__(self, code_size: int = 192, base_channels: int = 64, trunk_channels: int = 96, num_blocks: int = 3):
        super().__init__()
        half = max(base_channels // 2, 16)
        self.register_buffer("grain", grain(), persistent=False)
        self.stem = ModulatedConv(48 + len(SCALES), base_channels, code_size)
        self.before = ModulatedBlock(base_channels, code_size)
        self.down = ModulatedConv(base_channels, trunk_channels, code_size, stride=2)
        self.blocks = nn.ModuleList(ModulatedBlock(trunk_channels, code_size) for _ in range(num_blocks))
        self.up = conv3x3(trunk_channels, base_channels)
        self.after = nn.ModuleList(ModulatedBlock(base_channels, code_size) for _ in range(2))
        self.narrow = conv3x3(base_channels, half - 12)
        self.detail = ModulatedConv(half, half, code_size)  # sees the photo again: 12 channels at half of the resolution
        self.out = conv3x3(half, 12, bias=True)
        for module in self.modules():
            if isinstance(module, ModulatedNorm):
                nn.init.normal_(module.affine.weight, std=0.2 / code_size**0.5)
                nn.init.zeros_(module.affine.bias)

    def forward(self, image: Tensor, code: Tensor, statistics: Statistics | None = None) -> Tensor:
        """Paint `image` (B, 3, H, W) in [-1, 1], H and W at least 16, in the style of `code` (B, code_size).

        The result has the size of the image and may leave [-1, 1] a little. With `statistics`, an empty dict, the mean and
        variance of every normalisation are collected into it; a filled one is used in place of the image's own, which makes
        frames of one film agree, and tiles of one image that begin at multiples of 512 pixels.
        """
        height, width = image.shape[-2:]
        if min(height, width) < 16:
            raise ValueError(f"image must be at least 16 x 16 pixels, got {height} x {width}")
        pad = (0, -width % self.size_multiple, 0, -height % self.size_multiple)
        x = F.pad(image, pad, mode="reflect") if any(pad) else image
        gate = torch.linalg.vector_norm(code, dim=1) / code.shape[1] ** 0.5  # its gradient at zero is zero, not NaN
        painting = (double(F.avg_pool2d(x, 2)) + self.strokes(x, code, statistics))[..., :height, :width]
        return image + gate.view(-1, 1, 1, 1) * (painting - image)

    def strokes(self, x: Tensor, code: Tensor, statistics: Statistics | None) -> Tensor:
        seen = F.pixel_unshuffle(x, 4)  # (B, 48, H/4, W/4)
        top, left = torch.randint(GRAIN, (2,)).tolist() if self.training else (0, 0)
        rows, columns = (
            (torch.arange(side, device=x.device) + start) % GRAIN for side, start in zip(seen.shape[2:], (top, left), strict=True)
        )
        noise = self.grain[:, rows][:, :, columns].to(x.dtype).expand(len(x), -1, -1, -1)
        quarter = self.stem(torch.cat([seen, noise], dim=1), code, statistics)
        quarter = self.before(quarter, code, statistics)  # (B, C, H/4, W/4)
        h = self.down(quarter, code, statistics)  # (B, T, H/8, W/8)
        for block in self.blocks:
            h = block(h, code, statistics)
        h = quarter + double(self.up(h))
        for block in self.after:
            h = block(h, code, statistics)
        h = torch.cat([double(self.narrow(h)), F.pixel_unshuffle(x, 2)], dim=1)  # (B, C/2, H/2, W/2)
        h = F.pixel_shuffle(self.out(self.detail(h, code, statistics)), 2)  # (B, 3, H, W)
        h = F.pad(h, (1, 1, 1, 1), mode="replicate")
        return F.avg_pool2d(F.avg_pool2d(h, 2, stride=1), 2, stride=1)


def grain() -> Tensor:
    """Noise (4, `GRAIN`, `GRAIN`) of mean 0 and variance 1, whose borders meet: white, and smoothed more and more."""
    # numpy promises never to change these numbers, on which trained weights rely
    white = np.random.RandomState(0).standard_normal((len(SCALES), GRAIN, GRAIN))
    smooth = [
        sum(np.roll(one, (-y, -x), (0, 1)) for y in range(size) for x in range(size))
        for one, size in zip(white, SCALES, strict=True)
    ]
    return torch.from_numpy(np.stack([(one - one.mean()) / one.std() for one in smooth])).float()


def double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
