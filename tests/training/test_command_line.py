"""`python -m training`: listing costs nothing, mistakes are one sentence, a run can be resumed."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from training.__main__ import COMMANDS, main
from training.engine.run_folder import claimed
from training.options import Data
from training.presets import PRESETS
from training.presets.painter import Painter


def test_list_and_help_without_torch():
    shown = {
        "--list": "painter",
        "--help": "painter",
        "painter --help": "--data.photos",
        "learn-style --help": "--paintings",
        "finetune --help": "--replay",
        "check --help": "--crop",
        "export --help": "--push",
        "cards --help": "--evaluation",
    }
    code = """
import sys
from training.__main__ import main
for words in sys.argv[1:]:
    print("command:", words)
    try:
        main(words.split())
    except SystemExit:
        pass
    assert "torch" not in sys.modules, words
"""
    result = subprocess.run([sys.executable, "-c", code, *shown], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    answers = dict(part.split("\n", 1) for part in result.stdout.split("command: ")[1:])
    assert {words: part in answers[words] for words, part in shown.items()} == dict.fromkeys(shown, True)


def test_every_command_is_listed_and_has_a_module(capsys):
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out
    for name in (*PRESETS, *COMMANDS):
        assert f"  {name} " in listed
    assert all(find_spec(f"training.commands.{name.replace('-', '_')}") for name in COMMANDS)
    assert main(["paint"]) == 2
    assert "no preset or command 'paint'" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "library"), [(["search", "--help"], "optuna"), (["check", "--help"], "tyro")])
def test_a_library_that_only_training_needs_is_named(words, library, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    for name in [name for name in sys.modules if name.startswith("training.commands")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert library in error and "pip install -r training/requirements.txt" in error


def test_no_budget(pictures, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["painter", "--data.photos", str(pictures / "photos"), "--data.paintings", str(pictures / "paintings")])
    assert stop.value.code == 2
    assert "--minutes" in capsys.readouterr().err


def test_bad_file_is_named(pictures, tmp_path, capsys):
    (pictures / "photos" / "broken.jpg").write_bytes(b"not a picture")
    arguments = ["--data.photos", str(pictures / "photos"), "--data.paintings", str(pictures / "paintings")]
    assert main(["painter", *arguments, "--data.crop", "64", "--updates", "1", "--out", str(tmp_path / "run")]) == 2
    assert "broken.jpg" in capsys.readouterr().err
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.mark.parametrize(("change", "words"), [({"batch": 0}, "--batch"), ({"batch": 4, "accumulate": 3}, "equal parts")])
def test_impossible_options(pictures, change, words):
    data = Data(photos=pictures / "photos", paintings=pictures / "paintings")
    with pytest.raises(ValueError, match=words):
        Painter(data=data, updates=1, **change)


@pytest.mark.slow
def test_a_whole_run_and_its_resumption(pictures, tmp_path):
    common = ["painter", "--data.photos", str(pictures / "photos"), "--data.paintings", str(pictures / "paintings")]
    common += ["--data.crop", "64", "--features.weights", "random", "--batch", "2", "--device", "cpu", "--precision", "no"]
    common += ["--tracker", "none"]
    out = tmp_path / "run"
    assert main([*common, "--out", str(out), "--updates", "1"]) == 0
    assert main([*common, "--out", str(out), "--updates", "2", "--resume"]) == 0
    assert (out / "config.json").is_file() and (out / "pipeline" / "model_index.json").is_file()


def test_a_run_is_not_trained_over(pictures, tmp_path, capsys):
    """Without --resume its state stays; and nobody else works in its folder."""
    words = ["painter", "--data.photos", str(pictures / "photos"), "--data.paintings", str(pictures / "paintings")]
    out = tmp_path / "run"
    words += ["--updates", "1", "--out", str(out)]
    out.mkdir()
    (out / "state.pt").write_bytes(b"hours of work")
    assert main(words) == 2 and "--resume" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["state.pt"]
    (out / "state.pt").unlink()
    with claimed(out, resume=False):
        assert main(words) == 2 and "another training" in capsys.readouterr().err
    assert not out.exists()
