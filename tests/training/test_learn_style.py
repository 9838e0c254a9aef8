"""Learning a style changes its code alone: nothing else of the painter moves, and the new style fits its paintings better."""

import filecmp
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer import load_pipeline
from styletransfer.catalog import read_package
from styletransfer.styles import Style
from tests.conftest import picture
from training.__main__ import main
from training.config import Features
from training.learn_style import LearnStyle
from training.presets.learn_style import learn_style
from training.trainer import Trainer


@pytest.fixture
def config(pictures: Path, tiny_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LearnStyle:
    monkeypatch.setattr("training.presets.learn_style.JUDGED", 4)
    return LearnStyle(
        package=str(tiny_package),
        paintings=pictures / "paintings" / "dots",
        photos=pictures / "photos",
        name="my-style",
        crop=64,
        features=Features(weights="random"),
        out=tmp_path / "run",
        updates=12,
        batch=2,
        device="cpu",
        precision="no",
        tracker="none",
    )


def words(config: LearnStyle, *more: str) -> list[str]:
    """The command line of `config`."""
    given = ["learn-style", config.package, "--paintings", config.paintings, "--photos", config.photos, "--name", config.name]
    given += ["--crop", config.crop, "--features.weights", "random", "--out", config.out, "--batch", config.batch]
    return [*map(str, given), "--device", "cpu", "--precision", "no", "--tracker", "none", *more]


def test_other_styles_stay_bit_for_bit(config, tiny_package, tmp_path, capsys):
    photo = picture(seed=5)
    before = {style: np.asarray(load_pipeline(tiny_package)(photo, style).images[0]) for style in ("alpha", "beta")}
    file, copy = tmp_path / "new" / "my-style.safetensors", tmp_path / "copy"
    assert main(words(config, "--updates", "3", "-o", str(file), "--add", str(copy))) == 0, capsys.readouterr().err

    with_file, with_copy = load_pipeline(tiny_package), load_pipeline(copy)
    with_file.load_style(file)
    for pipe in (with_file, with_copy):
        assert sorted(pipe.styles) == ["alpha", "beta", "my-style"]
        for style, painting in before.items():
            assert np.array_equal(np.asarray(pipe(photo, style).images[0]), painting)
    new = [np.asarray(pipe(photo, "my-style").images[0]) for pipe in (with_file, with_copy)]
    assert np.array_equal(*new) and not np.array_equal(new[0], before["alpha"])

    for name in ("stylizer", "encoder"):
        weights = Path(name) / "diffusion_pytorch_model.safetensors"
        assert filecmp.cmp(tiny_package / weights, copy / weights, shallow=False)
    assert read_package(copy).thumbnail("my-style").is_file()
    card = (copy / "README.md").read_text()
    assert card.startswith((tiny_package / "README.md").read_text().rstrip()) and "* my-style:" in card
    assert file.stat().st_size < 5000


def test_only_the_code_moves(config):
    preset = learn_style(config)
    before = {name: {key: value.clone() for key, value in net.state_dict().items()} for name, net in preset.nets.items()}
    Trainer(preset, config).train()
    moved = {
        f"{name}.{key}"
        for name, net in preset.nets.items()
        for key, value in net.state_dict().items()
        if not torch.equal(value, before[name][key])
    }
    assert moved == {"exemplars.shift"}


def test_the_loss_on_held_out_crops_falls(config, tiny_pipe):
    preset = learn_style(config)
    Trainer(preset, config).train()
    learned = Style.load(config.out / "pipeline" / "style.safetensors")
    encoded = Style(preset.export.start, "encoded")
    loss = {style.name: preset.export.held_out_loss(tiny_pipe, style) for style in (encoded, learned)}
    assert loss["my-style"] < 0.99 * loss["encoded"]
    assert loss["encoded"] == preset.export.held_out_loss(tiny_pipe, encoded)
    card = (config.out / "pipeline" / "README.md").read_text()
    assert f"{loss['my-style']:.3f}" in card and "The learned codes" in card and "$" not in card
    assert str(config.paintings.parent) not in card and config.package not in card


def test_codes_that_got_worse_do_not_ship(config, capsys):
    preset = learn_style(config)
    folder = config.out / "pipeline"
    preset.export({"exemplars": preset.nets["exemplars"]}, folder)  # as good as at the start, and not better
    assert "no better" in capsys.readouterr().out
    assert torch.equal(Style.load(folder / "style.safetensors").codes, preset.export.start)


def test_exemplars_keep_their_places(config):
    exemplars = learn_style(config).nets["exemplars"]
    with torch.no_grad():
        exemplars.shift += 0.5 * torch.randn(8, generator=torch.Generator().manual_seed(0))
    codes = exemplars(torch.arange(len(exemplars.start)))
    assert torch.allclose(codes.square().mean(dim=1), torch.ones(len(codes)))
    scale = (exemplars.start + exemplars.shift).square().mean(dim=1, keepdim=True).sqrt()
    assert torch.allclose(codes * scale - exemplars.start, exemplars.shift.expand_as(codes), atol=1e-6)


def test_a_run_goes_on(config):
    straight = learn_style(replace(config, updates=4, out=config.out / "straight"))
    Trainer(straight, replace(config, updates=4, out=config.out / "straight")).train()
    halves = replace(config, updates=4, out=config.out / "halves", save_every=2)
    first = Trainer(learn_style(halves), halves)
    first.progress = lambda: first.update / 4 if first.update < 2 else 1.0
    first.train()
    second = Trainer(learn_style(halves), replace(halves, resume=True))
    second.train()
    assert torch.equal(second.nets["exemplars"].shift, straight.nets["exemplars"].shift)


def test_drawn_scenes_where_there_are_no_photos(config, tmp_path):
    scenes = replace(config, photos=None, updates=1)
    Trainer(learn_style(scenes), scenes).train()
    assert "practising on drawn scenes" in (scenes.out / "pipeline" / "README.md").read_text()


def test_ctrl_c_saves_what_there_is(config, tmp_path, monkeypatch, capsys):
    report = Trainer.report

    def report_and_press_ctrl_c(trainer: Trainer, *arguments) -> None:
        report(trainer, *arguments)
        if trainer.update == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "report", report_and_press_ctrl_c)
    file = tmp_path / "my-style.safetensors"
    assert main(words(config, "--minutes", "5", "-o", str(file))) == 0
    assert "stopped at update 2" in capsys.readouterr().out
    assert Style.load(file).name == "my-style"
    assert torch.load(config.out / "state.pt", weights_only=True)["update"] == 2


