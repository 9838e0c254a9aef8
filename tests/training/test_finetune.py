"""Finetuning goes on from what was published: new styles join the package, and old ones are rehearsed so that they stay."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from styletransfer import load_pipeline
from styletransfer.images import open_image, to_tensor
from styletransfer.models.transformer_net import TransformerNet
from styletransfer.pipelines.translation import TranslationPipeline
from styletransfer.styles import Style
from tests.training.conftest import save_picture, tiny_nets
from training.__main__ import main
from training.cards import read_json
from training.config import Data, Features, Painter
from training.data.replay import MADE, arrange, parted
from training.finetune import Finetune, Replay, prepare
from training.forgetting import Loss, judge, table
from training.metrics.intervals import Interval
from training.presets.finetune import finetune, painter_of
from training.presets.painter import painter
from training.trainer import Trainer
from training.training_state import read_training_state, write_training_state


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painter of random weights with the styles dots and lines, published with its discriminators."""
    folder = tmp_path_factory.mktemp("published")
    for number in range(4):
        save_picture(folder / "photos" / f"{number}.png", number)
        save_picture(folder / "paintings" / ("dots" if number % 2 else "lines") / f"{number}.png", 10 + number)
    config = Painter(
        data=Data(photos=folder / "photos", paintings=folder / "paintings", crop=64),
        features=Features(weights="random"),
        out=folder,
        updates=1,
        device="cpu",
        precision="no",
        tracker="none",
    )
    torch.manual_seed(0)
    trainer = Trainer(tiny_nets(painter(config)), config)
    trainer.save()
    trainer.preset.export(trainer.shipping(), folder / "package")
    write_training_state(folder, folder / "package")
    return folder / "package"


@pytest.fixture
def package(published: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(published, tmp_path / "package"))


@pytest.fixture
def more(package: Path, pictures: Path, tmp_path: Path) -> Finetune:
    """Options to teach that painter the style crosses."""
    for number in range(3):
        save_picture(pictures / "more" / "crosses" / f"{number}.png", 20 + number)
    return Finetune(
        start=str(package),
        data=Data(photos=pictures / "photos", paintings=pictures / "more", crop=64),
        replay=Replay(count=3),
        features=Features(weights="random"),
        out=tmp_path / "finetuned",
        updates=2,
        batch=2,
        device="cpu",
        precision="no",
        tracker="none",
        validate_every=0,
    )


def words(config: Finetune, *extra: str) -> list[str]:
    """The command line of `config`."""
    given = ["finetune", config.start, "--data.photos", config.data.photos, "--data.paintings", config.data.paintings]
    given += ["--data.crop", 64, "--replay.count", config.replay.count, "--features.weights", "random", "--out", config.out]
    given += ["--updates", config.updates, "--batch", 2, "--device", "cpu", "--precision", "no", "--tracker", "none"]
    return [*map(str, given), "--validate-every", "0", *extra]


def begun(config: Finetune):
    """The preset of a run that has not begun, and the old painter."""
    folder, pipe = painter_of(config.start)
    prepare(config, pipe)
    return finetune(config, folder, pipe), pipe


def painting(pipe, config: Finetune, style: str) -> np.ndarray:
    photo = open_image(config.data.photos / "0.png")
    return np.asarray(pipe(photo, style).images[0], dtype=float)


def test_old_and_new_styles_and_what_was_forgotten(more, capsys):
    assert main(words(more)) == 0, capsys.readouterr().err
    out = capsys.readouterr().out
    assert load_pipeline(more.out / "pipeline").styles == ["crosses", "dots", "lines"]
    report = read_json(more.out / "forgetting.json")
    assert [row["style"] for row in report["styles"]] == ["dots", "lines"]
    assert all(row["painted_by_the_package"] and row["moved"]["value"] > 0 for row in report["styles"])
    assert report["verdict"] in out and "old style" in out
    card = (more.out / "pipeline" / "README.md").read_text()
    assert "python -m training finetune package --updates 2 " in card and "--data.photos photos" in card
    assert report["verdict"] in card
    assert "dots (3, painted by package)" in card and "crosses (3)" in card and str(more.out.parent) not in card
    assert (more.out / "pipeline" / "samples" / "crosses.jpg").is_file()
    assert read_json(more.out / "config.json")["preset"] == "finetune"


