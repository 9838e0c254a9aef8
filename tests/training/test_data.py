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
    assert {one[i]["label"].item() for i in range(30)} == {0, 1, 2, 3}  # a painting each


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


# --- photos and paintings ---


@pytest.fixture
def many(tmp_path):
    """21 photos, 12 paintings in one folder and 2 in another, each of one colour of its own."""
    for kind, count in (("photos", 21), ("paintings/dots", 12), ("paintings/lines", 2)):
        (tmp_path / kind).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (80, 70), colour(kind, number)).save(tmp_path / kind / f"{number:02}.png")
    return tmp_path


def colour(kind: str, number: int) -> tuple[int, int, int]:
    return 10 * number, 80 * ("photos", "paintings/dots", "paintings/lines").index(kind), 50


def seen(data: PhotosAndPaintings, name: str, count: int = 120) -> set[tuple[int, ...]]:
    """Colours of the pictures that samples are cropped from."""
    pixels = (data[position][name][:, 0, 0] for position in range(count))
    return {tuple(round(float(value + 1) * 127.5) for value in pixel) for pixel in pixels}


def test_parts_share_no_file(many):
    train, held = (PhotosAndPaintings(many / "photos", many / "paintings", 64, part=part) for part in ("train", "held"))
    assert len(train.photos.images) == 19 and len(held.photos.images) == 2
    photos = {colour("photos", number) for number in range(21)}
    assert seen(train, "photo", 300) == photos - {colour("photos", 9), colour("photos", 19)}
    assert seen(held, "photo") == {colour("photos", 9), colour("photos", 19)}
    few = {colour("paintings/lines", number) for number in range(2)}  # too few to be parted
    assert seen(held, "painting") == few | {colour("paintings/dots", 9)}
    assert colour("paintings/dots", 9) not in seen(train, "painting", 300)


def test_folders_are_drawn_evenly_and_labels_are_paintings(many):
    data = PhotosAndPaintings(many / "photos", many / "paintings", 64)
    assert len(data.paintings) == 13
    labels = [int(data[position]["label"]) for position in range(200)]
    assert set(labels) == set(range(13))
    assert 70 < sum(label >= 11 for label in labels) < 130  # two paintings as often as eleven
    for position in range(20):
        wanted = data.paintings[labels[position]].getpixel((0, 0))
        got = (data[position]["painting"][:, 0, 0] + 1) * 127.5
        assert [round(float(value)) for value in got] == list(wanted)


def test_half_of_the_samples_are_replayed(many):
    data = PhotosAndPaintings(many / "photos", many / "paintings" / "lines", 64, replay=many / "paintings" / "dots")
    labels = [int(data[position]["label"]) for position in range(60)]
    assert all((label >= 2) == bool(position % 2) for position, label in enumerate(labels))
    without = PhotosAndPaintings(many / "photos", many / "paintings" / "lines", 64)
    assert torch.equal(data[4]["painting"], without[4]["painting"])


def test_paintings_that_are_not_parted(many):
    parts = [PhotosAndPaintings(many / "photos", many / "paintings", 64, part=p, parted=False) for p in ("train", "held")]
    assert [len(data.paintings) for data in parts] == [14, 14]
    assert not seen(parts[0], "photo") & seen(parts[1], "photo")


def test_a_single_painting_and_drawn_scenes(many):
    data = PhotosAndPaintings(None, many / "paintings" / "lines" / "00.png", 64)
    assert len(data.paintings) == 1 and {int(data[i]["label"]) for i in range(5)} == {0}
    held = PhotosAndPaintings(None, many / "paintings" / "lines" / "00.png", 64, part="held")
    assert not torch.equal(data[0]["photo"], held[0]["photo"])
    assert data[0]["photo"].shape == (3, 64, 64)


def chroma(colour: torch.Tensor) -> torch.Tensor:
    return colour - colour.mean()


def test_the_recoloured_photo_has_the_colours_of_the_painting(pictures):
    """As far as the tone that is practised lets it; the photo itself stays as it is."""
    data = PhotosAndPaintings(pictures / "photos", pictures / "paintings", 64)
    for position in range(8):
        sample = data[position]
        photo, recolored = sample["photo"], sample["recolored"]
        assert not torch.equal(photo, recolored) and recolored.abs().max() <= 1 + 1e-5
        _, target = [pair for group in data.groups for pair in map(group.__getitem__, range(2))][sample["label"]]
        before, after = ((chroma(picture.mean(dim=(1, 2))) - chroma(target.mean)).norm() for picture in (photo, recolored))
        assert after < before or before < 0.1
