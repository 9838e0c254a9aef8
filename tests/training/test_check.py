"""The data doctor on small folders in which everything is wrong that can be."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tests.training.conftest import save_picture
from training.__main__ import main
from training.check import examine, refuse
from training.check.domains import Domain, in_config, in_folders
from training.check.findings import look_alikes
from training.check.pictures import Picture, files, inspect, look
from training.data.folders import ImageFolder
from training.options import Data, Labelled, Pairs, Pictures, Unpaired


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Photos and paintings of two styles without a fault, 20 of each, 80 x 70 pixels."""
    for i in range(20):
        save_picture(tmp_path / "data" / "photos" / f"{i:02}.png", i)
        for style, seed in (("dots", 100), ("lines", 200)):
            save_picture(tmp_path / "data" / "paintings" / style / f"{style}{i:02}.png", seed + i)
    return tmp_path / "data"


def found(*folders: Path, crop: int | None = None) -> dict[str, list[set[str]]]:
    """The names in the groups of each kind of finding."""
    report = examine(in_folders(list(folders)), crop)
    return {f.kind: [{picture.path.name for _, picture in group} for group in f.groups] for f in report.findings}


def test_faultless_pictures_are_ready_and_get_a_command_that_the_trainer_understands(data, tmp_path, capsys):
    assert main(["check", str(data), "-o", str(tmp_path / "out" / "check.html")]) == 0
    report = json.loads((tmp_path / "out" / "check.json").read_text())
    assert report["ready"] and report["findings"] == []
    assert {name: domain["files"] for name, domain in report["domains"].items()} == {
        "photos": 20,
        "paintings/dots": 20,
        "paintings/lines": 20,
    }
    assert report["domains"]["photos"]["shorter_side"] == {"least": 70, "median": 70, "largest": 70}
    command = f"training painter --data.photos {data}/photos --data.paintings {data}/paintings --data.crop 64"
    assert command in report["suggestion"]["command"] and command in capsys.readouterr().out


def test_what_a_training_stops_at_is_refused(data):
    photos = data / "photos"
    (photos / "notes.txt").write_text("hello")
    (photos / "half.jpg").write_bytes(jpeg(photos / "00.png")[:2000])
    save_picture(photos / "tiny.png", 300, size=(80, 60))
    noise = np.random.default_rng(0).integers(0, 2**16, (70, 80), dtype=np.uint16)
    Image.fromarray(noise).save(photos / "deep.png")
    (data / "paintings" / "empty").mkdir()
    kinds = found(data, crop=64)
    assert kinds == {
        "empty": [],
        "unreadable": [{"half.jpg"}, {"notes.txt"}],
        "tiny": [{"tiny.png"}],
        "deep": [{"deep.png"}],
    }


def jpeg(path: Path) -> bytes:
    Image.open(path).save(path.with_suffix(".jpg"), quality=95)
    content = path.with_suffix(".jpg").read_bytes()
    path.with_suffix(".jpg").unlink()
    return content


def test_copies_and_versions_are_found_wherever_they_are(data):
    train, held = data / "train", data / "held"
    train.mkdir()
    for name in ("photos", "paintings"):
        (data / name).rename(train / name)
    save_picture(held / "photos" / "other.png", 400)
    photo = Image.open(train / "photos" / "03.png")
    photo.resize((120, 105)).save(held / "photos" / "leak.jpg", quality=50)
    ImageEnhance.Color(Image.open(train / "photos" / "04.png")).enhance(0.3).save(train / "paintings" / "dots" / "both.png")
    shutil.copy(train / "photos" / "05.png", train / "photos" / "copy.png")
    Image.open(train / "photos" / "06.png").crop((1, 1, 79, 69)).save(train / "photos" / "cropped.png")
    assert found(data) == {
        "leak": [{"03.png", "leak.jpg"}],
        "overlap": [{"04.png", "both.png"}],
        "copies": [{"05.png", "copy.png"}],
        "alike": [{"06.png", "cropped.png"}],
    }


def test_pictures_that_only_a_third_connects_are_one_group():
    looks = {"a": 0, "b": 2**120 - 1, "c": 2**60 - 1, "alone": 2**256 - 1}  # a and b are 120 bits apart, c is 60 from both
    entries = [(Domain("x", Path()), Picture(Path(name), 1, 1, look=f"{bits:064x}")) for name, bits in looks.items()]
    assert [[str(picture.path) for _, picture in group] for group in look_alikes(entries)] == [["a", "b", "c"]]