def test_before_the_first_update_nothing_has_changed(more, capsys):
    """The discriminators go on as they were, whatever place the new label takes among the old, and old styles paint as before."""
    preset, old = begun(more)
    assert preset.data.styles == ["crosses", "dots", "lines"] and preset.rates == {"generator": 2e-4, "discriminator": 2e-4}
    assert "random weights" not in capsys.readouterr().out
    for name, published in read_training_state(Path(more.start)).items():
        continued = preset.nets[name].state_dict()
        assert continued.keys() == published.keys()
        for key, value in published.items():
            if ".embedding." in key and not key.endswith("_v"):
                assert torch.equal(continued[key][1:], value) and not continued[key][0].any()
            else:
                assert torch.equal(continued[key], value), key
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    net = preset.nets["discriminator"].eval()
    crosses, dots, lines = (net(picture, torch.tensor([label]))[0] for label in range(3))
    assert not torch.equal(dots, lines) and not torch.equal(crosses, dots)
    assert torch.isfinite(crosses).all()

    preset.export({name: preset.nets[name] for name in preset.averaged}, more.out / "pipeline")
    new = load_pipeline(more.out / "pipeline")
    for style in old.styles:
        assert torch.allclose(new.named[style].codes, old.named[style].codes, atol=1e-6)
        assert np.abs(painting(new, more, style) - painting(old, more, style)).max() <= 1


def test_old_codes_follow_the_encoder(more):
    """After the encoder has moved, the codes of an old style have moved as the codes of its paintings have."""
    preset, old = begun(more)
    encoder = preset.nets["encoder"]
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    preset.export({name: preset.nets[name] for name in preset.averaged}, more.out / "pipeline")
    codes = load_pipeline(more.out / "pipeline").named["dots"].codes
    number = preset.data.styles.index("dots")
    images = [to_tensor(image) for image in preset.data.paintings[number].images]
    with torch.no_grad():
        shift = sum(encoder(image) - old.encoder(image) for image in images) / len(images)
    wanted = old.named["dots"].codes + shift
    wanted = wanted / wanted.square().mean(dim=1, keepdim=True).sqrt()
    assert (codes - old.named["dots"].codes).abs().max() > 0.01
    assert torch.allclose(codes, wanted, atol=1e-4)


def test_rehearsed_styles_move_less(more):
    """The same training with and without replay: how far the old styles are from what they were."""
    moved = {}
    for count in (4, 0):
        config = replace(more, replay=Replay(count=count), rate=1e-3, updates=12, out=more.out / str(count), save_every=100)
        preset, old = begun(config)
        Trainer(preset, config).train()
        new = load_pipeline(config.out / "pipeline")
        assert new.styles == ["crosses", "dots", "lines"]
        moved[count] = sum(np.abs(painting(new, more, style) - painting(old, more, style)).mean() for style in old.styles)
    assert moved[4] < 0.8 * moved[0], moved


def test_a_run_goes_on(more):
    """Stopped half way and resumed, with the same replayed paintings, it ends as one that ran through."""
    straight = replace(more, updates=4, save_every=2, out=more.out / "straight")
    preset, _ = begun(straight)
    Trainer(preset, straight).train()
    halves = replace(straight, out=more.out / "halves")
    preset, _ = begun(halves)
    first = Trainer(preset, halves)
    first.progress = lambda: first.update / 4 if first.update < 2 else 1.0
    first.train()
    painted = {path: path.stat().st_mtime_ns for path in (halves.out / "data").rglob("*.jpg")}
    resumed = replace(halves, resume=True)
    preset, _ = begun(resumed)
    assert painted and painted == {path: path.stat().st_mtime_ns for path in (halves.out / "data").rglob("*.jpg")}
    Trainer(preset, resumed).train()
    one, other = (torch.load(config.out / "state.pt", weights_only=True)["nets"] for config in (straight, halves))
    for name in one:
        for key, value in one[name].items():
            assert torch.equal(value, other[name][key]), (name, key)


def test_paintings_that_are_still_there_are_taken(more, pictures):
    config = replace(more, replay=Replay(paintings=pictures / "paintings", count=2), data=more.data)
    shutil.rmtree(pictures / "paintings" / "lines")
    preset, _ = begun(config)
    files = {path.name for path in (config.pictures / "train" / "paintings" / "dots").iterdir()}
    assert files == {"0000-1.png", "0001-3.png"}
    assert read_json(config.pictures / MADE)["painted"] == {"lines": 2}
    assert [len(paintings) for paintings in preset.data.paintings] == [3, 2, 2]


def test_an_old_style_can_be_taught_again(more, pictures):
    config = replace(more, data=replace(more.data, paintings=pictures / "paintings"))
    preset, old = begun(config)
    assert preset.data.styles == old.styles == ["dots", "lines"]
    assert preset.export.kept == {} and read_json(config.pictures / MADE)["painted"] == {}


def test_what_is_held_out_is_not_trained_on(tiny_pipe, pictures, tmp_path):
    for number in range(20):
        save_picture(pictures / "photos" / f"more-{number:02d}.png", 30 + number)
    arrange(tmp_path / "arranged", tiny_pipe, pictures / "photos", pictures / "paintings", crop=64, count=5)
    train, held = ({path.resolve() for path in (tmp_path / "arranged" / part / "photos").iterdir()} for part in ("train", "held"))
    assert len(train) == 20 and len(held) == 2 and not train & held
    for style in ("alpha", "beta"):
        counts = [len(list((tmp_path / "arranged" / part / "paintings" / style).iterdir())) for part in ("train", "held")]
        assert counts == [5, 2]
    assert not (tmp_path / "arranged" / "held" / "paintings" / "dots").exists()
    assert parted(pictures / "paintings" / "dots")[0] == parted(pictures / "paintings" / "dots")[1]


