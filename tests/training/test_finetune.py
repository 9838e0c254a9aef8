"""Finetuning goes on from what was published: all networks learn, older paintings can be rehearsed, adapters are dropped."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from styletransfer import load_pipeline
from styletransfer.models.style_adapter import StyleAdapter
from styletransfer.models.transformer_net import TransformerNet
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.pipelines.translation import TranslationPipeline
from tests.conftest import picture
from tests.training.conftest import save_picture, tiny_nets
from training.__main__ import main
from training.commands.changes import describe_changes
from training.engine.trainer import Trainer
from training.options import Data, Features
from training.packaging.cards import read_json
from training.packaging.training_state import read_training_state, write_training_state
from training.presets.finetune import DROPPED, Finetune, finetune
from training.presets.painter import Painter, load_painter, painter


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painter of random weights with the styles alpha, adapted, and beta, an enlarger, and its discriminator."""
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
    package = folder / "package"
    trainer.preset.export(trainer.averaged_nets(), package)
    pipe = load_pipeline(package)
    adapter = StyleAdapter.of(pipe.stylizer, rank=2)
    for up in adapter.up.values():
        torch.nn.init.normal_(up, std=0.1)
    alpha = pipe.encode_style(picture(seed=1), "alpha")
    pipe.add_style(replace(alpha, adapter={name: factor.detach() for name, factor in adapter.factors().items()}))
    pipe.add_style(pipe.encode_style(picture(seed=2), "beta"))
    pipe.register_modules(enlarger=UpscaleGenerator(base_channels=4, num_blocks=1))
    pipe.save_pretrained(package)
    write_training_state(folder, package)
    return package


@pytest.fixture
def package(published: Path, tmp_path: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(published, tmp_path / "package"))


