"""GAN style transfer: a photo in, a painting out.

Names are imported when first used: `import styletransfer` alone costs neither torch nor diffusers.
"""

from importlib import import_module

__version__ = "0.1.0"

HOMES = {
    "load_pipeline": "styletransfer.pipelines",
    "StyleTransferPipeline": "styletransfer.pipelines.style_transfer",
    "TranslationPipeline": "styletransfer.pipelines.translation",
    "GenerationPipeline": "styletransfer.pipelines.generation",
    "Style": "styletransfer.styles",
    "Palette": "styletransfer.color",
    "open_image": "styletransfer.images",
    "list_packages": "styletransfer.catalog",
    "StyleGenerator": "styletransfer.models.style_generator",
    "StyleEncoder": "styletransfer.models.style_encoder",
    "ResnetGenerator": "styletransfer.models.resnet_generator",
    "UNetGenerator": "styletransfer.models.unet_generator",
    "DomainGenerator": "styletransfer.models.domain_generator",
    "AntialiasedResnetGenerator": "styletransfer.models.antialiased_resnet_generator",
    "Pix2pixGenerator": "styletransfer.models.pix2pix_generator",
    "TransformerNet": "styletransfer.models.transformer_net",
    "AnimeGenerator": "styletransfer.models.anime_generator",
    "UpscaleGenerator": "styletransfer.models.upscale_generator",
    "BackboneDiscriminator": "styletransfer.models.backbone_discriminator",
    "PatchDiscriminator": "styletransfer.models.patch_discriminator",
    "DomainDiscriminator": "styletransfer.models.domain_discriminator",
    "PatchHead": "styletransfer.models.patch_head",
    "DCGANGenerator": "styletransfer.models.dcgan_generator",
    "DCGANDiscriminator": "styletransfer.models.dcgan_discriminator",
    "ProgressiveGenerator": "styletransfer.models.progressive_generator",
    "ProgressiveDiscriminator": "styletransfer.models.progressive_discriminator",
    "FeaturePyramid": "styletransfer.models.features",
}

__all__ = sorted(HOMES)


def __getattr__(name: str):
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *HOMES})
