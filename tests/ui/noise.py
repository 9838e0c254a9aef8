"""A server over chosen packages, and a package that makes pictures from noise."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch


def write_noise_package(folder: Path) -> Path:
    """A package of random weights for pictures of 32 px."""
    from styletransfer.models.dcgan_generator import DCGANGenerator
    from styletransfer.pipelines.generation import GenerationPipeline

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = DCGANGenerator(z_size=8, base_channels=4, image_size=32)
        for _ in range(50):
            network(torch.randn(16, 8))  # batch norm learns its statistics, as in training
    GenerationPipeline(network.eval()).save_pretrained(folder)
    (folder / "README.md").write_text("---\ntitle: Noise\n---\n")
    return folder


@contextmanager
def serve(packages: Sequence[Path], uploads: Path) -> Iterator[str]:
    """The address of the demo over `packages`, which keeps its files in `uploads`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        from styletransfer import load_pipeline, ui
        from styletransfer.catalog import read_package

        demo = ui.build_app([read_package(package) for package in packages], ui.keep_loaded(load_pipeline))
        _, url, _ = demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **ui.LAUNCH_OPTIONS)
        yield url
        demo.close()
