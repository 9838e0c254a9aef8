"""A training leaves a package that loads, paints, and explains itself."""

import dataclasses
import json
from importlib import import_module
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image

from styletransfer import load_pipeline
from styletransfer.catalog import read_package
from styletransfer.models.resnet_generator import ResnetGenerator
from styletransfer.models.style_adapter import StyleAdapter
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.styles import Style
from training.__main__ import main
from training.engine.trainer import Trainer
from training.options import Unpaired
from training.packaging.export import translator
from training.packaging.samples import write_samples
from training.presets.cyclegan import Cyclegan


def test_package_of_a_run(tiny_painter, config, pictures):
    trainer = Trainer(tiny_painter, dataclasses.replace(config, updates=2, validate_every=2))
    trainer.train()
    folder = config.out / "pipeline"
    package = read_package(folder)
    assert package.styles == {} and [path.name for path in package.samples] == ["photo-1.jpg", "sheet.jpg"]
    width, height = Image.open(folder / "samples" / "sheet.jpg").size
    assert (width, height) == (88 * 5 + 8, 78 * 2 + 8)  # a photo in the style of four held-out paintings, and they above
    card = (folder / "README.md").read_text()
    assert "No style has a name yet" in card and "$" not in card
    assert "* photos: 4 files, `" in card and "* paintings: 4 files, `" in card
    assert "python -m training painter --updates 4 --batch 2 --precision no" in card
    assert "--data.crop 64 --data.photos photos --data.paintings paintings" in card
    assert "](curves.png)" in card and (folder / "curves.png").is_file() and "The averaged weights of update 2" in card
    assert str(pictures) not in card  # no path of the machine that trained it

    pipe = load_pipeline(folder)
    # what ships is the average, not the last state
    for name, average in trainer.averages.items():
        for key, value in average.net.state_dict().items():
            assert torch.equal(getattr(pipe, name).state_dict()[key], value)
    photo, painting = Image.new("RGB", (50, 37), "teal"), Image.new("RGB", (40, 40), "gold")
    assert pipe(photo, style=painting).images[0].size == photo.size


@pytest.fixture
def run(tiny_painter, config) -> Path:
    """The folder of a finished training."""
    Trainer(tiny_painter, dataclasses.replace(config, updates=1)).train()
    return config.out


@pytest.fixture
def files(run, tmp_path) -> list[Path]:
    """Style files for its package, of which one has an adapter."""
    pipe = load_pipeline(run / "pipeline")
    dots, lines = (pipe.encode_style(Image.new("RGB", (40, 40), name), name) for name in ("gold", "teal"))
    adapter = StyleAdapter.of(pipe.stylizer, rank=2)
    torch.nn.init.ones_(next(iter(adapter.up.values())))
    factors = {name: factor.detach() for name, factor in adapter.factors().items()}
    dots = dataclasses.replace(
        dots, name="dots", adapter=factors, about={"title": "Dots", "artist": "A. Pointer", "year": "1901"}
    )
    paths = [tmp_path / "files" / f"{number}.safetensors" for number in range(2)]
    for style, path in zip((dots, lines.named("lines")), paths, strict=True):
        style.save(path)
    return paths


def test_publish(run, files, tmp_path):
    interval = {"value": 0.5, "low": 0.25, "high": 0.75}
    score = interval | {"metric": "swd", "name": "Sliced Wasserstein distance", "better": "lower", "samples": 20, "style": "dots"}
    report = {"protocol": "as it is", "scores": [score | {"anchors": {"copy": 0.9, "real": 0.1}}]}
    (tmp_path / "report.json").write_text(json.dumps(report))
    (tmp_path / "sources.md").write_text("From a friend.")
    Image.effect_mandelbrot((90, 70), (-2, -1.5, 1, 1.5), 20).save(tmp_path / "photo.png")
    UpscaleGenerator(base_channels=4, num_blocks=1).save_pretrained(tmp_path / "enlarger")
    options = ["--photos", str(tmp_path / "photo.png"), "--sources", str(tmp_path / "sources.md")]
    options += ["--evaluation", str(tmp_path / "report.json"), "--title", "Our Painter"]
    options += ["--styles", *map(str, files), "--enlarger", str(tmp_path / "enlarger")]
    out = tmp_path / "package"
    for _ in range(2):  # a package is replaced
        assert main(["export", str(run), "--out", str(out), *options]) == 0
    card = (out / "README.md").read_text()
    assert "# Our Painter" in card and "From a friend." in card
    assert "* dots: Dots, A. Pointer, 1901\n* lines\n" in card and 'style="dots", strength=0.8' in card
    assert [entry.metric_value for entry in ModelCard(card).data.eval_results] == [0.5]
    assert Image.open(out / "samples" / "photo-1.jpg").size == (90, 70)
    assert Image.open(out / "samples" / "dots.jpg").size == Image.open(out / "samples" / "lines.jpg").size == (256, 256)
    assert Image.open(out / "samples" / "sheet.jpg").size == (98 * 3 + 8, 28 + 70 + 16)  # with captions
    pipe = load_pipeline(out)
    assert pipe.styles == ["dots", "lines"] and pipe.enlarger.config.base_channels == 4
    for path in files:
        style = Style.load(path)
        shipped = Style.load(out / "styles" / f"{style.name}.safetensors")
        assert torch.equal(shipped.codes, style.codes) and shipped.about == style.about
        torch.testing.assert_close(dict(shipped.adapter), dict(style.adapter), rtol=0, atol=0)
    for network in ("stylizer", "encoder"):  # to which nothing was done
        weights = Path(network) / "diffusion_pytorch_model.safetensors"
        assert (out / weights).read_bytes() == (run / "pipeline" / weights).read_bytes()