@pytest.fixture
def more(package: Path, pictures: Path, tmp_path: Path) -> Finetune:
    """Options to teach that painter other paintings."""
    for number in range(3):
        save_picture(pictures / "more" / f"{number}.png", 20 + number)
    return Finetune(
        pretrained=str(package),
        data=Data(photos=pictures / "photos", paintings=pictures / "more", crop=64),
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
    given = ["finetune", config.pretrained, "--data.photos", config.data.photos, "--data.paintings", config.data.paintings]
    given += ["--data.crop", 64, "--features.weights", "random", "--out", config.out, "--updates", config.updates]
    return [
        *map(str, given),
        *["--batch", "2", "--device", "cpu", "--precision", "no", "--tracker", "none", "--validate-every", "0"],
        *extra,
    ]


def begun(config: Finetune):
    """The preset of a run that has not begun, and the old painter."""
    return finetune(config), load_painter(config.pretrained)[1]


def test_styles_stay_without_their_adapters_and_changes_are_told(more, pictures, package, capsys):
    assert main(words(more, "--replay", str(pictures / "paintings"))) == 0, capsys.readouterr().err
    told = capsys.readouterr()
    assert f"warning: {DROPPED}" in told.err
    old, new = load_pipeline(package), load_pipeline(more.out / "pipeline")
    assert new.styles == ["alpha", "beta"] and new.enlarger is not None
    for name, style in new.named.items():
        assert style.adapter == {} and torch.equal(style.codes, old.named[name].codes)
        assert torch.equal(style.palettes[0].covariance, old.named[name].palettes[0].covariance)
    for network in ("stylizer", "encoder"):
        pairs = zip(getattr(old, network).parameters(), getattr(new, network).parameters(), strict=True)
        assert any(not torch.equal(before, after) for before, after in pairs)
    changes = read_json(more.out / "changes.json")
    assert changes.keys() == {"new paintings", "older paintings"}
    before, after = changes["new paintings"]["neighbor_distance"]
    assert 0 < after != before > 0
    assert (sentence := describe_changes(changes, "training data")) in told.out  # folders of fewer than ten
    card = (more.out / "pipeline" / "README.md").read_text()
    assert "python -m training finetune package --updates 2 " in card and "--data.photos photos" in card
    assert sentence in card and DROPPED in card and str(more.out.parent) not in card
    assert "* paintings: 3 files" in card and "* older paintings: 4 files" in card
    assert (more.out / "pipeline" / "samples" / "alpha.jpg").is_file()
    assert read_json(more.out / "config.json")["preset"] == "finetune"


def test_before_the_first_update_nothing_has_changed(more, package, capsys):
    """The networks and the discriminator go on as they were."""
    preset, old = begun(more)
    assert preset.rates["generator"] == 2e-4 and len(preset.data.paintings) == 3
    assert "random weights" not in capsys.readouterr().out
    continued = preset.nets["discriminator"].state_dict()
    torch.testing.assert_close(dict(continued), read_training_state(package)["discriminator"], rtol=0, atol=0)
    preset.export({name: preset.nets[name] for name in preset.averaged}, more.out / "pipeline")
    new, photo, painting = load_pipeline(more.out / "pipeline"), picture(seed=5), picture(seed=6)
    for style in ("beta", painting):
        assert np.array_equal(*(np.asarray(pipe(photo, style).images[0]) for pipe in (old, new)))


def test_half_of_the_samples_are_older_paintings(more, pictures):
    preset, _ = begun(replace(more, replay=pictures / "paintings"))
    labels = [int(preset.data[position]["label"]) for position in range(40)]
    assert len(preset.data.paintings) == 7 and all((label >= 3) == bool(i % 2) for i, label in enumerate(labels))
    judged = {int(sample["label"]) for sample in preset.scorer.held.samples}
    assert min(judged) < 3 <= max(judged)


def test_a_run_goes_on(more):
    """Stopped half way and resumed, it ends as one that ran through."""
    straight = replace(more, updates=4, save_every=2, out=more.out / "straight")
    Trainer(begun(straight)[0], straight).train()
    halves = replace(straight, out=more.out / "halves")
    first = Trainer(begun(halves)[0], halves)
    first.progress = lambda: first.update / 4 if first.update < 2 else 1.0
    first.train()
    resumed = replace(halves, resume=True)
    Trainer(begun(resumed)[0], resumed).train()
    one, other = (torch.load(config.out / "state.pt", weights_only=True)["nets"] for config in (straight, halves))
    for name in one:
        for key, value in one[name].items():
            assert torch.equal(value, other[name][key]), (name, key)


def test_without_a_discriminator_a_new_one_starts(more, package, capsys):
    shutil.rmtree(package / "training_state")
    preset, _ = begun(more)
    assert "published without its discriminators" in (said := capsys.readouterr().out) and "random weights" in said
    assert preset.nets["discriminator"].config.code_size == 8


def test_mistakes_are_one_sentence(more, package, tmp_path, capsys):
    TranslationPipeline(TransformerNet(base_channels=4, num_blocks=1)).save_pretrained(tmp_path / "translator")
    other = Path(shutil.copytree(package, tmp_path / "other"))
    network = other / "training_state" / "discriminator" / "network.json"
    network.write_text(network.read_text().replace('"code_size": 8', '"code_size": 7'))
    for change, extra, hint in (
        ({"pretrained": str(tmp_path / "translator")}, [], "only a painter"),
        ({"pretrained": str(tmp_path)}, [], "model_index.json"),
        ({"pretrained": str(other)}, [], "takes codes of 7 floats, the encoder's have 8"),
        ({}, ["--replay", str(tmp_path / "nowhere")], "nowhere"),
    ):
        assert main(words(replace(more, **change), *extra)) == 2, hint
        error = capsys.readouterr().err
        assert hint in error and "Traceback" not in error, error


def test_the_sentence_on_what_changed():
    changes = {"new paintings": {"neighbor_distance": [0.5, 0.25], "content_distance": [0.1, 0.2]}}
    said = describe_changes(changes, "held-out data")
    assert "on held-out data" in said
    assert [float(number) for number in re.findall(r"\d\.\d+", said)] == [0.5, 0.25, 0.1, 0.2]
    assert "--replay" in said  # nothing is known of the older ones
    assert "--replay" not in describe_changes(changes | {"older paintings": changes["new paintings"]}, "training data")
