"""The painter that comes along, as users get it: every style at every size, and none much louder than the others."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from styletransfer import StyleTransferPipeline, load_pipeline, open_image
from styletransfer.catalog import read_package
from styletransfer.ui.painting import PREVIEW

PACKAGE = Path(__file__).parents[1] / "model_cards" / "painter"
STYLES = list(read_package(PACKAGE).styles)
LEVELS = 4  # of 255

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pipe() -> StyleTransferPipeline:
    return load_pipeline(PACKAGE)


@cache
def photo(number: int, megapixels: float) -> Image.Image:
    """A sample photo of the package, at a size."""
    sample = open_image(PACKAGE / "samples" / f"photo-{number}.jpg").convert("RGB")
    scale = (megapixels * 1e6 / (sample.width * sample.height)) ** 0.5
    return sample.resize((round(scale * sample.width), round(scale * sample.height)), Image.Resampling.LANCZOS)


def preview_of(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.thumbnail((PREVIEW, PREVIEW), Image.Resampling.LANCZOS)
    return image


@pytest.mark.parametrize("megapixels", [1, 3])
@pytest.mark.parametrize("style", STYLES)
def test_the_download_is_the_preview(pipe, style, megapixels):
    check_agreement(pipe, style, megapixels)


def test_the_download_of_twelve_megapixels_is_the_preview(pipe):
    check_agreement(pipe, STYLES[0], 12)


def check_agreement(pipe, style: str, megapixels: float) -> None:
    image = photo(1, megapixels)
    preview = pipe(preview_of(image), style).images[0]
    shrunk = pipe(image, style).images[0].resize(preview.size, Image.Resampling.LANCZOS)
    off = np.abs(np.asarray(preview, dtype=float) - np.asarray(shrunk)).mean()
    assert off <= LEVELS, f"{style} at {megapixels} megapixels is {off:.1f} of 255 from its preview"


def test_strength_one_means_about_the_same_for_every_style(pipe):
    """The mean change of four photos, within a factor of 1.6 of that of the median style."""
    photos = [preview_of(photo(number, 0.3)) for number in (1, 2, 3, 4)]
    changes = {
        style: np.mean([np.abs(np.asarray(one, dtype=float) - np.asarray(pipe(one, style).images[0])).mean() for one in photos])
        for style in STYLES
    }
    median = np.median([*changes.values()])
    loud = {style: round(change / median, 2) for style, change in changes.items() if not 1 / 1.6 <= change / median <= 1.6}
    assert not loud, f"of the median style's change: {loud}"
