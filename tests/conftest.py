"""Fixtures that several folders of tests share."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

CARD = """---
title: Tiny
license: apache-2.0
pipeline_tag: image-to-image
---
# Tiny

Random weights, for tests.
"""


def picture(size: tuple[int, int] = (70, 65), seed: int = 0, mode: str = "RGB") -> Image.Image:
    """Seeded noise over a few large patches of colour, 70 x 65 pixels by default."""
    random = np.random.default_rng(seed)
    patches = Image.fromarray(random.integers(20, 236, (4, 4, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    noise = random.integers(-20, 20, (size[1], size[0], 3))
    return Image.fromarray((np.asarray(patches) + noise).clip(0, 255).astype(np.uint8)).convert(mode)


def unit_codes(count: int, seed: int, size: int = 8) -> torch.Tensor:
    """Seeded style codes (count, size), each with root mean square 1."""
    codes = torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
    return codes / codes.square().mean(dim=1, keepdim=True).sqrt()


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of random weights with the styles alpha (3 codes and palettes, adapted) and beta (1). Copy it before a change."""
    from styletransfer import StyleEncoder, StyleGenerator, StyleTransferPipeline
    from styletransfer.color import Palette
    from styletransfer.images import to_tensor
    from styletransfer.models.style_adapter import StyleAdapter
    from styletransfer.styles import Style

    folder = tmp_path_factory.mktemp("packages") / "tiny"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        stylizer = StyleGenerator(code_size=8, base_channels=8, trunk_channels=8, num_blocks=1)
        encoder = StyleEncoder(code_size=8, base_channels=4, size=32)
        adapter = StyleAdapter.of(stylizer, rank=2)
        for up in adapter.up.values():
            torch.nn.init.normal_(up, std=0.1)
    factors = {name: factor.detach() for name, factor in adapter.factors().items()}
    palettes = [Palette.of(to_tensor(picture(seed=seed))) for seed in range(4)]
    styles = [
        Style(unit_codes(3, seed=1), "alpha", tuple(palettes[:3]), factors),
        Style(unit_codes(1, seed=2), "beta", tuple(palettes[3:])),
    ]
    StyleTransferPipeline(stylizer, encoder, styles=styles).save_pretrained(folder)
    (folder / "README.md").write_text(CARD)
    (folder / "samples").mkdir()
    for seed, name in enumerate(("alpha", "beta", "photo-1")):
        picture(seed=seed).save(folder / "samples" / f"{name}.jpg")
    return folder


@pytest.fixture
def tiny_pipe(tiny_package: Path):
    from styletransfer import load_pipeline

    return load_pipeline(tiny_package)
