"""The Compare tab without a browser: its endpoint and the layout of its sheet."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from styletransfer import ui
from styletransfer.catalog import read_package
from styletransfer.sheet import GAP
from styletransfer.ui import compare
from styletransfer.ui.visitor import Choice
from tests.conftest import picture
from tests.ui.noise import serve

LINE = 2 * (compare.SIZE // 16)  # pixels of a line of captions


@pytest.fixture(scope="module")
def client(tiny_package, tmp_path_factory):
    other = shutil.copytree(tiny_package, tmp_path_factory.mktemp("packages") / "other")
    with serve([tiny_package, other], tmp_path_factory.mktemp("gradio")) as url:
        yield Client(url, verbose=False, analytics_enabled=False)


@pytest.fixture
def photo(tmp_path) -> Path:
    picture().save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def sheet(client, photo: Path | None, package: str = "tiny", strengths: tuple[float, ...] = (1.0,)) -> np.ndarray:
    path = client.predict(photo and handle_file(photo), package, list(strengths), api_name="/compare")
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def cell(sheet: np.ndarray, left: int, top: int) -> np.ndarray:
    """The picture of 70 x 65 pixels there."""
    return sheet[top : top + 65, left : left + 70]


def test_the_endpoint_is_named_and_typed(client):
    endpoint = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/compare"]
    parameters = {parameter["parameter_name"]: parameter for parameter in endpoint["parameters"]}
    assert list(parameters) == ["photo", "package", "strengths"]
    assert parameters["package"]["type"]["enum"] == ["tiny", "other", compare.ALL]
    assert "every style" in endpoint["description"]


def test_at_one_strength_the_photo_and_every_style_follow_each_other(client, photo, tiny_pipe):
    made = sheet(client, photo)
    np.testing.assert_array_equal(cell(made, GAP, GAP + LINE), picture())
    for number, style in enumerate(("alpha", "beta"), 1):
        wanted = tiny_pipe(picture(), style=style).images[0]
        np.testing.assert_array_equal(cell(made, GAP + number * (70 + GAP), GAP + LINE), wanted)


def test_at_several_strengths_each_style_has_a_row(client, photo, tiny_pipe):
    made = sheet(client, photo, strengths=(1.5, 0.5))  # in any order
    assert made.shape[:2] == (2 * (65 + LINE) + 3 * GAP, 3 * 70 + 4 * GAP)
    for row, style in enumerate(("alpha", "beta")):
        top = GAP + LINE + row * (65 + LINE + GAP)
        np.testing.assert_array_equal(cell(made, GAP, top), picture())
        for column, strength in enumerate((0.5, 1.5), 1):
            wanted = tiny_pipe(picture(), style=style, strength=strength).images[0]
            np.testing.assert_array_equal(cell(made, GAP + column * (70 + GAP), top), wanted)


def test_all_models_on_one_sheet(client, photo):
    height = sheet(client, photo, compare.ALL).shape[0]
    assert height == 2 * (65 + LINE) + 3 * GAP  # the photo and four styles, in rows of four


def test_the_sheet_fills_up_style_by_style(client, photo):
    job = client.submit(handle_file(photo), "tiny", [1.0], api_name="/compare")
    job.result()
    *growing, last = [np.asarray(Image.open(path).convert("RGB")) for path in job.outputs()]
    assert len(growing) == 2 and all(step.shape == last.shape for step in growing)
    middle = [step[GAP + LINE + 32, GAP + 70 + GAP + 35] for step in (*growing, last)]  # of the first style
    assert np.abs(middle[0].astype(int) - compare.BLANK).max() <= 2
    assert np.abs(middle[1].astype(int) - middle[2]).max() <= 40  # as JPEG
    assert np.abs(middle[2].astype(int) - compare.BLANK).max() > 2


def test_without_a_photo_the_example_is_painted(client, tiny_package):
    with Image.open(tiny_package / "samples" / "photo-1.jpg") as example:
        np.testing.assert_array_equal(cell(sheet(client, None), GAP, GAP + LINE), example)


def test_a_large_photo_is_shrunk(client, tmp_path):
    picture((900, 300)).save(tmp_path / "photo.png")
    assert sheet(client, tmp_path / "photo.png").shape[1] == 3 * compare.SIZE + 4 * GAP


def test_mistakes_get_a_sentence(client, photo, tmp_path, monkeypatch):
    with pytest.raises(AppError, match="at least one strength"):
        sheet(client, photo, strengths=())
    with pytest.raises(AppError):
        sheet(client, photo, package="nothing")
    (tmp_path / "bad.png").write_text("not a picture")
    with pytest.raises(AppError, match="not a picture this app can read"):
        sheet(client, tmp_path / "bad.png")
    monkeypatch.setattr(compare, "MOST", 3)
    with pytest.raises(AppError, match="would be 4 pictures; 3 fit"):
        sheet(client, photo, strengths=(0.5, 1))


def test_blank_cells_keep_the_layout(tiny_package):
    styles = [Choice(read_package(tiny_package), name) for name in ("alpha", "beta")]
    for strengths in ([1.0], [0.5, 1.0]):
        painted = [picture(seed=7)] * len(styles) * len(strengths)
        empty, half, whole = (compare.draw(picture(), styles, strengths, painted[:count]) for count in (0, 1, None))
        assert empty.size == half.size == whole.size
        assert len({image.tobytes() for image in (empty, half, whole)}) == 3


def test_without_styles_the_tab_says_so(tiny_package):
    package = dataclasses.replace(read_package(tiny_package), kind="GenerationPipeline")
    blocks = ui.build_app([package], load=None).blocks.values()
    shown = {block.elem_id: block.visible for block in blocks if getattr(block, "elem_id", None)}
    assert shown["compare-none"] and not shown["compare"]