def test_flat_transparent_and_colourless_pictures_are_told(data):
    dots = data / "paintings" / "dots"
    Image.new("RGB", (80, 70), (200, 180, 10)).save(dots / "flat.png")
    save_picture(dots / "clear.png", 500)
    clear = Image.open(dots / "clear.png").convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(dots / "clear.png")
    save_picture(dots / "gray.png", 501)
    Image.open(dots / "gray.png").convert("L").save(dots / "gray.png")
    save_picture(dots / "opaque.png", 502)
    Image.open(dots / "opaque.png").convert("RGBA").save(dots / "opaque.png")
    assert found(data) == {"flat": [{"flat.png"}], "transparent": [{"clear.png"}], "gray": [{"gray.png"}]}


def test_few_pictures_are_told_but_not_of_what_is_held_out(data):
    shutil.copytree(data, data / "train")
    for number, path in enumerate(sorted((data / "train" / "photos").iterdir())):
        if number >= 5:
            path.unlink()
    save_picture(data / "held" / "photos" / "0.png", 400)
    assert found(data) == {"few": []}


def test_the_look_is_that_of_a_plain_loop():
    gray = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    n = np.arange(32) + 0.5
    waves = [
        (gray * np.outer(np.cos(np.pi / 32 * n * i), np.cos(np.pi / 32 * n * j))).sum() for i in range(16) for j in range(16)
    ]
    bits = "".join("1" if wave > np.median(waves[1:]) else "0" for wave in waves)
    assert look(gray) == f"{int(bits, 2):064x}"


def test_a_picture_on_its_side_is_measured_upright(tmp_path):
    save_picture(tmp_path / "a.jpg", 0, size=(80, 70))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(tmp_path / "a.jpg").save(tmp_path / "b.jpg", exif=exif)
    assert (inspect(tmp_path / "b.jpg").width, inspect(tmp_path / "b.jpg").height) == (70, 80)


@pytest.mark.parametrize(
    ("names", "preset"),
    [(["x"], "r3gan"), (["x", "y"], "cut"), (["x", "y", "z"], "stargan"), (["photos", "paintings/one"], "cut")],
)
def test_the_preset_follows_from_the_domains(tmp_path, names, preset):
    for domain, name in enumerate(names):
        for i in range(12):
            save_picture(tmp_path / name / f"{name[-1]}{i}.png", 100 * domain + i)
    assert examine(in_folders([tmp_path])).suggestion.preset == preset


def test_pairs_are_known_by_names_and_sizes_and_may_look_alike(tmp_path):
    for i in range(4):
        save_picture(tmp_path / "a" / f"{i}.png", i, size=(80 + i, 70))
        (tmp_path / "b").mkdir(exist_ok=True)
        Image.open(tmp_path / "a" / f"{i}.png").save(tmp_path / "b" / f"{i}.jpg")
    report = examine(in_folders([tmp_path / "a", tmp_path / "b"]))
    assert report.suggestion.preset == "pix2pix" and {finding.kind for finding in report.findings} == {"few"}


def test_one_picture_is_for_few(tmp_path):
    save_picture(tmp_path / "0.png", 0, size=(200, 150))
    suggestion = examine(in_folders([tmp_path])).suggestion
    assert suggestion.preset == "few" and suggestion.crop == 64 and "--pictures 1" in suggestion.command


def test_the_page_needs_nothing_beside_it_and_shows_names_as_they_are(data, tmp_path):
    shutil.copy(data / "photos" / "00.png", data / "photos" / "a <b>copy & more.png")
    (data / "photos" / "broken.jpg").write_bytes(b"no picture")
    assert main(["check", str(data), "-o", str(tmp_path / "check.html")]) == 1
    page = (tmp_path / "check.html").read_text()
    assert "a &lt;b&gt;copy &amp; more.png" in page and "<b>copy" not in page
    assert "broken.jpg" in page and "UnidentifiedImageError" in page
    assert page.count("data:image/jpeg;base64,") > 20
    assert not re.search(r"""(src|href)=["'](?!data:)|url\(|@import""", page)


