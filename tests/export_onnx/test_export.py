"""A package as ONNX files paints as the package does, and the page beside them is complete."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from styletransfer.color import Palette, recolor
from styletransfer.export_onnx import site
from styletransfer.export_onnx.__main__ import main
from styletransfer.images import to_tensor
from styletransfer.pipelines.translation import TranslationPipeline
from styletransfer.styles import Style, keep_color, read_tensors
from tests.conftest import picture, unit_codes
from tests.tiny import NETWORKS

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
    files = sorted(path.relative_to(exported).as_posix() for path in exported.rglob("*.*"))
    assert files == ["encoder.onnx", "styles.json", "styles/alpha.safetensors", "styles/beta.safetensors", "stylizer.onnx"]


def stylized(
    session, book: dict, photo: torch.Tensor, style: Style, strength: float, colors: tuple, kept: float = 0.0
) -> np.ndarray:
    """What stylizer.onnx paints; zeros stand for what a style's adapter lacks."""
    zeros = {
        name: torch.zeros([1 if axis == rank(name) else size for axis, size in enumerate(shape)]) for name, shape in book.items()
    }
    inputs = {
        "photo": photo,
        "matrix": colors[0],
        "offset": colors[1],
        "kept": torch.tensor([kept]),
        "code": strength * style.codes[:1],
    }
    inputs |= zeros | dict(style.adapter)
    (painting,) = session.run(None, {name: value.numpy() for name, value in inputs.items()})
    return painting


def rank(name: str) -> int | None:
    return {"up": 1, "down": 0}.get(name.rpartition(".")[2])


def test_the_stylizer_paints_alike_at_any_size(session, exported, tiny_pipe):
    stylizer, book = session("stylizer.onnx"), json.loads((exported / "styles.json").read_text())
    for seed, size in enumerate(SIZES):
        photo = to_tensor(picture(size, seed))
        style, strength = tiny_pipe.named["alpha" if seed % 2 else "beta"], (1.0, 0.6, 1.3, 1.0)[seed]
        palette, kept = Palette.of(photo), 0.3 * (seed % 2)
        one = Style(style.codes[:1], "one", style.palettes[:1], style.adapter)
        colors = tiny_pipe.colors(palette, [(one, 1.0)], 0.5, 0.7)
        with torch.no_grad():
            base = recolor(photo, *colors)
            expected = tiny_pipe.render(base, [(one, strength)], palette)
            expected = keep_color(base + (expected - base) / min(strength, 1), base, kept).clamp(-1, 1)
        painting = stylized(stylizer, book["adapter"], photo, one, strength, colors, kept)
        assert (expected - photo).abs().mean() > 0.05  # otherwise the next line says little
        assert np.abs(painting - expected.numpy()).max() < 2e-3


def test_the_zero_code_recolours_alone(session, exported):
    photo = to_tensor(picture())
    book = json.loads((exported / "styles.json").read_text())
    style = Style(unit_codes(1, 0), "plain")
    painting = stylized(session("stylizer.onnx"), book["adapter"], photo, style, 0.0, (torch.eye(3), torch.zeros(3)))
    assert np.abs(painting - photo.numpy()).max() < 1e-3


def test_the_encoder_sees_alike_at_any_size(session, tiny_pipe):
    encoder = session("encoder.onnx")
    for seed, size in enumerate([*SIZES, (20, 24), (301, 200)]):  # shrunk to a shorter side of 32 pixels, or smaller than that
        image = to_tensor(picture(size, seed))
        (code,) = encoder.run(None, {"picture": image.numpy()})
        with torch.no_grad():
            assert np.abs(code[0] - tiny_pipe.code_of(image).numpy()).max() < 1e-3


def test_the_styles_are_those_of_the_package(exported, tiny_package, tiny_pipe):
    book = json.loads((exported / "styles.json").read_text())
    about = {"title": "The Bridge", "artist": "Nobody", "year": "1900"}
    assert book["styles"] == [{"name": "alpha", **about}, {"name": "beta"}]
    assert book["adapter"].keys() == tiny_pipe.named["alpha"].adapter.keys()
    for name, style in tiny_pipe.named.items():
        (old, _), (new, _) = (read_tensors(folder / "styles" / f"{name}.safetensors") for folder in (tiny_package, exported))
        assert old.keys() == new.keys() and all(torch.equal(old[key], new[key]) for key in old)
        assert style.name == name


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


def test_packages_without_photos_are_refused(tmp_path, capsys):
    (tmp_path / "model_index.json").write_text('{"_class_name": "GenerationPipeline"}')
    line = refused([str(tmp_path), "-o", str(tmp_path / "out"), "--no-page"], capsys)
    assert "GenerationPipeline" in line and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", [pytest.param("resnet_generator", marks=pytest.mark.slow), "domain_generator", "upscale_generator"]
)
def test_a_translator_gives_alike_at_any_size(name, tmp_path, capsys):
    for library in ("onnx", "onnxscript"):
        pytest.importorskip(library, reason=f"ONNX files are written with {library}")
    runtime = pytest.importorskip("onnxruntime", reason="ONNX files are run with onnxruntime")
    row = NETWORKS[name]
    pipe = TranslationPipeline(row.build().eval(), ["plain", "ink", "haze"][: row.arguments.get("num_domains", 0)])
    pipe.save_pretrained(tmp_path / "package")
    assert "the page is for painters" in refused([str(tmp_path / "package"), "-o", str(tmp_path / "out")], capsys)
    assert main([str(tmp_path / "package"), "-o", str(tmp_path / "out"), "--no-page"]) == 0
    book = json.loads((tmp_path / "out" / "styles.json").read_text())
    assert [style["name"] for style in book["styles"]] == pipe.styles and book["scale"] == pipe.scale
    session = runtime.InferenceSession(tmp_path / "out" / "translator.onnx", providers=["CPUExecutionProvider"])
    for size in SIZES:
        photo = to_tensor(picture(size))
        label = [torch.tensor([1])] if pipe.styles else []
        inputs = {"photo": photo.numpy()} | ({"label": label[0].numpy()} if label else {})
        with torch.no_grad():
            expected = pipe.translator(photo, *label).clamp(-1, 1)
        (made,) = session.run(None, inputs)
        assert expected.std() > 0.1 and made.shape == expected.shape and np.abs(made - expected.numpy()).max() < 1e-4
