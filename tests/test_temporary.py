"""What visitors send and get goes after an hour, whatever happens to the process."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from styletransfer.catalog import REPOSITORY
from styletransfer.temporary import AGE, INTERVAL, PageFolder


def put(folder: PageFolder, name: str, size: int = 10) -> Path:
    path = folder.uploads / "some-hash" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_files_go_within_an_hour_and_not_before(tmp_path):
    folder = PageFolder.make(tmp_path)
    photo, old = put(folder, "photo.jpg"), put(folder, "copy.jpg")
    os.utime(old, (0, 0))  # a copy has the time of its source, and was written now
    folder.sweep(time.time() + AGE - 2 * INTERVAL)
    assert photo.exists() and old.exists() and folder.size == 20
    folder.sweep(time.time() + AGE)
    assert not photo.exists() and not old.exists() and folder.size == 0 and folder.uploads.is_dir()
    folder.sweep(time.time() + 3 * AGE)
    assert not photo.parent.exists()


def test_a_sweep_meets_links_folders_and_pipes(tmp_path):
    folder = PageFolder.make(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "too.txt").write_text("mine")
    (folder.uploads / "link.txt").symlink_to(tmp_path / "mine.txt")
    (folder.uploads / "link").symlink_to(tmp_path / "mine")
    (folder.uploads / "deep" / "deeper").mkdir(parents=True)
    os.mkfifo(folder.uploads / "pipe")
    folder.sweep(time.time() + 2 * AGE)
    assert (tmp_path / "mine.txt").read_text() == (tmp_path / "mine" / "too.txt").read_text() == "mine"
    assert not (folder.uploads / "pipe").exists()


def test_what_a_killed_process_left_goes_at_the_next_start(tmp_path):
    code = f"import os; from styletransfer.temporary import PageFolder; folder = PageFolder.make({str(tmp_path)!r})"
    code += "; (folder.uploads / 'photo.jpg').touch(); (folder.others / 'weights').touch(); os.kill(os.getpid(), 9)"
    alive = PageFolder.make(tmp_path)
    photo = put(alive, "photo.jpg")
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False)
    assert len([*tmp_path.glob("*/")]) == 2
    with PageFolder.make(tmp_path) as later:
        assert {*tmp_path.glob("*/")} == {alive.path, later.path} and photo.exists()
        later.sweep(time.time() + 2 * AGE)
        assert photo.exists()  # of a process that lives, which looks after it itself
    with alive:
        pass
    assert not [*tmp_path.iterdir()]


def test_inside_all_temporary_files_lie_in_it(tmp_path, monkeypatch):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    before = tempfile.gettempdir()
    with PageFolder.make(tmp_path) as folder:
        assert Path(tempfile.gettempdir()).parent == Path(os.environ["GRADIO_TEMP_DIR"]).parent == folder.path
    assert tempfile.gettempdir() == before and "GRADIO_TEMP_DIR" not in os.environ


def test_examples_of_the_page_stay(tmp_path):
    folder = PageFolder.make(tmp_path)
    example = put(folder, "example.jpg")
    folder.keep()
    photo = put(folder, "photo.jpg")
    folder.sweep(time.time() + 2 * AGE)
    assert example.exists() and not photo.exists()


def test_it_sweeps_on_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("styletransfer.temporary.INTERVAL", 0.02)
    monkeypatch.setattr("styletransfer.temporary.AGE", 0.1)
    with PageFolder.make(tmp_path) as folder:
        photo, end = put(folder, "photo.jpg"), time.monotonic() + 20
        while photo.exists() and time.monotonic() < end:
            time.sleep(0.02)
        assert not photo.exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners of files")
def test_nobody_else_reads_it(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = PageFolder.make()
    for path in (folder.path.parent, folder.path, folder.uploads, folder.others):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        PageFolder.make(tmp_path / "link")
