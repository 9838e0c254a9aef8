"""Every picture of a corpus is painted at its size or refused in one sentence; nothing hangs, and none stops the others."""

import re
import time
import warnings
from pathlib import Path

import pytest
from PIL import Image

from styletransfer.__main__ import main, named
from styletransfer.images import open_image
from tests.odd_pictures import FORMATS, damaged, whole

PATIENCE = 5  # seconds for one file, on a machine with other work


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    for name, content, *_ in (*whole(), *damaged()):
        assert content is not None, f"{name} was not written"
        (folder / name).write_bytes(content)
    return folder


def test_the_corpus_has_every_format_and_never_changes():
    names = [name for name, *_ in (*whole(), *damaged())]
    assert len(names) == len({*names}) > 600
    assert {Path(name).suffix[1:] for name in names} == FORMATS.keys()
    assert damaged() == damaged.__wrapped__()


def test_what_is_whole_is_read_at_its_size(corpus):
    for name, _, size in whole():
        image = open_image(corpus / name)
        assert image.size == size, name
        assert image.mode in ("RGB", "RGBA") and image.info.keys() <= {"icc_profile"}, name


def test_what_is_damaged_is_read_or_refused_in_one_sentence(corpus):
    refused = 0
    for name, _ in damaged():
        start = time.monotonic()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                image = open_image(corpus / name)
            except ValueError as error:
                sentence = str(error)
                assert re.match(rf"{re.escape(str(corpus / name))}(: | is ).{{10,200}}$", sentence), sentence
                refused += 1
            else:
                assert image.mode in ("RGB", "RGBA"), name
        assert not said, f"{name}: {said[0].message}"
        assert time.monotonic() - start < PATIENCE, name
    assert refused > len(damaged()) / 3


def test_a_folder_of_them_is_painted_as_far_as_it_can_be(corpus, tiny_package, tmp_path, monkeypatch, capsys, caplog):
    monkeypatch.setenv("STYLETRANSFER_PACKAGE", str(tiny_package))
    # a look at each kind: painting all of them takes a minute
    chosen = [path for number, path in enumerate(sorted(corpus.iterdir())) if number % 4 == 0 or "gigantic" in path.name]
    (tmp_path / "in").mkdir()
    for path in chosen:
        (tmp_path / "in" / path.name).hardlink_to(path)
    assert main([str(tmp_path / "in"), "-o", str(tmp_path / "out"), "-s", "beta", "--size", "64"]) == 1
    output, errors = capsys.readouterr()
    failed = {Path(line.removeprefix("failed: ").split(": ")[0].split(" is ")[0]).name for line in errors.splitlines()}
    assert errors.count("failed: ") == errors.count("\n") == len(failed), errors
    assert f"{len(chosen) - len(failed)} of {len(chosen)} photos painted" in output
    assert {"gigantic.png", "gigantic.tiff"} <= failed
    for path in chosen:
        target = tmp_path / "out" / named(Path(path.name))
        assert target.exists() != (path.name in failed), path.name
        if target.exists():
            with Image.open(target) as painting:
                painting.load()
                assert painting.size == open_image(path).size, path.name
