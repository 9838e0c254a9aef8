"""Learning a style trains an adapter alone: nothing else of the painter moves, and the new style fits its paintings better."""

import dataclasses
import filecmp
import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from styletransfer import StyleGenerator, load_pipeline
from styletransfer.catalog import read_package
from styletransfer.models.style_adapter import StyleAdapter
from styletransfer.styles import Style
from tests.conftest import picture
from tests.training.conftest import save_picture
from training.__main__ import main
from training.commands import budget
from training.engine.trainer import Trainer
from training.options import Features
from training.presets.learn_style import LearnStyle, learn_style


@pytest.fixture
def config(pictures: Path, tiny_package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LearnStyle:
    monkeypatch.setattr("training.presets.learn_style.SCORED", 2)
    return LearnStyle(
        package=str(tiny_package),
        paintings=pictures / "paintings" / "dots",
        photos=pictures / "photos",
        name="my-style",
        crop=64,
        features=Features(weights="random"),
        out=tmp_path / "run",
        updates=4,
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
    options = ["-o", str(file), "--add", str(copy), "--title", "Dots", "--artist", "A. Pointer", "--group", "Modern"]
    options += ["--rate", "0.02"]
    assert main(words(config, "--updates", "3", *options)) == 0, capsys.readouterr().err

    with_file, with_copy = load_pipeline(tiny_package), load_pipeline(copy)
    learned = with_file.load_style(file)
    assert learned.about == {"title": "Dots", "artist": "A. Pointer", "group": "Modern"} and learned.adapter
    for pipe in (with_file, with_copy):
        assert sorted(pipe.styles) == ["alpha", "beta", "my-style"]
        for style, painting in before.items():
            assert np.array_equal(np.asarray(pipe(photo, style).images[0]), painting)
    new = [np.asarray(pipe(photo, "my-style").images[0]) for pipe in (with_file, with_copy)]
    paintings = [Image.open(path) for path in sorted(config.paintings.iterdir())]
    encoded = np.asarray(with_file(photo, with_file.encode_style(paintings)).images[0])
    assert np.array_equal(*new) and not np.array_equal(new[0], encoded)

    for part in ("stylizer/diffusion_pytorch_model", "encoder/diffusion_pytorch_model", "styles/alpha", "styles/beta"):
        assert filecmp.cmp(tiny_package / f"{part}.safetensors", copy / f"{part}.safetensors", shallow=False)
    assert read_package(copy).thumbnail("my-style").is_file()
    card = (copy / "README.md").read_text()
    assert card.startswith((tiny_package / "README.md").read_text().rstrip()) and "* my-style:" in card
    own = (config.out / "pipeline" / "README.md").read_text()
    assert "Dots, A. Pointer" in own and "$" not in own
    assert str(config.paintings.parent) not in own and config.package not in own


def test_a_style_file_is_small():
    """Of the full-size generator, at most 0.6 MB."""
    factors = {name: factor.detach() for name, factor in StyleAdapter.of(StyleGenerator()).factors().items()}
    sizes = sum(factor.numel() for factor in factors.values())
    assert 2 * sizes + 4 * 192 < 600_000


def test_only_the_adapter_and_the_discriminator_move(config):
    preset = learn_style(config)
    before = {name: {key: value.clone() for key, value in net.state_dict().items()} for name, net in preset.nets.items()}
    Trainer(preset, config).train()
    moved = {
        name for name in before for key, value in before[name].items() if not same(preset.nets[name].state_dict(), key, value)
    }
    assert moved == {"adapter", "discriminator"}


def same(state: dict[str, Tensor], key: str, value: Tensor) -> bool:
    key = key if key in state else key.replace(".weight", ".parametrizations.weight.original")  # of spectral norm
    return torch.equal(state[key], value)


def test_it_starts_as_the_encoder_saw_the_paintings(config, tiny_pipe):
    """A new adapter changes nothing, and each painting keeps a code and a palette."""
    save_picture(config.paintings / "third.png", 30)
    preset = learn_style(config)
    preset.export({"adapter": preset.nets["adapter"]}, config.out / "pipeline")
    style = Style.load(config.out / "pipeline" / "style.safetensors")
    assert len(style.codes) == len(style.palettes) == 3
    photo = picture(seed=5)
    encoded = Style(style.codes, "encoded", style.palettes)
    assert np.array_equal(*(np.asarray(tiny_pipe(photo, one).images[0]) for one in (style, encoded)))


@pytest.mark.parametrize("of_the_package", [True, False])
def test_it_starts_from_the_strokes_of_another_style(config, tiny_package, tmp_path, of_the_package):
    """By name or by file: the adapter is that style's, code and palette are the paintings' own."""
    config = replace(config, updates=2, rate=2e-2)
    Trainer(learn_style(config), config).train()
    first = Style.load(config.out / "pipeline" / "style.safetensors")
    package, file = tmp_path / "package", tmp_path / "first.safetensors"
    shutil.copytree(tiny_package, package)
    first.named("first").save(package / "styles" / "first.safetensors" if of_the_package else file)
    other = replace(config, package=str(package), name="second", from_style="first" if of_the_package else str(file))
    adapter = learn_style(other).nets["adapter"].factors()
    assert adapter.keys() == first.adapter.keys() and any(factor.any() for name, factor in adapter.items() if "up" in name)
    assert all(torch.equal(adapter[name], factor) for name, factor in first.adapter.items())


@pytest.mark.parametrize("start", ["beta", "nobody"])
def test_a_style_without_strokes_is_no_start(config, start):
    with pytest.raises(ValueError, match=start):
        learn_style(replace(config, from_style=start))


def test_a_single_painting_in_a_file(config):
    config = replace(config, paintings=config.paintings / "1.png", updates=1)
    Trainer(learn_style(config), config).train()
    assert len(Style.load(config.out / "pipeline" / "style.safetensors").palettes) == 1


def test_every_painting_is_learned_and_held_out_are_photos_alone(config):
    """Of ten paintings and more too, whose tenth is not put aside: the codes of both parts are of the same paintings."""
    for number in range(10):
        save_picture(config.paintings / f"more-{number}.png", 30 + number)
        save_picture(config.photos / f"more-{number}.png", 50 + number)
    preset = learn_style(config)
    held = preset.scorer.held.stream()
    assert len(preset.nets["codes"].codes) == len(preset.data.paintings) == len(held.paintings) == 12
    assert len(preset.data.photos.images) == 13 and len(held.photos.images) == 1


@pytest.mark.slow
def test_the_score_on_held_out_photos_falls(config):
    """Most of it the content: random features say little of strokes."""
    config = replace(config, updates=30, validate_every=30, rate=5e-3, content=30.0, style=1.0)
    Trainer(learn_style(config), config).train()
    scores = [row["style_and_content"] for row in json.loads((config.out / "history.json").read_text())["scores"]]
    assert scores[-1] < 0.8 * scores[0], scores


def test_a_run_goes_on(config):
    straight = replace(config, out=config.out / "straight")
    one = Trainer(learn_style(straight), straight)
    one.train()
    halves = replace(config, out=config.out / "halves", save_every=2)
    first = Trainer(learn_style(halves), halves)
    first.progress = lambda: first.update / 4 if first.update < 2 else 1.0
    first.train()
    second = Trainer(learn_style(halves), replace(halves, resume=True))
    second.train()
    states = [torch.load(run.out / "state.pt", weights_only=True) for run in (straight, halves)]
    for part in ("nets", "averages"):
        for name, weights in states[0][part].items():
            for key, value in weights.items():
                assert torch.equal(value, states[1][part][name][key]), (part, name, key)
    files = [(run.out / "pipeline" / "style.safetensors") for run in (straight, halves)]
    one, other = map(Style.load, files)
    assert all(torch.equal(value, other.adapter[name]) for name, value in one.adapter.items())


def test_samples_show_the_photos(config):
    config = replace(config, sample_every=2)
    Trainer(learn_style(config), config).train()
    grid = Image.open(config.out / "samples" / "000002.jpg")
    assert grid.width == 4 * (64 + 8) + 8  # photo, painting, recoloured photo, result
    sample = learn_style(config).data[0]["photo"]
    corner = np.asarray(grid.crop((8, 8, 72, 72)), dtype=float) / 127.5 - 1
    assert np.abs(corner.transpose(2, 0, 1) - sample.numpy()).mean() < 0.05


def test_patience_ends_it(config, capsys, monkeypatch):
    given = iter([1.0, 0.5, 0.6, 0.7])
    config = replace(config, updates=20, validate_every=1, patience=2)
    preset = dataclasses.replace(learn_style(config), scorer=lambda nets: {"given": next(given)})
    trainer = Trainer(preset, config)
    trainer.train()
    assert trainer.update == 3 and "2 validations in a row were no better" in capsys.readouterr().out


def test_drawn_scenes_where_there_are_no_photos(config):
    scenes = replace(config, photos=None, updates=1)
    Trainer(learn_style(scenes), scenes).train()
    assert "practising on drawn scenes" in (scenes.out / "pipeline" / "README.md").read_text()


def test_crops_suit_the_minutes_and_stay_when_it_goes_on(config, monkeypatch):
    monkeypatch.setattr(budget, "speed", lambda config, build, wanted: {192: 0.1, 128: 0.1, 96: 9.0}[config.crop])
    config = replace(config, updates=None, minutes=10, crop=None)
    chosen, plan = budget.fit(config, learn_style)
    assert (chosen.crop, chosen.data.crop, plan.updates) == (96, 96, 5400)
    config.out.mkdir()
    (config.out / "state.pt").touch()
    (config.out / "config.json").write_text(json.dumps(dataclasses.asdict(chosen), default=str))
    assert budget.as_before(replace(config, resume=True)).crop == 96


def test_ctrl_c_saves_what_there_is(config, tmp_path, monkeypatch, capsys):
    report = Trainer.report

    def report_and_press_ctrl_c(trainer: Trainer, *arguments) -> None:
        report(trainer, *arguments)
        if trainer.update == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Trainer, "report", report_and_press_ctrl_c)
    file = tmp_path / "my-style.safetensors"
    assert main(words(config, "--minutes", "5", "--batch", "2", "-o", str(file))) == 0
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
        assert not config.out.exists() or [path.name for path in config.out.iterdir()] == ["pictures.json"]


def test_other_packages_cannot_learn(config, tmp_path):
    from styletransfer.models.transformer_net import TransformerNet
    from styletransfer.pipelines.translation import TranslationPipeline

    TranslationPipeline(TransformerNet(base_channels=4, num_blocks=1)).save_pretrained(tmp_path / "translator")
    with pytest.raises(ValueError, match="only a painter"):
        learn_style(replace(config, package=str(tmp_path / "translator")))