def test_mistakes_are_one_sentence(config, tmp_path, capsys):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("keep me")
    tiny = tmp_path / "small"
    tiny.mkdir()
    Image.new("RGB", (20, 30)).save(tiny / "thumb.png")
    for change, more, hint in (
        ({"name": "alpha"}, [], "'alpha' already"),
        ({"name": "a/b"}, [], "without /"),
        ({}, ["-o", "style.pt"], ".safetensors"),
        ({}, ["--add", str(tmp_path / "full")], "empty"),
        ({"paintings": tmp_path / "nowhere"}, [], "nowhere"),
        ({"paintings": tiny}, [], "20 x 30"),
        ({"package": str(tmp_path / "full")}, [], "model_index.json"),
    ):
        assert main(words(replace(config, **change), "--updates", "1", *more)) == 2, hint
        error = capsys.readouterr().err
        assert hint in error and "error: " in error and "Traceback" not in error, error
        assert not config.out.exists()


def test_other_packages_cannot_learn(config, tmp_path):
    from styletransfer.models.transformer_net import TransformerNet
    from styletransfer.pipelines.translation import TranslationPipeline

    TranslationPipeline(TransformerNet(base_channels=4, num_blocks=1)).save_pretrained(tmp_path / "translator")
    with pytest.raises(ValueError, match="only a painter"):
        learn_style(replace(config, package=str(tmp_path / "translator")))


def test_help_without_torch():
    code = "import sys; from training.__main__ import main\ntry: main(['learn-style', '--help'])\nexcept SystemExit: pass\n"
    result = subprocess.run([sys.executable, "-c", code + "assert 'torch' not in sys.modules"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "--paintings" in result.stdout
