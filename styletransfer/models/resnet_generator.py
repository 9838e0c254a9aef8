"""The residual generator of CycleGAN."""

from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import init_gaussian, pad_to_multiple
from styletransfer.models.network import Network


class ResnetBlock(nn.Module):
    """Two convolutions around which the input is added, without a ReLU after the sum (Johnson et al. 2016, supplement)."""

    def __init__(self, channels: int):
        super().__init__()
        activated, last = convolution(channels, channels, 3), convolution(channels, channels, 3)[:-1]
        self.layers = nn.Sequential(*activated, *last)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def convolution(in_channels: int, out_channels: int, kernel: int) -> list[nn.Module]:
    # instance norm removes the mean of every channel, so a bias before it would do nothing
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode="reflect", bias=False)
    return [conv, nn.InstanceNorm2d(out_channels), nn.ReLU(inplace=True)]


def downsampling(in_channels: int, out_channels: int) -> list[nn.Module]:
    # zero padding here alone, as published: trained checkpoints expect it
    conv = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)
    return [conv, nn.InstanceNorm2d(out_channels), nn.ReLU(inplace=True)]


def upsampling(in_channels: int, out_channels: int, upsample: str) -> list[nn.Module]:
    if upsample == "resize":
        return [nn.Upsample(scale_factor=2, mode="nearest"), *convolution(in_channels, out_channels, 3)]
    conv = nn.ConvTranspose2d(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1, bias=False)
    return [conv, nn.InstanceNorm2d(out_channels), nn.ReLU(inplace=True)]


class ResnetGenerator(Network):
    """Image-to-image generator with residual blocks (Johnson et al. 2016; Zhu et al. 2017, sec. 7.2, arXiv 1703.10593).

    Args:
        base_channels: Width of the first layer; doubled at each of two downsamplings.
        num_blocks: Residual blocks at a quarter of the resolution. Nine suit 256 px, six suit 128 px.
        upsample: "resize" enlarges to the nearest pixel and convolves, which leaves no checkerboard (Odena et al. 2016);
            "transposed" is the transposed convolution of published checkpoints.

    Example:
        `painting = ResnetGenerator()(torch.rand(1, 3, 256, 256) * 2 - 1)`
    """

    size_multiple = 4

    @register_to_config
    def __init__(self, base_channels: int = 64, num_blocks: int = 9, upsample: str = "resize"):
        super().__init__()
        if upsample not in ("resize", "transposed"):
            raise ValueError(f"upsample must be resize or transposed, got {upsample!r}")
        width = base_channels
        self.stem = nn.Sequential(*convolution(3, width, 7))
        self.down = nn.Sequential(*downsampling(width, 2 * width), *downsampling(2 * width, 4 * width))
        self.blocks = nn.Sequential(*(ResnetBlock(4 * width) for _ in range(num_blocks)))
        self.up = nn.Sequential(*upsampling(4 * width, 2 * width, upsample), *upsampling(2 * width, width, upsample))
        self.out = nn.Conv2d(width, 3, 7, padding=3, padding_mode="reflect")
        init_gaussian(self)

    @property
    def feature_channels(self) -> list[int]:
        """Widths of what `features` returns."""
        width = self.config.base_channels
        return [3, 2 * width, 4 * width] + [4 * width] * min(2, self.config.num_blocks)

    def forward(self, image: Tensor, features: bool = False) -> Tensor | list[Tensor]:
        """Translate `image` (B, 3, H, W) in [-1, 1], H and W at least 16.

        With `features`, return what CUT contrasts instead (Park et al. 2020, appendix C.1): the padded image, both downsampling
        convolutions before their norm, the first block and the middle one: widths `feature_channels`.
        """
        height, width = image.shape[-2:]
        x = pad_to_multiple(image, self.size_multiple)
        kept = [x]
        x = self.stem(x)  # (B, C, H, W)
        for layer in self.down:
            x = layer(x)  # (B, 2C, H/2, W/2), then (B, 4C, H/4, W/4)
            if isinstance(layer, nn.Conv2d):
                kept.append(x)
        middle = len(self.blocks) // 2
        for number, block in enumerate(self.blocks[: middle + 1] if features else self.blocks):
            x = block(x)
            if number in (0, middle):
                kept.append(x)
        return kept if features else self.out(self.up(x)).tanh()[..., :height, :width]
