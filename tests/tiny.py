"""Every network with tiny arguments: a new one gets a row in NETWORKS, and all tests of models/test_contract.py run on it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from styletransfer.models.anime_generator import AnimeGenerator
from styletransfer.models.antialiased_resnet_generator import AntialiasedResnetGenerator
from styletransfer.models.backbone_discriminator import BackboneDiscriminator
from styletransfer.models.dcgan_discriminator import DCGANDiscriminator
from styletransfer.models.dcgan_generator import DCGANGenerator
from styletransfer.models.domain_discriminator import DomainDiscriminator
from styletransfer.models.domain_generator import DomainGenerator
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.patch_head import PatchHead
from styletransfer.models.pix2pix_generator import Pix2pixGenerator
from styletransfer.models.progressive_discriminator import ProgressiveDiscriminator
from styletransfer.models.progressive_generator import ProgressiveGenerator
from styletransfer.models.resnet_generator import ResnetGenerator
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.models.transformer_net import TransformerNet
from styletransfer.models.unet_generator import UNetGenerator
from styletransfer.models.upscale_generator import UpscaleGenerator


def image(height: int = 65, width: int = 70, batch: int = 2, seed: int = 0) -> Tensor:
    """Seeded noise (B, 3, H, W) in [-1, 1]."""
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def scene(height: int, width: int, seed: int = 0) -> Tensor:
    """A picture (1, 3, H, W) in [-1, 1] with structure from 64 pixels down to one, as a photo has."""
    random = torch.Generator().manual_seed(seed)
    picture = torch.zeros(1, 3, height, width)
    for octave in range(7):
        coarse = torch.randn(1, 3, height // 2**octave + 2, width // 2**octave + 2, generator=random) * 2**octave
        picture += torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")
    return (picture / picture.std() / 2).clamp(-1, 1)


def code(size: int = 8, batch: int = 2, seed: int = 0) -> Tensor:
    """Seeded style codes (B, size), each with unit root mean square."""
    drawn = torch.randn(batch, size, generator=torch.Generator().manual_seed(seed))
    return drawn / drawn.square().mean(dim=1, keepdim=True).sqrt()


@dataclass(frozen=True)
class Tiny:
    network: type
    arguments: dict
    inputs: Callable[[], tuple] = lambda: (image(),)
    wrong: Callable[[], tuple] = lambda: (image(8, 70),)  # inputs that must be refused ...
    refusal: str = "at least 16 x 16 pixels, got 8 x 70"  # ... with this in the message
    keeps_size: bool = True  # the output is an image of the size of the input

    def build(self) -> torch.nn.Module:
        torch.manual_seed(0)
        return self.network(**self.arguments)


STYLE = {"code_size": 8, "base_channels": 8, "trunk_channels": 8, "num_blocks": 1}
PATCH = {"base_channels": 4, "num_layers": 2}

NETWORKS = {
    "style_generator": Tiny(StyleGenerator, STYLE, lambda: (image(), code()), wrong=lambda: (image(8, 70), code())),
    "style_encoder": Tiny(StyleEncoder, {"code_size": 8, "base_channels": 4, "size": 32}, keeps_size=False),
    "resnet_generator": Tiny(ResnetGenerator, {"base_channels": 4, "num_blocks": 1}),
    "resnet_generator_transposed": Tiny(ResnetGenerator, {"base_channels": 4, "num_blocks": 1, "upsample": "transposed"}),
    "unet_generator": Tiny(UNetGenerator, {"base_channels": 4, "num_downs": 3}),
    "unet_generator_full_depth": Tiny(UNetGenerator, {"base_channels": 4}),
    "antialiased_resnet_generator": Tiny(AntialiasedResnetGenerator, {"base_channels": 4, "num_blocks": 1}),
    "pix2pix_generator": Tiny(Pix2pixGenerator, {"base_channels": 4, "num_downs": 3}),
    "pix2pix_generator_per_image": Tiny(Pix2pixGenerator, {"base_channels": 4, "num_downs": 3, "statistics": "image"}),
    "transformer_net": Tiny(TransformerNet, {"base_channels": 4, "num_blocks": 1}),
    "anime_generator": Tiny(AnimeGenerator, {"base_channels": 4}),
    "patch_discriminator": Tiny(
        PatchDiscriminator,
        PATCH,
        wrong=lambda: (image(), torch.tensor([0, 1])),
        refusal="takes nothing beside the image",
        keeps_size=False,
    ),
    "patch_discriminator_labels": Tiny(
        PatchDiscriminator,
        {**PATCH, "num_scales": 2, "num_labels": 3, "norm": "spectral"},
        lambda: (image(), torch.tensor([0, 2])),
        refusal="takes labels beside the image",
        keeps_size=False,
        wrong=lambda: (image(),),
    ),
    "patch_discriminator_codes": Tiny(
        PatchDiscriminator,
        {**PATCH, "code_size": 8, "norm": "none"},
        lambda: (image(), code()),
        wrong=lambda: (image(),),
        refusal="takes codes beside the image",
        keeps_size=False,
    ),
    "domain_generator": Tiny(
        DomainGenerator,
        {"num_domains": 3, "base_channels": 4, "num_blocks": 1},
        lambda: (image(), torch.tensor([0, 2])),
        wrong=lambda: (image(8, 70), torch.tensor([0, 2])),
    ),
    "domain_discriminator": Tiny(
        DomainDiscriminator,
        {"num_domains": 3, "base_channels": 4, "num_layers": 3},
        lambda: (image(), torch.tensor([True])),  # with classes
        keeps_size=False,
    ),
    "patch_head": Tiny(
        PatchHead,
        {"channels": [3, 8], "size": 8},
        lambda: (image()[:, :, 0].transpose(1, 2), code(80).view(2, 10, 8)),
        wrong=lambda: (image()[:, :, 0].transpose(1, 2),),
        refusal="samples of 2 layers, got 1",
        keeps_size=False,
    ),
    "dcgan_generator": Tiny(
        DCGANGenerator,
        {"z_size": 8, "base_channels": 4, "image_size": 32},
        lambda: (code(),),
        wrong=lambda: (code(9),),
        refusal=r"z must be \(B, 8\), got \(2, 9\)",
        keeps_size=False,
    ),
    "dcgan_discriminator": Tiny(
        DCGANDiscriminator,
        {"base_channels": 4, "image_size": 32},
        lambda: (image(32, 32),),
        refusal=r"image must be \(B, 3, 32, 32\), got \(2, 3, 8, 70\)",
        keeps_size=False,
    ),
    # one level: at several, the colours of the others rest; test_progressive.py has them
    "progressive_generator": Tiny(
        ProgressiveGenerator,
        {"z_size": 8, "base_channels": 8, "image_size": 8},
        lambda: (code(),),
        wrong=lambda: (code(9),),
        refusal=r"z must be \(B, 8\), got \(2, 9\)",
        keeps_size=False,
    ),
    "progressive_discriminator": Tiny(
        ProgressiveDiscriminator,
        {"base_channels": 8, "image_size": 8, "group": 1},
        lambda: (image(8, 8),),
        refusal=r"image at level 0 must be \(B, 3, 8, 8\), got \(2, 3, 8, 70\)",
        keeps_size=False,
    ),
    "upscale_generator": Tiny(UpscaleGenerator, {"base_channels": 12, "num_blocks": 1}, keeps_size=False),
    "backbone_discriminator_vgg16": Tiny(BackboneDiscriminator, {"backbone": "vgg16", "num_stages": 2}, keeps_size=False),
    "backbone_discriminator_resnet18": Tiny(BackboneDiscriminator, {"backbone": "resnet18", "num_stages": 3}, keeps_size=False),
}
