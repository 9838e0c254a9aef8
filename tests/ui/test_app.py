"""The demo without a browser: its functions, its endpoint, and `python app.py` itself."""

import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from styletransfer import ui
from styletransfer.catalog import read_package
from styletransfer.tasks import TASKS
from styletransfer.ui.inputs import BeforeAfter, read
from styletransfer.ui.studio import NOTHING, OWN
from styletransfer.ui.words import WORDS
from tests.conftest import picture

APP = Path(ui.__file__).parents[2] / "app.py"
DEFAULTS = {"style": "alpha", "strength": 1, "format": "png"}


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False, analytics_enabled=False)


@pytest.fixture
def photo(tmp_path) -> Path:
    picture().save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def paint(client, photo: Path, **changes) -> np.ndarray:
    inputs = DEFAULTS | changes
    inputs |= {name: handle_file(inputs[name]) for name in ("painting", "mask") if name in inputs}
    with Image.open(client.predict(handle_file(photo), **inputs, api_name="/stylise")) as result:
        assert result.format == "PNG"
        return np.asarray(result)


def test_the_endpoint_is_named_and_typed(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert "/stylise" in endpoints and all(endpoint["description"] for endpoint in endpoints.values())
    parameters = {parameter["parameter_name"]: parameter for parameter in endpoints["/stylise"]["parameters"]}
    optional = ["strength", "brush", "tone", "color", "painting", "second", "mix", "mask", "format"]
    assert list(parameters) == ["photo", "style", *optional]
    assert all(parameters[name]["parameter_has_default"] for name in optional)
    assert parameters["second"]["type"]["enum"] == [NOTHING, "alpha", "beta"]
    assert parameters["style"]["type"]["enum"] == ["alpha", "beta", OWN]
    assert "full size" in endpoints["/stylise"]["description"]


def test_the_endpoint_paints_what_the_pipeline_paints(client, photo, tiny_pipe):
    controls = {"strength": 0.5, "brush": 1.5, "tone": 0.3, "color": 0.8}
    expected = tiny_pipe(picture(), style="beta", **controls).images[0]
    np.testing.assert_array_equal(paint(client, photo, style="beta", **controls), expected)


def test_strength_zero_returns_the_photo(client, photo):
    np.testing.assert_array_equal(paint(client, photo, strength=0), picture())


def test_own_painting(client, photo, tmp_path):
    picture(seed=7).save(tmp_path / "painting.png")
    painted = paint(client, photo, style=OWN, painting=tmp_path / "painting.png")
    assert not np.array_equal(painted, paint(client, photo))
    with pytest.raises(AppError, match="Add a painting"):
        paint(client, photo, style=OWN)


def test_a_second_style_and_a_mask(client, photo, tmp_path, tiny_pipe):
    half = Image.new("L", (70, 65))
    half.paste(255, (0, 0, 35, 65))
    half.save(tmp_path / "mask.png")
    expected = tiny_pipe(picture(), style={"alpha": 0.75, "beta": 0.25}, mask=half).images[0]
    np.testing.assert_array_equal(paint(client, photo, second="beta", mix=0.25, mask=tmp_path / "mask.png"), expected)


def test_without_a_photo_the_example_is_painted(client, tiny_package):
    with Image.open(client.predict(None, **DEFAULTS, api_name="/stylise")) as result:
        assert result.size == Image.open(tiny_package / "samples" / "photo-1.jpg").size


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "RGBA", "I;16"])
def test_pictures_of_every_mode(client, tmp_path, mode):
    suffix = "tif" if mode == "CMYK" else "png"
    image = picture(mode="L").convert("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else picture(mode=mode)
    image.save(tmp_path / f"photo.{suffix}")
    assert paint(client, tmp_path / f"photo.{suffix}").shape[:2] == (65, 70)


def test_bad_files_get_one_sentence_and_the_app_lives_on(client, photo, tmp_path):
    whole = photo.read_bytes()
    bomb = re.sub(rb"IHDR.{8}", b"IHDR" + (20_000).to_bytes(4, "big") * 2, whole, count=1, flags=re.DOTALL)
    files = {"text.png": b"not a picture", "empty.png": b"", "truncated.png": whole[: len(whole) // 2], "bomb.png": bomb}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(AppError) as refused:
            paint(client, tmp_path / name)
        sentence = str(refused.value)
        assert "not a picture this app can read" in sentence or "too large" in sentence, name
        assert "/" not in sentence and "\n" not in sentence, name
    assert paint(client, photo).shape == (65, 70, 3)


@pytest.mark.parametrize(
    "wrong", [{"style": "gamma"}, {"strength": 7}, {"strength": -1}, {"tone": 2}, {"color": -1}, {"brush": 0.1}]
)
def test_values_out_of_range_are_refused(client, photo, wrong):
    with pytest.raises(AppError):
        paint(client, photo, **wrong)


def test_a_photo_of_many_megapixels_is_painted_smaller(client, photo, monkeypatch):
    monkeypatch.setitem(TASKS, "StyleTransferPipeline", replace(TASKS["StyleTransferPipeline"], megapixels=0.001))
    height, width, _ = paint(client, photo).shape
    assert 0.0009 < height * width / 1e6 <= 0.001 and abs(width / height - 70 / 65) < 0.1


def test_read_turns_and_shrinks(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown a quarter turn to the right
    picture((300, 200)).save(tmp_path / "photo.jpg", exif=exif)
    assert read(tmp_path / "photo.jpg").size == (200, 300)
    assert read(tmp_path / "photo.jpg", longest=60).size == (40, 60)
    assert read(tmp_path / "photo.jpg", longest=1000).size == (200, 300)


def test_the_slider_shows_transparency_as_white(tmp_path):
    slider = BeforeAfter()
    slider.GRADIO_CACHE = str(tmp_path)
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    shown = [Image.open(image.path) for image in slider.postprocess((clear, clear)).root]
    assert [image.getpixel((5, 5)) for image in shown] == [(255, 255, 255)] * 2
    assert slider.postprocess(None) is None


def test_a_page_without_packages_says_so():
    demo = ui.build_app([], load=None)
    notice = next(block for block in demo.blocks.values() if block.elem_id == "no-package")
    layout = next(block for block in demo.blocks.values() if block.elem_id == "stylise")
    assert notice.visible and not layout.visible and "Models" in WORDS["stylise_empty"][0]


def test_every_component_has_a_name_for_tests_and_styles(tiny_package):
    demo = ui.build_app([read_package(tiny_package)], load=None)
    nameless = [block for block in demo.blocks.values() if isinstance(block, gr.components.Component) and not block.elem_id]
    assert all(isinstance(block, gr.State | gr.Dataset) for block in nameless), nameless


def test_a_package_is_loaded_once():
    calls = []

    def load(path):
        time.sleep(0.05)
        calls.append(path)
        return object()

    load_once = ui.keep_loaded(load)
    threads = [threading.Thread(target=load_once, args=("painter",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == ["painter"] and load_once("painter") is load_once("painter")


def run_app(*arguments: str, **kwargs) -> subprocess.Popen:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, str(APP), *arguments], **pipes, **kwargs)


@pytest.mark.slow
def test_help_and_mistakes_answer_at_once():
    for arguments, code, words in ((["--help"], 0, "--package"), (["--package", "no such thing"], 2, "no such thing")):
        process = run_app(*arguments)
        output = "".join(process.communicate())
        assert process.returncode == code and words in output and "Traceback" not in output


@pytest.mark.slow
def test_a_port_that_is_taken_is_a_sentence(url, tiny_package):
    process = run_app("--package", str(tiny_package), "--host", "127.0.0.1", "--port", url.rstrip("/").rsplit(":", 1)[1])
    output = "".join(process.communicate())
    assert process.returncode == 2 and "is taken" in output and "Traceback" not in output


@pytest.mark.slow
def test_app_serves_and_prints_its_address(tiny_package, tmp_path):
    environment = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)}
    process = run_app("--package", str(tiny_package), "--host", "127.0.0.1", "--offline", env=environment)
    try:
        address = re.fullmatch(r"Style Transfer is at (http://127\.0\.0\.1:\d+)/?\n", process.stdout.readline())[1]
        with urllib.request.urlopen(address) as page:
            assert "Style Transfer" in page.read().decode()
        foreign = urllib.request.Request(address, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(foreign)
    finally:
        process.terminate()
        assert "Traceback" not in process.communicate()[1]


def test_packages_of_visitors_push_nobody_elses_out():
    calls = []
    load = ui.keep_loaded(lambda path: calls.append(path) or object(), own=["painter"])
    for path in ("painter", "a", "b", "c", "d", "painter"):
        load(path)
    assert calls == ["painter", "a", "b", "c", "d"]
