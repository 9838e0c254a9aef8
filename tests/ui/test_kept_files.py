"""What `python app.py` keeps of its visitors, and how long: a real process, asked over HTTP, ended in three ways."""

import os
import re
import signal
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx
import pytest

from styletransfer import ui
from tests.conftest import picture

APP = Path(ui.__file__).parents[2] / "app.py"


def start(package: Path, uploads: Path) -> tuple[subprocess.Popen, str]:
    environment = os.environ | {"GRADIO_TEMP_DIR": str(uploads)}
    command = [sys.executable, str(APP), "--package", str(package), "--host", "127.0.0.1", "--offline"]
    # a shell that runs the tests in the background has its children ignore Ctrl-C
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, preexec_fn=heed)
    return process, re.search(r"http\S+", process.stdout.readline())[0].rstrip("/")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_uploads_go_with_the_page(end, tiny_package, tmp_path):
    process, address = start(tiny_package, tmp_path)
    try:
        picture().save(tmp_path / "photo.png")
        photo = (tmp_path / "photo.png").read_bytes()
        (tmp_path / "photo.png").unlink()
        (path,) = httpx.post(f"{address}/gradio_api/upload", files={"files": ("photo.png", photo)}).json()
        (page,) = tmp_path.glob("*/")
        examples = {path.name for path in files(page) if path.name.startswith("photo-")}
        assert examples == {"photo-1.jpg"}
        assert Path(path).read_bytes() == photo and Path(path).is_relative_to(tmp_path)
        assert stat.S_IMODE(page.stat().st_mode) == 0o700
        process.send_signal(end)
        process.wait(60)
        assert bool(files(page)) == (end == signal.SIGKILL)
    finally:
        process.kill()
    if end == signal.SIGKILL:
        process, address = start(tiny_package, tmp_path)
        try:
            assert not page.exists()
        finally:
            process.terminate()
            process.wait(60)
    assert not [*tmp_path.iterdir()]