def test_without_photos_the_sample_of_the_run_is_shown(run, files, tmp_path):
    assert main(["export", str(run), "--out", str(tmp_path / "package"), "--styles", str(files[1])]) == 0
    samples = sorted(path.name for path in (tmp_path / "package" / "samples").iterdir())
    assert samples == ["lines.jpg", "photo-1.jpg", "sheet.jpg"]


def test_the_first_style_that_is_given_is_the_cover(run, files, tmp_path):
    assert main(["export", str(run), "--out", str(tmp_path / "package"), "--styles", *map(str, reversed(files))]) == 0
    assert list(read_package(tmp_path / "package").styles) == ["lines", "dots"]
    assert 'style="lines"' in (tmp_path / "package" / "README.md").read_text()


def test_many_styles_fill_several_rows(tiny_pipe, tmp_path):
    for number in range(9):
        tiny_pipe.add_style(tiny_pipe.named["beta"].named(f"style {number}"))
    write_samples(tiny_pipe, tmp_path, [Image.new("RGB", (40, 30), "teal")])  # a photo and 11 results
    assert Image.open(tmp_path / "sheet.jpg").size == (48 * 6 + 8, 28 + 38 + 28 + 38 + 8)


def test_what_does_not_fit_spares_the_package(run, files, tmp_path, capsys):
    out = tmp_path / "package"
    assert main(["export", str(run), "--out", str(out), "--styles", str(files[0])]) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    Style(torch.ones(1, 3), "other").save(tmp_path / "other.safetensors")
    for options, hint in (
        (["--styles", str(tmp_path / "other.safetensors")], "codes of 3 floats"),
        (["--styles", str(files[0]), str(files[0])], "'dots' already"),
        (["--styles", str(tmp_path / "report.json")], "does not exist"),
        (["--enlarger", str(run / "pipeline" / "stylizer")], "should hold a UpscaleGenerator"),
        (["--photos", str(tmp_path / "photo.png")], "give --styles"),
    ):
        assert main(["export", str(run), "--out", str(out), *options]) == 2, hint
        assert hint in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_publish_spares_other_folders(run, tmp_path, capsys):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("keep me")
    assert main(["export", str(run), "--out", str(tmp_path / "letters")]) == 2
    assert (tmp_path / "letters" / "dear.txt").exists()
    assert main(["export", str(tmp_path / "nothing"), "--out", str(tmp_path / "x")]) == 2
    assert "no finished package" in capsys.readouterr().err


def test_some_options_are_for_painters_only(tmp_path, capsys):
    torch.manual_seed(0)
    translator(Cyclegan(updates=1, data=Unpaired(world="ink", crop=32)), "g")(
        {"g": ResnetGenerator(base_channels=4, num_blocks=1)}, tmp_path / "run" / "pipeline"
    )
    for option, verb in (("--photos", "are"), ("--styles", "are"), ("--enlarger", "is")):
        assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "out"), option, "x"]) == 2
        assert f"{option} {verb} for painters" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--title", "Ink"]) == 0
    assert "# Ink" in (tmp_path / "out" / "README.md").read_text()


def test_a_run_is_not_exported_over_itself(run, capsys):
    weights = (run / "pipeline" / "stylizer" / "diffusion_pytorch_model.safetensors").read_bytes()
    for out in (run / "pipeline", run, run.parent):
        assert main(["export", str(run), "--out", str(out)]) == 2 and "give another folder" in capsys.readouterr().err
    assert (run / "pipeline" / "stylizer" / "diffusion_pytorch_model.safetensors").read_bytes() == weights


def test_an_export_that_fails_leaves_the_package_before(run, tmp_path, monkeypatch):
    out = tmp_path / "package"
    assert main(["export", str(run), "--out", str(out)]) == 0
    before = (out / "README.md").read_bytes()

    def fail(folder, fields):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(import_module("training.commands.export"), "write_card", fail)
    assert main(["export", str(run), "--out", str(out)]) == 2
    assert (out / "README.md").read_bytes() == before and sorted(path.name for path in tmp_path.glob("*package*")) == ["package"]
