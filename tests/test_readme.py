"""What the README tells people to type works, and the packages that ship say all they must."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from styletransfer.catalog import list_packages

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGES = list_packages(ROOT / "model_cards")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with the files that the README speaks of."""
    from PIL import Image

    for number, name in enumerate(["photo.jpg", "any-painting.jpg", "painting.jpg", "holiday/a.jpg", "holiday/b.jpg"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.effect_mandelbrot((96, 80), (-2, -1.5, 1, 1.5), 20 + number).convert("RGB").save(tmp_path / name)
    (tmp_path / "model_cards").symlink_to(ROOT / "model_cards")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(not PACKAGES, reason="no trained package in model_cards/")
def test_python_examples(workplace):
    from PIL import Image

    import styletransfer

    space = {"mask": Image.new("L", (96, 80), 255), "other": Image.new("RGB", (40, 50)), "open_image": styletransfer.open_image}
    space["photo"] = styletransfer.open_image("photo.jpg")
    for code in blocks("python"):
        exec(code, space)
    assert (workplace / "painting.png").is_file()
    assert (workplace / "mine.safetensors").stat().st_size < 5000
    assert "mine" in space["pipe"].styles


@pytest.mark.skipif(not PACKAGES, reason="no trained package in model_cards/")
def test_command_line_examples(workplace):
    from styletransfer.__main__ import main

    lines = [line for block in blocks("bash") for line in block.splitlines() if line.startswith("python -m styletransfer ")]
    assert len(lines) >= 4
    for line in lines:
        assert main(shlex.split(line)[3:]) == 0, line
    assert len(list((workplace / "painted").iterdir())) == 2


def test_front_matter_of_the_space():
    card = yaml.safe_load(README.split("---\n")[1])
    assert card["sdk"] == "gradio" and (ROOT / card["app_file"]).is_file()
    assert isinstance(card["python_version"], str) and tuple(map(int, card["python_version"].split("."))) >= (3, 11)


def test_linked_files_exist():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_cards(package):
    text = (package.path / "README.md").read_text(encoding="utf-8")
    assert package.card["license"] and package.card["pipeline_tag"]
    for heading in ("## Use", "## Data", "## Training", "## Results", "## Limits"):
        assert heading in text
    assert not re.search(r"TODO|FIXME|\$\{|Not measured", text)
    assert all(package.thumbnail(style) for style in package.styles)
    size = sum(file.stat().st_size for file in package.path.rglob("*.safetensors"))
    assert size <= 8e6 + 0.6e6 * len(package.styles)


def test_both_kinds_of_packages_ship():
    styles = {package.kind: len(package.styles) for package in PACKAGES}
    assert styles.keys() >= {"StyleTransferPipeline", "GenerationPipeline"} and styles["StyleTransferPipeline"] >= 6
