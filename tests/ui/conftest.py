"""The demo over a painter and a model that makes pictures from noise, served once for all tests of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.noise import serve, write_noise_package

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported


@pytest.fixture(scope="session")
def noise_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_noise_package(tmp_path_factory.mktemp("packages") / "noise")


@pytest.fixture(scope="session")
def url(tiny_package: Path, noise_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve([tiny_package, noise_package], tmp_path_factory.mktemp("gradio")) as url:
        yield url
