"""The split: every picture in one folder, the same for the same seed, style by author."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.split import main

STYLES = {"monet": {"folder": "impressionism", "author": "monet"}, "ink": {"folder": "ink_wash", "author": ".*"}}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Fifteen photos, ten Monets and two Renoirs, 40 ink paintings without an author; and the styles in styles.json."""
    files = [(f"photos/{i}.png", "") for i in range(15)]
    files += [(f"paintings/impressionism/{i}.png", "Auguste Renoir" if i < 2 else "MONET, Claude") for i in range(12)]
    files += [(f"paintings/ink_wash/{i}.png", "") for i in range(40)]
    for seed, (file, _) in enumerate(files):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)  # no two look alike
        Image.fromarray(noise).save(tmp_path / file)
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "author"), *files])
    (tmp_path / "styles.json").write_text(json.dumps(STYLES))
    return tmp_path


def run(world: Path, out: str, *options: str) -> dict[str, set[str]]:
    """Names of the pictures by folder, after the command has run."""
    common = ["--manifest", str(world / "manifest.csv"), "--styles", str(world / "styles.json"), "--photos-held-out", "5"]
    assert main([*common, "--out", str(world / out), *options]) == 0
    found: dict[str, set[str]] = {}
    for path in (world / out).rglob("*.png"):
        found.setdefault(path.parent.relative_to(world / out).as_posix(), set()).add(path.name)
    return found


def test_every_picture_is_in_one_folder(world):
    found = run(world, "out")
    assert {folder: len(names) for folder, names in found.items()} == {
        "train/photos": 10,
        "held/photos": 5,
        "train/paintings/monet": 4,  # at least six are held out
        "held/paintings/monet": 6,
        "train/paintings/ink": 32,
        "held/paintings/ink": 8,
    }
    for name in ("photos", "paintings/monet", "paintings/ink"):
        assert not found[f"train/{name}"] & found[f"held/{name}"]
    assert found["train/paintings/monet"] | found["held/paintings/monet"] == {f"{i}.png" for i in range(2, 12)}


def test_seed_decides(world):
    first = run(world, "first")
    assert run(world, "again") == first
    assert run(world, "other", "--seed", "1") != first


def test_links_and_copies_show_the_same_pictures(world):
    run(world, "links")
    run(world, "copies", "--copy")
    links, copies = (sorted((world / out).rglob("*.png")) for out in ("links", "copies"))
    assert all(path.is_symlink() for path in links) and not any(path.is_symlink() for path in copies)
    assert [path.read_bytes() for path in links] == [path.read_bytes() for path in copies]


@pytest.mark.parametrize(
    ("styles", "message"),
    [
        (STYLES | {"light": {"folder": "impressionism", "author": "claude"}}, "belongs to both 'monet' and 'light'"),
        (STYLES | {"renoir": {"folder": "impressionism", "author": "renoir"}}, "6 of the 2 pictures of paintings/renoir"),
    ],
)
def test_bad_styles_are_refused(world, capsys, styles, message):
    (world / "styles.json").write_text(json.dumps(styles))
    arguments = ["--manifest", str(world / "manifest.csv"), "--styles", str(world / "styles.json"), "--out", str(world / "out")]
    assert main([*arguments, "--photos-held-out", "5"]) == 2
    assert message in capsys.readouterr().err
    assert not (world / "out").exists()


def test_missing_files_and_full_folders_are_refused(world, capsys):
    arguments = ["--manifest", str(world / "manifest.csv"), "--styles", str(world / "styles.json"), "--photos-held-out", "5"]
    (world / "photos" / "3.png").unlink()
    assert main([*arguments, "--out", str(world / "out")]) == 2
    assert "1 files of the manifest are missing" in capsys.readouterr().err
    assert main([*arguments, "--out", str(world / "photos")]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_another_version_of_a_training_picture_is_not_held_out(world):
    before = run(world, "before")
    trained, held = (min(before[f"{part}/photos"]) for part in ("train", "held"))
    with Image.open(world / "photos" / trained) as picture:
        picture.point(lambda value: value * 0.8).save(world / "photos" / held)  # another exposure
    after = run(world, "after")
    assert after["train/photos"] == before["train/photos"]
    assert after["held/photos"] == before["held/photos"] - {held}
