"""A small world of pictures, and the painter preset at toy size on it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from styletransfer.models.features import FeaturePyramid
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.style_encoder import StyleEncoder
from styletransfer.models.style_generator import StyleGenerator
from training.engine.trainer import Preset
from training.options import Data, Features
from training.presets.painter import Painter, painter


def save_picture(path: Path, seed: int, size: tuple[int, int] = (80, 70)) -> None:
    """Smooth coloured noise, so that pictures differ and survive JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path)


@pytest.fixture(autouse=True)
def blank_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings leave an empty picture as their curves, whose drawing takes three times as long as a tiny training."""
    monkeypatch.setattr("training.engine.trainer.draw", lambda history, path: Image.new("RGB", (8, 8)).save(path))


def save_pictures(folder: Path) -> Path:
    """Four photos in photos/ and four paintings in two folders of paintings/."""
    for i in range(4):
        save_picture(folder / "photos" / f"{i}.png", i)
        save_picture(folder / "paintings" / ("dots" if i % 2 else "lines") / f"{i}.png", 10 + i)
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return save_pictures(tmp_path / "data")


@pytest.fixture
def config(pictures: Path, tmp_path: Path) -> Painter:
    return Painter(
        data=Data(photos=pictures / "photos", paintings=pictures / "paintings", crop=64),
        features=Features(weights="random"),
        out=tmp_path / "run",
        updates=4,
        batch=2,
        device="cpu",
        precision="no",
        tracker="none",
        log_every=1,
    )


def tiny_nets(preset: Preset) -> Preset:
    nets = {
        "stylizer": StyleGenerator(code_size=8, base_channels=16, trunk_channels=8, num_blocks=1),
        "encoder": StyleEncoder(code_size=8, base_channels=4, size=32),
        "discriminator": PatchDiscriminator(base_channels=4, num_layers=2, code_size=8, norm="none"),
        "features": FeaturePyramid(layers=(4, 7, 9, 12), weights="random"),
    }
    return dataclasses.replace(preset, nets=nets)


@pytest.fixture
def tiny_painter(config: Painter, monkeypatch: pytest.MonkeyPatch) -> Preset:
    import torch

    torch.manual_seed(0)
    with monkeypatch.context() as patched:  # the encoder makes room for a tiny one
        patched.setattr(StyleEncoder, "calibrate", lambda self, images: None)
        return tiny_nets(painter(config))
