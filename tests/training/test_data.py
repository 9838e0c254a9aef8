"""Folders of pictures: bad files are named before training; a sample depends on its position alone."""

import numpy as np
import pytest
import torch
from PIL import Image

from training.data.folders import ImageFolder, PhotosAndPaintings, random_crop


def test_every_bad_file_is_named(pictures):
    folder = pictures / "photos"
    (folder / "notes.txt").write_text("hello")
    (folder / "cut.png").write_bytes((folder / "0.png").read_bytes()[:200])
    Image.new("RGB", (20, 300)).save(folder / "thin.png")
    with pytest.raises(ValueError) as error:
        ImageFolder(folder, 64)
    message = str(error.value)
    for name in ("3 of 7 files", "notes.txt", "cut.png", "thin.png", "20 x 300"):
        assert name in message
    assert "0.png" not in message


def test_hidden_files_are_skipped(pictures):
    (pictures / "photos" / ".DS_Store").write_bytes(b"x")
    assert len(ImageFolder(pictures / "photos", 64)) == 4


@pytest.mark.parametrize("missing", ["photos", "paintings"])
def test_missing_folder(pictures, missing):
    folders = {"photos": pictures / "photos", "paintings": pictures / "paintings", missing: pictures / "nowhere"}
    with pytest.raises(ValueError, match="nowhere"):
        PhotosAndPaintings(folders["photos"], folders["paintings"], 64)


def test_samples_depend_on_position_and_seed_alone(pictures):
    def make(seed):
        return PhotosAndPaintings(pictures / "photos", pictures / "paintings", 64, seed)

    one, two, other = make(0), make(0), make(1)
    backwards = {i: two[i] for i in reversed(range(6))}
    for i in range(6):
        for name, value in one[i].items():
            assert torch.equal(value, backwards[i][name])
    assert not torch.equal(one[0]["photo"], one[1]["photo"])
    assert not torch.equal(one[0]["photo"], other[0]["photo"])
    assert {one[i]["label"].item() for i in range(20)} == {0, 1}


def test_crop_stays_inside_and_in_range():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8))
    for seed in range(20):
        crop = random_crop(image, 32, (0.3, 1.0), np.random.default_rng(seed))
        assert crop.shape == (32, 32, 3) and crop.dtype == np.uint8
