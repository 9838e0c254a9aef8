"""The pipeline of networks that turn one picture into another: CycleGAN, pix2pix, CUT, StarGAN, enlargement."""

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from styletransfer.images import at_least, mask_to_tensor, to_mask, to_pil, to_tensor
from styletransfer.memory import max_pixels
from styletransfer.models.anime_generator import AnimeGenerator
from styletransfer.models.antialiased_resnet_generator import AntialiasedResnetGenerator
from styletransfer.models.domain_generator import DomainGenerator
from styletransfer.models.pix2pix_generator import Pix2pixGenerator
from styletransfer.models.resnet_generator import ResnetGenerator
from styletransfer.models.transformer_net import TransformerNet
from styletransfer.models.unet_generator import UNetGenerator
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.pipelines.base import NetworkPipeline
from styletransfer.pipelines.painting import check_number
from styletransfer.pipelines.photo import MAX_STRENGTH, PhotoOutput, PhotoPipeline, Picture, Report, as_numbers
from styletransfer.tiling import enlarge

PER_PIXEL = 1000  # bytes, where a whole photo goes through a network: docs/measurements.md has TransformerNet


class TranslationPipeline(PhotoPipeline, NetworkPipeline):
    """Translate pictures by a network of one look, or of one for each of its domains.

    Args:
        translator: Network (B, 3, H, W) -> (B, 3, H, W) in [-1, 1], larger by the factor `scale` of its config if it has one;
            its forward takes a `label` as well if its config has `num_domains`.
        domains: Names of the domains in the order of the labels, or a mapping from them to the labels, as packages have it.

    Example:
        `load_pipeline("runs/mine/pipeline")(photo, strength=0.8).images[0].save("painting.png")`
    """

    component = "translator"
    networks = (
        ResnetGenerator,
        UNetGenerator,
        DomainGenerator,
        UpscaleGenerator,
        AntialiasedResnetGenerator,
        Pix2pixGenerator,
        TransformerNet,
        AnimeGenerator,
    )
    model_cpu_offload_seq = "translator"

    def __init__(self, translator: nn.Module, domains: Sequence[str] | Mapping[str, int] | None = None):
        super().__init__()
        names = [] if domains is None else domains
        if isinstance(domains, Mapping):
            if any(label not in domains.values() for label in range(len(domains))):
                raise ValueError(f"the labels of domains must be 0 to {len(domains) - 1}, got {domains!r}")
            names = [name for label in range(len(domains)) for name, given in domains.items() if given == label]
        if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names) or len({*names}) < len(names):
            raise ValueError(f"domains must be a list of different names, got {domains!r}")
        wanted = translator.config.get("num_domains", 0)
        if len(names) != wanted:
            raise ValueError(f"a {type(translator).__name__} of {wanted} domains needs as many names of them, got {domains!r}")
        self.register_modules(translator=translator)
        # a mapping: what is a list in a package, plain diffusers takes for a component
        self.register_to_config(domains={name: label for label, name in enumerate(names)})

    @property
    def styles(self) -> list[str]:
        """Names of the domains; none if the translator has only one look."""
        return sorted(self.config.domains, key=self.config.domains.get)

    @property
    def scale(self) -> int:
        return self.translator.config.get("scale", 1)

    @torch.no_grad()
    def __call__(
        self,
        image: Image.Image | Sequence[Image.Image],
        style: str | None = None,
        strength: float = 1.0,
        mask: Image.Image | Sequence[Image.Image] | None = None,
        output_type: str = "pil",
        return_dict: bool = True,
        progress: Report | None = None,
    ) -> PhotoOutput | tuple:
        """Translate one picture or several, of any sizes.

        Where the network enlarges, the picture itself is meant to be enlarged by interpolation.

        Args:
            image: A picture, in any mode of PIL, or a list of pictures.
            style: Name of the domain to translate into; left out where the network has one look.
            strength: 0 returns the picture, 1 its translation. The network knows no strength: between them the colours of the two
                are blended, and up to 1.5 their difference is exaggerated.
            mask: Picture of the size of the picture: white is translated, black stays as it is bit for bit, grey blends. One for
                all, or a list of one for each.
            output_type: "pil" for pictures, with the transparency of the original; "np" for arrays (H, W, 3) or "pt" for tensors
                (3, H, W) of their colours in [0, 1].
            return_dict: Whether to return a `PhotoOutput`, or else a tuple.
            progress: Called with the part that is done, 0 to 1. What it raises ends the work.
        """
        style = self.resolve(style, strength)

        def make(photo: Image.Image, where: Image.Image | None, report: Report | None) -> Picture:
            most = max_pixels(PER_PIXEL) if strength and self.scale == 1 else math.inf
            if photo.width * photo.height > most:
                sizes = f"{photo.width} x {photo.height} pixels, at most {most / 1e6:.1f} megapixels fit"
                raise ValueError(f"the picture is too large for this network and the memory that is free: {sizes}; shrink it")
            small = where and mask_to_tensor(to_mask(where, photo.size))  # refuses another size
            like = photo
            if self.scale > 1:
                like = photo.resize((photo.width * self.scale, photo.height * self.scale), Image.Resampling.BICUBIC)
            after = before = to_tensor(like)
            if strength and self.scale > 1:
                with self.precision():
                    after = to_tensor(enlarge(self.translator, photo, like.size, report))
            elif strength:
                after = self.translated(before.to(self._execution_device), style).cpu()
            after = torch.lerp(before, after, strength).clamp(-1, 1)
            if small is not None:
                after = torch.lerp(before, after, F.interpolate(small, after.shape[-2:], mode="nearest"))
            return to_pil(after, like) if output_type == "pil" else as_numbers(after, output_type)

        return self.each(image, mask, output_type, return_dict, progress, make)

    def resolve(self, style: str | None, strength: float = 1.0) -> str | None:
        """The style that is meant: the one that was named, or the only one."""
        check_number("strength", strength, MAX_STRENGTH)
        if style is not None and not isinstance(style, str):
            raise TypeError(f"a translator has styles of its own alone, which do not mix; style must be a name, got {style!r}")
        if style is None and len(self.styles) == 1:
            return self.styles[0]
        if style not in self.looks:
            choice = f"one of {', '.join(self.styles)}" if self.styles else "left out, as this network has one look"
            raise ValueError(f"style must be {choice}; got {style!r}")
        return style

    def translated(self, photo: Tensor, style: str | None) -> Tensor:
        """What the network makes of `photo` (1, 3, H, W), of its size, in [-1, 1]."""
        label = [] if style is None else [torch.tensor([self.config.domains[style]], device=photo.device)]
        with self.precision():
            return self.translator(at_least(photo), *label)[..., : photo.shape[-2], : photo.shape[-1]].float().clamp(-1, 1)

    def on_tensors(self, photo: Tensor, style: str | None = None, strength: float = 1.0) -> Tensor:
        """The translation of `photo` (1, 3, H, W) in [-1, 1] by a network that keeps its size, with gradients."""
        return torch.lerp(photo, self.translated(photo, self.resolve(style, strength)), strength)
