"""What README.md and docs/ tell people to type works, their links lead somewhere, and their tables are those of the results."""

import argparse
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
import tyro
import yaml

from benchmarks import tables
from training.presets import PRESETS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^][]*\]\(([^)\s]+)\)")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page: Path, language: str) -> list[str]:
    """Code of a page. `python` is run here, `bash` too as far as a test can, `py` and `sh` in tests/ui/test_api.py."""
    return [code for name, code in FENCE.findall(page.read_text(encoding="utf-8")) if name == language]


def commands(page: Path) -> list[list[str]]:
    """Words of every command of the house: module or script, and arguments."""
    lines = [line for code in blocks(page, "bash") for line in code.splitlines()]
    found = []
    for command in (part for line in lines for part in line.split("&&")):
        words = shlex.split(command, comments=True)
        if "-m" in words and words[0] in ("python", "torchrun"):
            words = words[words.index("-m") + 1 :]
            if words[0].split(".")[0] in ("styletransfer", "training", "benchmarks"):
                found.append(words)
            if "--" in words:  # of a search: what follows are options of the preset
                found.append(["training", words[2], *words[words.index("--") + 1 :], "--updates", "1"])
        elif words[:2] == ["python", "app.py"]:
            found.append(words[1:])
    return found


COMMANDS = list({tuple(words): None for page in PAGES for words in commands(page)})


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with the files that the pages speak of."""
    from PIL import Image

    for number, name in enumerate(["photo.jpg", "any-painting.jpg", "painting.jpg", "holiday/a.jpg", "holiday/b.jpg"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.effect_mandelbrot((96, 80), (-2, -1.5, 1, 1.5), 20 + number).convert("RGB").save(tmp_path / name)
    (tmp_path / "model_cards").symlink_to(ROOT / "model_cards")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_python_examples(workplace):
    from PIL import Image

    import styletransfer

    space = {"mask": Image.new("L", (96, 80), 255), "other": Image.new("RGB", (40, 50)), "open_image": styletransfer.open_image}
    space["photo"] = styletransfer.open_image("photo.jpg")
    for code in (code for page in PAGES for code in blocks(page, "python")):
        exec(code, space)
    assert (workplace / "painting.png").is_file()
    assert (workplace / "mine.safetensors").stat().st_size < 5000
    assert "mine" in space["pipe"].styles


def test_command_line_examples(workplace):
    from styletransfer.__main__ import main

    for words in COMMANDS:
        if words[0] == "styletransfer":
            assert main(list(words[1:])) == 0, words
    assert len(list((workplace / "painted").iterdir())) == 2


class Understood(Exception):
    """The options of a command were parsed, and nothing was begun."""


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_options_are_understood(words, monkeypatch):
    def stopping(parse):
        def parse_and_stop(*arguments, **options):
            parse(*arguments, **options)
            raise Understood

        return parse_and_stop

    monkeypatch.setattr(tyro, "cli", stopping(tyro.cli))
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stopping(argparse.ArgumentParser.parse_args))
    monkeypatch.setattr(sys, "argv", list(words))
    with pytest.raises(Understood):
        if words[0].endswith(".py"):
            runpy.run_path(str(ROOT / words[0]), run_name="__main__")
        else:
            runpy.run_module(words[0], run_name="__main__", alter_sys=True)


@pages
def test_links(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        path = page.parent / file if file else page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path), target


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub and the Hub name them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pages
def test_tables_are_those_of_the_results(page):
    """`python -m benchmarks.tables` writes them anew."""
    text = page.read_text(encoding="utf-8")
    assert tables.refreshed(text) == text


def test_every_table_of_the_measurements_is_generated():
    text = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    assert len(tables.PART.findall(text)) == text.count("<!-- table: ") == text.count("<!-- end -->")
    assert not re.search(r"^\|", tables.PART.sub("", text), re.MULTILINE)


def test_the_table_of_systems_has_every_preset():
    rows = re.findall(r"^\| (`.+?) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row)} == PRESETS.keys()


def test_front_matter_of_the_space():
    card = yaml.safe_load(README.read_text(encoding="utf-8").split("---\n")[1])
    assert card["sdk"] == "gradio" and (ROOT / card["app_file"]).is_file()
    assert isinstance(card["python_version"], str) and tuple(map(int, card["python_version"].split("."))) >= (3, 11)
