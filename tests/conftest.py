"""Fixtures that several folders of tests share."""

import os
import shutil
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported: the workers share the cores

import numpy as np
import pytest
import torch
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
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


def tiny_styles(stylizer: torch.nn.Module) -> list:
    """The styles alpha (3 paintings and an adapter) and beta (1 painting) for a tiny generator."""
    from styletransfer.color import Palette
    from styletransfer.images import to_tensor
    from styletransfer.models.style_adapter import StyleAdapter
    from styletransfer.styles import Style

    random = torch.Generator().manual_seed(3)
    factors = StyleAdapter.of(stylizer, rank=2).factors()
    adapter = {name: (torch.randn(factor.shape, generator=random) / 4).half().float() for name, factor in factors.items()}
    palettes = [Palette.of(to_tensor(picture(seed=seed))) for seed in range(20, 24)]
    about = {"title": "The Bridge", "artist": "Nobody", "year": "1900"}
    alpha = Style(unit_codes(3, seed=1), "alpha", tuple(palettes[:3]), adapter, about)
    return [alpha, Style(unit_codes(1, seed=2), "beta", (palettes[3],))]


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of random weights with the styles of `tiny_styles`, without an enlarger. Copy it before you change it."""
    from styletransfer import StyleEncoder, StyleGenerator, StyleTransferPipeline

    folder = tmp_path_factory.mktemp("packages") / "tiny"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        stylizer = StyleGenerator(code_size=8, base_channels=8, trunk_channels=8, num_blocks=1)
        encoder = StyleEncoder(code_size=8, base_channels=4, size=32)
    StyleTransferPipeline(stylizer, encoder, styles=tiny_styles(stylizer)).save_pretrained(folder)
    (folder / "README.md").write_text(CARD)
    (folder / "samples").mkdir()
    for seed, name in enumerate(("alpha", "beta", "photo-1")):
        picture(seed=seed).save(folder / "samples" / f"{name}.jpg")
    return folder


@pytest.fixture
def tiny_pipe(tiny_package: Path):
    from styletransfer import load_pipeline

    return load_pipeline(tiny_package)


@pytest.fixture(scope="module")  # Playwright keeps an event loop running, which other tests must not meet
def browser():
    """Chromium. Every visitor is a context of its own in it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    if CHROMIUM is None:
        pytest.skip("the browser tests need chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET.split(), "--disable-sync"])
        yield browser
        browser.close()