def test_nothing_to_look_at_is_said_in_a_sentence(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == f"error: no folder at {tmp_path / 'none'}\n"
    assert main(["check", str(tmp_path)]) == 2
    assert "holds no pictures" in capsys.readouterr().err
    assert main(["check", str(tmp_path), str(tmp_path)]) == 2
    assert "the same folder is given twice" in capsys.readouterr().err


# --- before a training ---


def test_the_trainer_is_stopped_with_every_file_of_every_folder_at_once(data):
    (data / "photos" / "notes.txt").write_text("hello")
    save_picture(data / "paintings" / "lines" / "tiny.png", 300, size=(50, 40))
    with pytest.raises(ValueError, match=r"(?s)cannot be trained on.*notes\.txt: no readable picture.*tiny\.png: 50 x 40 pixels"):
        refuse(Data(photos=data / "photos", paintings=data / "paintings", crop=64))


def test_harm_is_a_warning_with_names(data):
    config = Data(photos=data / "photos", paintings=data / "paintings", crop=64)
    assert refuse(config) == []
    shutil.copy(data / "photos" / "00.png", data / "paintings" / "dots" / "same.png")
    (warning,) = refuse(config)
    assert "1 picture in two domains" in warning and "00.png" in warning and "same.png" in warning


def test_paintings_may_be_folders_a_folder_or_a_single_file(data):
    dots = data / "paintings" / "dots"
    for paintings, titles in (
        (data / "paintings", ["photos", "paintings/dots", "paintings/lines"]),
        (dots, ["photos", "paintings"]),
        (dots / "dots00.png", ["photos", "paintings"]),
    ):
        config = Data(photos=data / "photos", paintings=paintings, crop=64)
        assert [domain.title for domain in in_config(config)] == titles and refuse(config) == []
    (dots / "dots00.png").write_bytes(b"no picture")
    for paintings in (dots, dots / "dots00.png"):
        with pytest.raises(ValueError, match=r"dots00\.png: no readable picture"):
            refuse(Data(photos=data / "photos", paintings=paintings, crop=64))
    with pytest.raises(ValueError, match="paintings holds no pictures"):
        refuse(Data(photos=data / "photos", paintings=data / "nowhere", crop=64))


def test_a_painting_in_two_folders_is_a_copy_and_only_a_warning(data):
    shutil.copy(data / "paintings" / "dots" / "dots00.png", data / "paintings" / "lines" / "same.png")
    (warning,) = refuse(Data(photos=data / "photos", paintings=data / "paintings", crop=64))
    assert "1 copy of other files" in warning and "domain" not in warning
    assert "dots00.png" in warning and "same.png" in warning
    assert "overlap" not in found(data)


def test_photos_and_a_folder_of_paintings_are_for_the_painter(data):
    (data / "paintings" / "lines").rename(data / "elsewhere")
    for path in (data / "paintings" / "dots").iterdir():
        path.rename(data / "paintings" / path.name)
    (data / "paintings" / "dots").rmdir()
    shutil.rmtree(data / "elsewhere")
    suggestion = examine(in_folders([data])).suggestion
    assert suggestion.preset == "painter" and f"--data.paintings {data}/paintings --data.crop" in suggestion.command


def test_it_reads_the_same_files_as_the_training_and_refuses_the_same(data):
    photos = data / "photos"
    (photos / ".hidden").write_text("hello")
    save_picture(photos / "below" / "deeper.jpg", 600)
    assert files(photos) == ImageFolder(photos, 64).paths
    for name, content in {"a.txt": b"hello", "b.jpg": jpeg(photos / "00.png")[:2000], "c.png": b""}.items():
        (photos / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            ImageFolder(photos, 64)
        with pytest.raises(ValueError, match=name):
            refuse(Pictures(folder=photos, crop=64))
        (photos / name).unlink()


def test_known_pictures_are_not_looked_at_again_until_they_change(data, tmp_path, monkeypatch):
    looked = []
    monkeypatch.setattr("training.check.pictures.inspect", lambda path: looked.append(path.name) or inspect(path))
    config, cache = Pictures(folder=data / "photos", crop=64), tmp_path / "run" / "pictures.json"
    refuse(config, cache)
    assert len(looked) == 20
    refuse(config, cache)
    assert len(looked) == 20
    changed = data / "photos" / "03.png"
    save_picture(changed, 700, size=(40, 40))
    os.utime(changed, ns=(1, 1))
    for _ in range(2):  # a fault is remembered too
        with pytest.raises(ValueError, match=r"03\.png: 40 x 40"):
            refuse(config, cache)
    assert looked[20:] == ["03.png"]
    cache.write_text('[{"path": "of another version"}]')
    changed.unlink()
    assert refuse(config, cache) == [] and len(looked) == 21 + 19


def test_every_kind_of_data_options_names_its_folders(data):
    def titles(options):
        return [domain.title for domain in in_config(options)]

    assert titles(Data(photos=data / "photos", paintings=data / "paintings")) == ["photos", "paintings/dots", "paintings/lines"]
    assert titles(Labelled(folder=data / "paintings")) == ["folder/dots", "folder/lines"]
    assert titles(Unpaired(a=data / "photos", world="ink")) == ["a"]
    assert titles(Pairs(source=data / "photos", target=data / "photos")) == ["source", "target"]
    assert titles(Pictures()) == [] and refuse(Pictures()) == []  # it draws its own scenes
