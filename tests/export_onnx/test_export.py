"""A package as ONNX files paints as the package does, and the page beside them is complete."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from styletransfer.export_onnx import site
from styletransfer.export_onnx.__main__ import main
from styletransfer.images import to_tensor
from tests.conftest import picture, unit_codes

SIZES = [(70, 65), (16, 16), (17, 131), (96, 64)]  # width and height


@pytest.fixture(scope="module")
def session(exported):
    runtime = pytest.importorskip("onnxruntime", reason="ONNX files are run with onnxruntime")
    return lambda name: runtime.InferenceSession(exported / name, providers=["CPUExecutionProvider"])


@pytest.fixture
def runtime(tmp_path) -> Path:
    """A folder laid out as that of the npm package, with other content."""
    folder = tmp_path / "node_modules" / "onnxruntime-web"
    (folder / "dist").mkdir(parents=True)
    for name in site.RUNTIME_FILES:
        (folder / "dist" / name).write_text(name)
    return folder


def test_the_files_are_all_there_is(exported):
    assert sorted(path.name for path in exported.iterdir()) == ["encoder.onnx", "styles.json", "stylizer.onnx"]


def test_the_stylizer_paints_alike_at_any_size(session, tiny_pipe):
    stylizer = session("stylizer.onnx")
    for seed, size in enumerate(SIZES):
        photo, code = to_tensor(picture(size, seed)), 0.8 * unit_codes(1, seed)
        with torch.no_grad():
            expected = tiny_pipe.stylizer(photo, code)
        (painting,) = stylizer.run(None, {"photo": photo.numpy(), "code": code.numpy()})
        assert (expected - photo).abs().max() > 0.1  # otherwise the next line says little
        assert np.abs(painting - expected.numpy()).max() < 1e-3


def test_the_zero_code_returns_the_photo_exactly(session):
    photo = to_tensor(picture()).numpy()
    (painting,) = session("stylizer.onnx").run(None, {"photo": photo, "code": np.zeros((1, 8), np.float32)})
    assert np.array_equal(painting, photo)


def test_the_encoder_sees_alike_at_any_size(session, tiny_pipe):
    encoder = session("encoder.onnx")
    for seed, size in enumerate([*SIZES, (20, 24), (301, 200)]):  # shrunk to a shorter side of 32 pixels, or smaller than that
        image = to_tensor(picture(size, seed))
        (code,) = encoder.run(None, {"picture": image.numpy()})
        with torch.no_grad():
            assert np.abs(code[0] - tiny_pipe.look(image).numpy()).max() < 1e-3


def test_the_style_codes_are_those_of_the_package(exported, tiny_pipe):
    book = json.loads((exported / "styles.json").read_text())
    assert [style["name"] for style in book["styles"]] == tiny_pipe.styles
    for style in book["styles"]:
        assert torch.equal(torch.tensor(style["codes"]), tiny_pipe.named[style["name"]].codes)


def test_the_page_comes_with_its_runtime_samples_and_card(tiny_package, runtime, tmp_path, monkeypatch):
    from styletransfer.export_onnx import networks

    monkeypatch.setattr(networks, "export", lambda package, folder: None)
    out = tmp_path / "site"
    for _ in range(2):  # the second time over the first
        assert main([str(tiny_package), "-o", str(out), "--runtime", str(runtime)]) == 0
    assert {path.name for path in (out / "onnxruntime").iterdir()} == set(site.RUNTIME_FILES)
    assert json.loads((out / "site.json").read_text()) == {"title": "Tiny", "samples": ["alpha.jpg", "beta.jpg", "photo-1.jpg"]}
    assert all((out / "samples" / name).is_file() for name in ("alpha.jpg", "beta.jpg", "photo-1.jpg"))
    card = yaml.safe_load((out / "README.md").read_text().split("---\n")[1])
    assert card["sdk"] == "static" and card["license"] == "apache-2.0" and card["custom_headers"] == site.HEADERS


def test_the_page_names_no_other_server():
    files = list(site.PAGE.iterdir())
    assert len(files) >= 3
    for path in files:
        assert "//" not in path.read_text(encoding="utf-8").replace("// ", ""), path


def refused(arguments: list[str], capsys) -> str:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_folder_that_is_not_the_runtime_is_refused(tiny_package, tmp_path, capsys):
    line = refused([str(tiny_package), "-o", str(tmp_path / "site"), "--runtime", str(tmp_path)], capsys)
    assert line == f"error: {tmp_path} is not the folder of onnxruntime-web: it has no dist/ort.wasm.min.mjs"


def test_without_npm_it_says_how_to_get_the_runtime(tiny_package, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    line = refused([str(tiny_package), "-o", str(tmp_path / "site")], capsys)
    assert "there is no npm" in line and "--runtime" in line and site.RUNTIME in line


def test_npm_that_fails_is_one_sentence(tiny_package, tmp_path, capsys, monkeypatch):
    (tmp_path / "npm").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert f"npm could not fetch {site.RUNTIME}" in refused([str(tiny_package), "-o", str(tmp_path / "site")], capsys)


@pytest.mark.parametrize("library", ["onnx", "onnxscript"])
def test_without_the_libraries_it_says_what_to_install(library, tiny_package, tmp_path, capsys, monkeypatch):
    from styletransfer.export_onnx import networks

    monkeypatch.setattr(networks, "find_spec", lambda name: None if name == library else sys)
    line = refused([str(tiny_package), "-o", str(tmp_path), "--no-page"], capsys)
    assert "pip install onnx onnxscript" in line


def test_other_kinds_of_packages_are_refused(tmp_path, capsys):
    (tmp_path / "model_index.json").write_text('{"_class_name": "TranslationPipeline"}')
    line = refused([str(tmp_path), "-o", str(tmp_path / "out"), "--no-page"], capsys)
    assert "TranslationPipeline" in line and not (tmp_path / "out").exists()
