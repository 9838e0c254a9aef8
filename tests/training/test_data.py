"""Folders of pictures: bad files are named before training; a sample depends on its position alone."""

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.conftest import save_picture
from training.data.degrade import shrunk
from training.data.folders import ImageFolder, PhotosAndPaintings, detailed_crop, random_crop


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


def test_detailed_crops_are_pixels_of_the_image_or_shrunk_from_them():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8))
    pixels = np.asarray(image)
    places = [(y, x) for y in range(70 - 31) for x in range(90 - 31)]
    exact = 0
    for seed in range(20):
        crop = detailed_crop(image, 32, np.random.default_rng(seed))
        assert crop.shape == (32, 32, 3) and crop.dtype == np.uint8
        cuts = (pixels[y : y + 32, x : x + 32] for y, x in places)
        exact += any(np.array_equal(crop, cut) or np.array_equal(crop[:, ::-1], cut) for cut in cuts)
    assert 5 < exact < 15
    assert detailed_crop(image.crop((0, 0, 33, 33)), 32, np.random.default_rng(0)).shape == (32, 32, 3)  # no room to shrink


def test_a_folder_can_keep_every_pixel(tmp_path):
    save_picture(tmp_path / "large.png", 0, size=(200, 160))
    assert ImageFolder(tmp_path, 32).images[0].size == (80, 64)
    assert ImageFolder(tmp_path, 32, limit=3).images[0].size == (120, 96)
    assert ImageFolder(tmp_path, 32, limit=float("inf")).images[0].size == (200, 160)


def test_small_versions_vary_and_some_are_degraded():
    gray = np.full((64, 96, 3), 100, np.uint8)
    small = [shrunk(gray, 4, np.random.default_rng(seed)) for seed in range(200)]
    assert {picture.shape for picture in small} == {(16, 24, 3)} and {picture.dtype for picture in small} == {np.dtype("uint8")}
    noisy = [picture for picture in small if picture.std() > 0.3]
    assert 15 < len(noisy) < 50  # about 30
    assert max(picture.std() for picture in noisy) < 2.5 and max(abs(picture.mean() - 100) for picture in small) < 1
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert len({shrunk(noise, 4, np.random.default_rng(seed)).tobytes() for seed in range(30)}) >= 4