def test_an_interrupted_arrangement_leaves_nothing(tiny_pipe, pictures, tmp_path, monkeypatch):
    made = []
    paint = type(tiny_pipe).__call__

    def once(pipe, *arguments):
        if made:
            raise KeyboardInterrupt
        made.append(True)
        return paint(pipe, *arguments)

    monkeypatch.setattr(type(tiny_pipe), "__call__", once)
    with pytest.raises(KeyboardInterrupt):
        arrange(tmp_path / "arranged", tiny_pipe, pictures / "photos", pictures / "paintings", crop=64)
    assert not (tmp_path / "arranged").exists()


def test_without_discriminators_new_ones_start(more, capsys):
    shutil.rmtree(Path(more.start) / "training_state")
    preset, _ = begun(more)
    assert "published without its discriminators" in (said := capsys.readouterr().out) and "random weights" in said
    assert preset.nets["discriminator"].config.num_labels == 3


def test_rows_of_unknown_styles_start_anew(more):
    """A style that was learned later has no row: nobody knows whose the rows are."""
    pipe = load_pipeline(more.start)
    pipe.add_style(Style(pipe.named["dots"].codes.clone(), "later"))
    pipe.save_pretrained(more.start)
    preset, _ = begun(more)
    rows = preset.nets["judge"].state_dict()["columns.0.embedding.parametrizations.weight.original"]
    assert rows.shape[0] == 4 and rows.abs().amin(dim=0).any() and torch.isfinite(rows).all()
    state = read_training_state(Path(more.start))["judge"]
    assert torch.equal(preset.nets["judge"].state_dict()["columns.0.mix.bias"], state["columns.0.mix.bias"])


def test_mistakes_are_one_sentence(more, pictures, tmp_path, capsys):
    TranslationPipeline(TransformerNet(base_channels=4, num_blocks=1)).save_pretrained(tmp_path / "translator")
    (tmp_path / "mine" / "data").mkdir(parents=True)
    (tmp_path / "mine" / "data" / "letter.txt").write_text("keep me")
    for change, extra, hint in (
        ({"start": str(tmp_path / "translator")}, [], "only a painter"),
        ({"start": str(tmp_path)}, [], "model_index.json"),
        ({"out": tmp_path / "mine"}, [], "in the way"),
        ({}, ["--replay.paintings", str(pictures / "more")], "which are dots, lines"),
        ({}, ["--game", "relativistic"], "another --game"),
        ({"replay": Replay()}, ["--replay.count", "-1"], "--replay.count"),
        ({"data": replace(more.data, paintings=pictures / "photos")}, [], "one folder of paintings for each style"),
    ):
        try:
            assert main(words(replace(more, **change), *extra)) == 2, hint
        except SystemExit as stop:
            assert stop.code == 2
        error = capsys.readouterr().err
        assert hint in " ".join(error.replace("│", "").split()) and "Traceback" not in error, error
    assert (tmp_path / "mine" / "data" / "letter.txt").read_text() == "keep me"


def test_the_sentence_on_what_was_lost():
    def loss(style: str, *lost: float) -> Loss:
        values = {"before": 0.2, "after": 0.3, "photo": 0.6}
        return Loss(style, 5, values, values, {"value": 0.1, "photo": 0.3}, Interval(*lost) if lost else None)

    kept = judge([loss("dots", 0.04, -0.02, 0.1), loss("lines", -0.1, -0.2, 0.0), loss("odd")], photos=12)
    assert kept == "Old styles are kept, on 12 held-out photos: none of 3 lost more than 4% of what sets it apart."
    unsure, gone = loss("unsure", 0.4, -0.1, 0.9), loss("gone", 0.25, 0.2, 0.3)
    said = judge([unsure, gone], photos=1)
    assert said.startswith("Old styles are forgotten, on 1 held-out photo, too few to be sure: 1 of 2 lost more than 10%")
    assert "gone (25%)" in said and "unsure" not in said
    assert table([gone]).splitlines()[1].split("  ")[0] == "gone" and "0.200 -> 0.300" in table([gone])


def test_help_without_torch():
    code = "import sys; from training.__main__ import main\ntry: main(['finetune', '--help'])\nexcept SystemExit: pass\n"
    result = subprocess.run([sys.executable, "-c", code + "assert 'torch' not in sys.modules"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "--replay.paintings" in result.stdout and "PACKAGE" in result.stdout


def test_options_are_json(more):
    begun(more)
    assert json.loads((more.out / "config.json").read_text())["replay"] == {"paintings": None, "count": 3}
