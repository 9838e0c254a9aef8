"""The folder of a Space is all that its demo needs."""

import ast
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from gradio_client import Client, handle_file
from PIL import Image

from styletransfer.catalog import read_package
from styletransfer.space import main
from tests.conftest import picture
from tests.hub.conftest import hub  # noqa: F401 as a fixture

# app.py as a Space runs it, in its own folder and where nothing is installed that it does not ask for
BOOT = """
import runpy, sys
sys.modules.update(dict.fromkeys({absent!r}))
sys.argv = ["app.py", "--offline"]
runpy.run_path("app.py", run_name="__main__")
"""
ABSENT = ["accelerate", "torchvision", "cv2", "tyro", "tensorboard", "transformers", "onnx", "onnxruntime", "optuna"]
# what ZeroGPU offers, as far as it can be had anywhere: it notes what was decorated, and what was painted by that
SPACES = """
import sys
assert "torch" not in sys.modules, "spaces has to be imported first"
def gradio_auto_wrap(function):  # Gradio asks for it
    return function
def GPU(duration):
    def decorate(function):
        def lent(*arguments):
            print("lent for", duration, "s", file=sys.stderr, flush=True)
            sys.modules["torch"].nn.Module.to = lambda self, *where, **how: self  # there is no GPU here
            return function(*arguments)
        return lent
    return decorate
"""
START = 15  # seconds that may pass until the page can be used, on two cores with nothing else to do
SLOW = 8  # times slower a machine may be that runs other tests at once


def front_matter(folder: Path) -> dict:
    return yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])


