"""The generator for enlargement: twice as large at each stage."""

import math

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

"""Parts that several networks use."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIN_SIZE = 16
START = 8  # pixels, at level 0 of a network that grows
FULL_WIDTH = 32  # pixels: each level above is half as wide


def pad_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Grow `image` (B, C, H, W), H and W at least 16, at the right and at the bottom until both divide by `multiple`.

    The new pixels are reflections, repeated where one is too short: 65 pixels can grow to 256.
    """
    if min(image.shape[-2:]) < MIN_SIZE:
        raise ValueError(f"image must be at least {MIN_SIZE} x {MIN_SIZE} pixels, got {image.shape[-2]} x {image.shape[-1]}")
    for dim in (-2, -1):
        size = image.shape[dim]
        if size % multiple:
            index = torch.arange(size + -size % multiple, device=image.device) % (2 * size - 2)
            image = image.index_select(dim, torch.minimum(index, 2 * size - 2 - index))
    return image


def init_gaussian(module: nn.Module) -> None:
    """Draw the weights in `module` from N(0, 0.02), norm scales from N(1, 0.02); biases are 0 (Isola et al. 2017, sec. 6.2)."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
        elif isinstance(layer, nn.InstanceNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, 0.02)
        if getattr(layer, "bias", None) is not None:
            nn.init.zeros_(layer.bias)


class EqualConv(nn.Conv2d):
    """Convolution whose weights are N(0, 1) and scaled by He's constant at run time (Karras et al. 2018, sec. 4.1)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, padding: int = 0, gain: float = math.sqrt(2)):
        super().__init__(in_channels, out_channels, kernel, padding=padding)
        self.scale = gain / math.sqrt(in_channels * kernel**2)
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


def level_widths(base_channels: int, image_size: int) -> list[int]:
    """Channels of each level, 8 px first."""
    if image_size < START or image_size & (image_size - 1):
        raise ValueError(f"image_size must be a power of two of at least {START}, got {image_size}")
    sizes = [START * 2**level for level in range(int(math.log2(image_size // START)) + 1)]
    return [max(base_channels * FULL_WIDTH // max(size, FULL_WIDTH), 1) for size in sizes]


def check_level(level: float, top: int) -> int:
    """The whole level that holds the resolution of `level`; a fraction means that it is being faded in."""
    if not 0 <= level <= top:
        raise ValueError(f"level must be from 0 to {top}, got {level}")
    return math.ceil(level)
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


def conv3x3(in_channels: int, out_channels: int) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, padding_mode="reflect")


def doubling(in_channels: int, out_channels: int) -> nn.Sequential:
    """A convolution to four channels for each of `out_channels`, which become the four pixels of one (Shi et al. 2016)."""
    conv = conv3x3(in_channels, 4 * out_channels)
    with torch.no_grad():
        # the four start alike, which leaves no checkerboard (Aitken et al. 2017, sec. 3.3)
        conv.weight.copy_(conv.weight[::4].repeat_interleave(4, dim=0))
        conv.bias.zero_()
    return nn.Sequential(conv, nn.PixelShuffle(2))


class ResidualBlock(nn.Module):
    """Two convolutions without normalisation, which would take the contrast of the image away (Lim et al. 2017, sec. 3.1)."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1, self.conv2 = conv3x3(channels, channels), conv3x3(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x), inplace=True))


class Stage(nn.Module):
    """Features at the resolution of the image that came in, and what they add to it at twice the resolution."""

    def __init__(self, stem: nn.Module, channels: int, num_blocks: int):
        super().__init__()
        self.stem = stem
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(num_blocks)))
        self.to_image = doubling(channels, 3)
        with torch.no_grad():
            self.to_image[0].weight.mul_(0.1)  # the result starts near the bicubic enlargement

    def forward(self, x: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.blocks(F.leaky_relu(self.stem(x), 0.2, inplace=True))
        # contiguous: bicubic interpolation takes twice as long where the channels come last, as convolutions like them
        return x, F.interpolate(image.contiguous(), scale_factor=2, mode="bicubic", align_corners=False) + self.to_image(x)


class UpscaleGenerator(Network):
    """Enlarges an image by a pyramid of residuals over bicubic enlargements (LapSRN, Lai et al. 2017, arXiv 1704.03915).

    All but the last steps work at lower resolutions than the result (Shi et al. 2016, arXiv 1609.05158). By default x4 takes
    232,000 multiplications for each pixel of the input, and x2, of which it is the first stage, 90,000.

    Args:
        base_channels: Width of the first stage; the others have two thirds of it.
        num_blocks: Residual blocks of the first stage; the others have one.
        scale: Enlargement: 2, 4 or 8, one stage for each doubling.

    Example:
        `large = UpscaleGenerator()(torch.rand(1, 3, 64, 64) * 2 - 1)  # (1, 3, 256, 256)`
    """

    size_multiple = 1

    @register_to_config
    def __init__(self, base_channels: int = 48, num_blocks: int = 2, scale: int = 4):
        super().__init__()
        if scale not in (2, 4, 8):
            raise ValueError(f"scale must be 2, 4 or 8, got {scale}")
        self.stages = nn.ModuleList([Stage(conv3x3(3, base_channels), base_channels, num_blocks)])
        channels, narrow = base_channels, 2 * base_channels // 3
        for _ in range(scale.bit_length() - 2):
            self.stages.append(Stage(doubling(channels, narrow), narrow, 1))
            channels = narrow

    @property
    def overlap(self) -> int:
        """How far a pixel of the input reaches, in such pixels: tiles that overlap by twice as much give the whole image."""
        # 2 for the first stage without its blocks; 1.5 for the second and half as much for each further one
        return math.ceil(2 * self.config.num_blocks + 5 - 6 / self.config.scale)

    def forward(self, image: Tensor, level: int | None = None, pyramid: bool = False) -> Tensor | list[Tensor]:
        """Enlarge `image` (B, 3, H, W) in [-1, 1], H and W at least 16. The result may leave [-1, 1] a little.

        `level` 1 computes the first stage alone and gives (B, 3, 2H, 2W), 2 the first two, None all of them. With `pyramid`, the
        results of all computed stages come as a list, the smallest first.
        """
        level = len(self.stages) if level is None else level
        if level not in range(1, len(self.stages) + 1):
            raise ValueError(f"level must be from 1 to {len(self.stages)}, got {level}")
        x = image = pad_to_multiple(image, self.size_multiple)  # pads nothing, refuses what is too small
        images = []
        for stage in self.stages[:level]:
            x, image = stage(x, image)
            images.append(image)
        return images if pyramid else image
