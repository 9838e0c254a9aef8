"""The Create tab without a browser: its endpoints, and what it offers to whom."""

import dataclasses
import io

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from styletransfer import ui
from styletransfer.catalog import read_package
from styletransfer.models.progressive_generator import ProgressiveGenerator
from styletransfer.pipelines.generation import GenerationPipeline
from styletransfer.ui import create
from styletransfer.ui.page import Page
from styletransfer.ui.picker import Picker
from styletransfer.ui.saved import save
from styletransfer.ui.visitor import Visitor
from tests.conftest import picture


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False, analytics_enabled=False)


@pytest.fixture(scope="module")
def pipe(noise_package) -> GenerationPipeline:
    return GenerationPipeline.from_pretrained(noise_package)


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_the_endpoints_are_named_and_typed(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    for name, names in {
        "/create": ["package", "seed", "truncation"],
        "/between": ["package", "start", "end", "truncation"],
    }.items():
        parameters = endpoints[name]["parameters"]
        assert [parameter["parameter_name"] for parameter in parameters] == names
        assert parameters[0]["type"]["enum"] == ["noise"]  # nothing that paints photos
        assert endpoints[name]["description"]


def test_create_makes_what_the_pipeline_makes(client, pipe):
    path = client.predict("noise", 3, 0.7, api_name="/create")
    assert path.endswith("noise 3.png")
    np.testing.assert_array_equal(pixels(path), pipe(3, truncation=0.7).images[0])


def test_between_leads_from_one_to_the_other(client, pipe):
    made = client.predict("noise", 3, 7, 1, api_name="/between")
    wanted = pipe.between(3, 7, steps=len(made)).images
    assert len(made) == 8
    for shown, image in zip(made, wanted, strict=True):
        np.testing.assert_array_equal(pixels(shown["image"]), image)


@pytest.mark.parametrize("wrong", [("nothing", 1, 1), ("noise", -1, 1), ("noise", 2**40, 1), ("noise", 1, 3)])
def test_values_out_of_range_are_refused(client, wrong):
    with pytest.raises(AppError):
        client.predict(*wrong, api_name="/create")


def test_a_visitor_is_offered_what_he_loaded_and_nobody_else(tiny_package, noise_package):
    package = read_package(noise_package)
    loaded = dataclasses.replace(package, name="user/noise")
    picker = Picker(Page([package, read_package(tiny_package)], load=None, visitor=None, look=None, photo=None), "noise")
    assert list(picker.offered(Visitor())) == ["noise"]
    assert list(picker.offered(Visitor((loaded,)))) == ["noise", "user/noise"]
    assert picker.follow(Visitor((loaded,)), "noise")["value"] == "user/noise"
    assert picker.follow(Visitor((loaded, read_package(tiny_package))), "noise")["value"] == "noise"
    assert picker.follow(Visitor(), "user/noise")["value"] == "noise"  # given back


def test_a_package_that_does_not_load_is_one_sentence_without_its_folder(noise_package):
    def load(path):
        raise ValueError(f"{path} is broken")

    picker = Picker(Page([read_package(noise_package)], load, visitor=None, look=None, photo=None), "noise")
    with pytest.raises(gr.Error, match="noise cannot be used") as refused:
        picker.open(Visitor(), "noise")
    assert str(noise_package) not in str(refused.value)
    with pytest.raises(gr.Error, match="gone is not here any more"):
        picker.open(Visitor(), "gone")


def test_variety_is_offered_where_it_does_something(noise_package, tmp_path):
    assert create.has_truncation(read_package(noise_package))
    GenerationPipeline(ProgressiveGenerator(z_size=8, base_channels=8, image_size=8)).save_pretrained(tmp_path / "progressive")
    assert not create.has_truncation(read_package(tmp_path / "progressive"))


def test_without_a_generator_the_tab_says_how_to_get_one(tiny_package):
    blocks = ui.build_app([read_package(tiny_package)], load=None).blocks.values()
    shown = {block.elem_id: block.visible for block in blocks if getattr(block, "elem_id", None)}
    assert shown["create-none"] and not shown["create"]


def test_a_saved_picture_keeps_its_name_and_stays_in_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert save(picture(), "user/model 3.png").endswith("/model 3.png")
    path = save(picture(), "../../model 3.jpg")
    assert path.startswith(str(tmp_path)) and Image.open(path).format == "JPEG"


def test_a_picture_that_is_saved_again_stays_whole_for_who_is_reading_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    path = save(picture(), "model 3.png")
    with open(path, "rb") as reading:
        start = reading.read(10)
        assert save(picture(), "model 3.png") == path
        whole = start + reading.read()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(whole))), picture())
    assert len(list(tmp_path.rglob("*.*"))) == 1  # nothing half written is left behind
