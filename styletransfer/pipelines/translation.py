"""The pipeline of networks that turn one picture into another: CycleGAN, pix2pix, CUT, StarGAN, enlargement."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from diffusers.pipelines.pipeline_utils import ImagePipelineOutput
from PIL import Image
from torch import Tensor, nn

from styletransfer.images import at_least, to_pil, to_tensor, upright
from styletransfer.models.anime_generator import AnimeGenerator
from styletransfer.models.cut_generator import CutGenerator
from styletransfer.models.domain_generator import DomainGenerator
from styletransfer.models.pix2pix_generator import Pix2pixGenerator
from styletransfer.models.resnet_generator import ResnetGenerator
from styletransfer.models.transformer_net import TransformerNet
from styletransfer.models.unet_generator import UNetGenerator
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.pipelines.base import NetworkPipeline
from styletransfer.pipelines.style_transfer import OUTPUT_TYPES, check_number, list_of_pictures


class TranslationPipeline(NetworkPipeline):
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
        CutGenerator,
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
    def domains(self) -> list[str]:
        """Names of the domains; none if the translator has only one look."""
        return sorted(self.config.domains, key=self.config.domains.get)

    @torch.no_grad()
    def __call__(
        self,
        image: Image.Image | Sequence[Image.Image],
        domain: str | None = None,
        strength: float = 1.0,
        output_type: str = "pil",
        return_dict: bool = True,
    ) -> ImagePipelineOutput | tuple:
        """Translate one picture or several, of any sizes.

        Args:
            image: A picture, in any mode of PIL, or a list of pictures.
            domain: Name of the domain to translate into, where there are several.
            strength: 0 returns the picture, 1 its translation, anything between fades from one to the other.
            output_type: "pil" for pictures, with the transparency of the original; "np" for arrays (H, W, 3) or "pt" for tensors
                (3, H, W) of their colours in [0, 1].
            return_dict: Whether to return an `ImagePipelineOutput`, or else a tuple.
        """
        pictures = [image] if isinstance(image, Image.Image) else list_of_pictures(image, "image")
        check_number("strength", strength, 1)
        if self.scale > 1 and strength != 1:
            raise ValueError(f"the result is {self.scale} times as large as the picture, so strength must be 1, got {strength}")
        if output_type not in OUTPUT_TYPES:
            raise ValueError(f"output_type must be one of {', '.join(OUTPUT_TYPES)}, got {output_type!r}")
        if domain not in (self.domains or [None]):
            choice = f"one of {', '.join(self.domains)}" if self.domains else "left out, as this network has one look"
            raise ValueError(f"domain must be {choice}; got {domain!r}")
        images = [self.translate(picture, domain, strength, output_type) for picture in pictures]
        self.maybe_free_model_hooks()
        return ImagePipelineOutput(images=images) if return_dict else (images,)

    @property
    def scale(self) -> int:
        return self.translator.config.get("scale", 1)

    def translate(self, picture, domain, strength, output_type) -> Image.Image | np.ndarray | Tensor:
        """One picture from PIL to its translation in the wanted form."""
        picture = upright(picture)
        before = to_tensor(picture).to(self._execution_device)
        after = before
        if strength:
            label = [torch.tensor([self.domains.index(domain)], device=before.device)] if domain is not None else []
            height, width = (self.scale * side for side in before.shape[-2:])
            with self.precision():
                after = self.translator(at_least(before), *label)[..., :height, :width].float().clamp(-1, 1)
        if 0 < strength < 1:
            after = torch.lerp(before, after, strength)
        if output_type == "pil":
            size = (picture.width * self.scale, picture.height * self.scale)
            return to_pil(after, like=picture if picture.size == size else picture.resize(size))
        after = after[0].add(1).div(2).clamp(0, 1).cpu()
        return after if output_type == "pt" else after.permute(1, 2, 0).numpy()
