"""What a finetuning needs beside the package: published only when asked for, and fetched only by those who finetune."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file

from styletransfer import load_pipeline
from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.pipelines.loading import fetch
from tests.hub.conftest import hub  # noqa: F401 as a fixture
from training.__main__ import main
from training.engine.trainer import Trainer
from training.packaging.training_state import STATE_FILES, read_training_state, write_training_state

FILES = {f"training_state/discriminator/{file}" for file in ("state.safetensors", "network.json")}


@pytest.fixture
def published(tiny_painter, config, tmp_path: Path):
    """The package of a run with its training state, and the trainer."""
    trainer = Trainer(tiny_painter, dataclasses.replace(config, updates=1))
    trainer.train()
    assert main(["export", str(config.out), "--out", str(tmp_path / "package"), "--with-training-state"]) == 0
    return tmp_path / "package", trainer


def test_the_discriminators_come_back_as_they_were(published):
    package, trainer = published
    states = read_training_state(package)
    assert states.keys() == {"discriminator"}  # stylizer and encoder ship as averages
    state = states["discriminator"]
    torch.testing.assert_close(state, dict(trainer.nets["discriminator"].state_dict()), rtol=0, atol=0)
    arguments = json.loads((package / "training_state" / "discriminator" / "network.json").read_text())
    assert arguments["_class_name"] == "PatchDiscriminator"
    built = PatchDiscriminator.from_config(arguments)
    sizes = {key: value.shape for key, value in built.state_dict().items()}
    weights = {key.replace("parametrizations.", "").replace(".original", ""): v.shape for key, v in state.items()}
    assert sizes.items() <= weights.items()  # beside the vectors of spectral norm


def test_it_is_off_by_default_and_never_in_the_way(published, config, tmp_path):
    package, _ = published
    assert {path.relative_to(package).as_posix() for path in (package / "training_state").rglob("*.*")} == FILES
    assert load_pipeline(package).styles == []
    assert main(["export", str(config.out), "--out", str(tmp_path / "plain")]) == 0
    assert not (tmp_path / "plain" / "training_state").exists()
    with pytest.raises(FileNotFoundError, match="was published without its discriminators"):
        read_training_state(tmp_path / "plain")


def test_only_a_finetuning_fetches_it(published, hub):  # noqa: F811
    package, _ = published
    hub.add_repo("user/painter", package)
    load_pipeline("user/painter")
    DiffusionPipeline.download("user/painter", trust_remote_code=True)
    got = {path for _, path, status in hub.calls if status == 200}
    assert any(path.endswith("stylizer/diffusion_pytorch_model.safetensors") for path in got)
    assert not any("training_state" in path and "resolve" in path for path in got)
    folder = fetch("user/painter", files=STATE_FILES)
    torch.testing.assert_close(read_training_state(folder), read_training_state(package), rtol=0, atol=0)


def test_what_cannot_be_published_is_said(tiny_package, tmp_path, capsys):
    assert main(["export", str(tiny_package), "--push", "user/painter", "--with-training-state"]) == 2
    assert "is a package already" in capsys.readouterr().err
    run = tmp_path / "run"
    shutil.copytree(tiny_package, run / "pipeline")
    with pytest.raises(ValueError, match=r"holds no state of a training: there is no .*state\.pt$"):
        write_training_state(run, run / "pipeline")
    torch.save({"nets": {"d": {"w": torch.ones(1)}}, "averages": {}}, run / "state.pt")
    with pytest.raises(ValueError, match="does not say how d is built; go on training with --resume"):
        write_training_state(run, run / "pipeline")
    assert not (run / "pipeline" / "training_state").exists()


def test_damage_is_refused(published):
    package, _ = published
    path = package / "training_state" / "discriminator" / "state.safetensors"
    weights = load_file(path)
    first = next(iter(weights))
    save_file(weights | {first: torch.full_like(weights[first], torch.nan)}, path)
    with pytest.raises(ValueError, match="values that are not finite"):
        read_training_state(package)
    path.write_bytes(b"\x80\x04 a pickle in disguise")
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        read_training_state(package)