@pytest.fixture(scope="module")
def space(tiny_package, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("spaces") / "space"
    assert main(["user/space", "--package", str(tiny_package), "-o", str(folder)]) == 0
    return folder


@contextmanager
def booted(folder: Path, scratch: Path, **environment: str) -> Iterator[tuple[str, int]]:
    """Address and process id of the app in `folder`, which inherits none of our settings; what it says goes to scratch/stderr."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HF_", "GRADIO_", "SPACES_"))}
    kept |= {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_TEMP_DIR": str(scratch / "gradio"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", BOOT.format(absent=ABSENT)]
    heard, pipe = scratch / "stderr", subprocess.PIPE
    with (
        heard.open("w") as errors,
        subprocess.Popen(command, cwd=folder, env=kept | environment, stdout=pipe, stderr=errors, text=True) as process,
    ):
        try:
            line = process.stdout.readline()
            assert line, heard.read_text()
            yield re.fullmatch(r"Style Transfer is at (http://127\.0\.0\.1:\d+)/?\n", line)[1], process.pid
        finally:
            process.terminate()


def paint(address: str, scratch: Path, style: str = "beta") -> None:
    picture().save(scratch / "photo.png")
    client = Client(address, verbose=False, analytics_enabled=False)
    painted = client.predict(handle_file(scratch / "photo.png"), style=style, api_name="/stylise")
    with Image.open(painted) as painting:
        assert painting.size == picture().size


@pytest.mark.slow
def test_with_the_bundled_packages_it_is_up_in_seconds_and_paints(tmp_path):
    """Of the processor's time, which other work on the machine does not change much; of the clock's, only that it is sane."""
    assert main(["user/space", "-o", str(tmp_path / "space")]) == 0  # with the package that comes along
    start = time.monotonic()
    with booted(tmp_path / "space", tmp_path) as (address, process):
        with urllib.request.urlopen(address) as page:
            assert page.status == 200 and b"Style Transfer" in page.read()
        assert time.monotonic() - start < START * SLOW
        stat = Path(f"/proc/{process}/stat")
        if stat.exists():
            user, system = stat.read_text().rpartition(")")[2].split()[11:13]
            assert (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") < START
        paint(address, tmp_path, "starry-night")
    assert "error" not in (tmp_path / "stderr").read_text()


@pytest.mark.slow
def test_on_zero_gpu_paintings_are_made_on_a_lent_gpu(space, tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "spaces.py").write_text(SPACES)
    with booted(space, tmp_path, SPACES_ZERO_GPU="true", PYTHONPATH=str(tmp_path / "modules")) as (address, _):
        paint(address, tmp_path)
    heard = (tmp_path / "stderr").read_text()
    assert "lent for 20 s" in heard and "error" not in heard


def test_its_card(space, tiny_package):
    card = front_matter(space)
    pins = dict(line.split("==") for line in (space / "requirements.txt").read_text().splitlines())
    assert card["sdk"] == "gradio" and card["sdk_version"] == pins["gradio"] and card["app_file"] == "app.py"
    assert "models" not in card and "preload_from_hub" not in card and card["suggested_hardware"] == "cpu-basic"
    assert card["python_version"] == "3.12" and isinstance(card["python_version"], str)
    assert card["title"] == "Style Transfer: Tiny" and card["license"] == "apache-2.0" and len(card["short_description"]) <= 60
    text = (space / "README.md").read_text()
    assert "in the styles of The Bridge, beta" in text and "{" not in text.replace("{}", "") and str(tiny_package) not in text


def test_its_requirements_are_what_its_code_imports(space):
    pins = dict(line.split("==") for line in (space / "requirements.txt").read_text().splitlines())
    assert all(re.fullmatch(r"[\d.]+", version) for version in pins.values())
    files = {path.relative_to(space).as_posix(): path for path in space.rglob("*.py")}
    assert "app.py" in files and not any(name.startswith(("training", "tests")) for name in files)
    for name in ("features", "backbone_discriminator"):  # of the training alone: torchvision stays out
        files.pop(f"styletransfer/models/{name}.py")
    imported = set()
    for path in files.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    distributions = packages_distributions()
    imported -= {"styletransfer", "spaces"}  # ZeroGPU brings the second
    wanted = {distributions[name][0].lower() for name in imported - sys.stdlib_module_names}
    brought = {re.match(r"[\w.-]+", line)[0].lower() for name in pins for line in requires(name) or [] if "extra ==" not in line}
    assert pins.keys() <= wanted <= pins.keys() | brought


def test_it_holds_the_package_and_nothing_of_this_machine(space, tiny_package):
    copied = space / "model_cards" / "tiny"
    assert read_package(copied).samples  # with the example photos
    for path in tiny_package.rglob("*"):
        if path.is_file():
            assert (copied / path.relative_to(tiny_package)).read_bytes() == path.read_bytes()
    assert not [path for path in space.rglob("*") if path.name == "__pycache__" or path.name.startswith(".")]


@pytest.mark.slow
def test_upload_of_a_package_from_the_hub(hub, tiny_package, tmp_path, monkeypatch, capsys):  # noqa: F811
    hub.connect(monkeypatch, tmp_path / "hf", logged_in=True)
    hub.add_repo("user/painter", tiny_package)
    assert main(["user/demo", "-p", "user/painter", "-o", str(tmp_path / "space"), "--upload", "--private"]) == 0
    repo = hub.repos["space", "user/demo"]
    assert repo.private
    files = {
        path.relative_to(tmp_path / "space").as_posix(): path.read_bytes()
        for path in (tmp_path / "space").rglob("*")
        if path.is_file()
    }
    assert repo.files() == files and "app.py" in files
    assert not [path for path in files if path.startswith("model_cards")]  # the Hub has them
    card = front_matter(tmp_path / "space")
    assert card["models"] == card["preload_from_hub"] == ["user/painter"] and card["title"] == "Style Transfer: Tiny"
    assert f"{hub.url}/spaces/user/demo" in capsys.readouterr().out
    # app.py --offline: nothing but what the Hub put into the cache, as main() did above
    with booted(tmp_path / "space", tmp_path, **hub.environment(tmp_path / "hf")) as (address, _):
        paint(address, tmp_path)
    assert "error" not in (tmp_path / "stderr").read_text()


def test_upload_without_a_login_is_a_sentence(hub, tiny_package, tmp_path, capsys):  # noqa: F811
    assert main(["user/demo", "-p", str(tiny_package), "-o", str(tmp_path / "space"), "--upload"]) == 2
    assert "log in with `hf auth login`" in capsys.readouterr().err
    assert (tmp_path / "space" / "app.py").is_file()


def test_mistakes_are_sentences(tiny_package, tmp_path, capsys):
    (tmp_path / "letters.txt").write_text("keep me")
    for arguments, words in (
        (["space", "-p", str(tiny_package), "-o", str(tmp_path / "new")], "named like user/space"),
        (["user/space", "-p", str(tiny_package), "-o", str(tmp_path)], "is not empty"),
        (["user/space", "-p", "no such thing", "-o", str(tmp_path / "new")], "no such thing"),
    ):
        assert main(arguments) == 2
        assert words in capsys.readouterr().err
    assert (tmp_path / "letters.txt").read_text() == "keep me" and not (tmp_path / "new").exists()
