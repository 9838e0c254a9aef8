"""`python -m styletransfer.space user/space --package model_cards/painter -o my-space`: the web demo of a package as a Space."""

import argparse
import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from styletransfer.catalog import MODEL_CARDS, REPOSITORY, Package, find_package, read_package
from styletransfer.command import answered
from styletransfer.upload import upload

PYTHON = "3.12"  # a Space without it gets 3.10, which torch and diffusers no longer support
# no torchvision, which only the training needs
REQUIREMENTS = (
    "torch",
    "diffusers",
    "huggingface_hub",
    "safetensors",
    "gradio",
    "pillow",
    "numpy",
    "psutil",
    "pyyaml",
    "markdown-it-py",
    "filelock",
)
CARD = """---
title: {title}
emoji: 🎨
colorFrom: indigo
colorTo: yellow
sdk: gradio
sdk_version: {gradio}
python_version: "{python}"
app_file: app.py
license: {license}
short_description: Drop a photo, pick a style, drag the strength
tags: [style-transfer, gan, image-to-image]
{models}suggested_hardware: cpu-basic
---

# {heading}

Photos become paintings{styles}. {weights}

Run it at home (Python 3.11 or newer):

```bash
pip install -r requirements.txt && python app.py
```
"""

HERE = "Nothing is downloaded when this Space starts: its weights lie in `{folder}`, with their card."
ON_THE_HUB = """Its weights and their card are those of [{model}](https://huggingface.co/{model}),
which the Hub puts into this Space when it is built. If they are private, it needs a secret `HF_TOKEN` that may read them."""


def write_space(folder: Path, package: Package, title: str, model: str | None = None) -> None:
    """Write the demo of `package` into an empty `folder`: the app, the code and the weights it needs, and a card.

    Args:
        title: What to call the Space.
        model: Repository that the package was fetched from. The Space gets it from there too, and no weights of its own.
    """
    if not (REPOSITORY / "app.py").is_file():
        raise FileNotFoundError(f"a Space is made from a checkout of the whole repository: {REPOSITORY} has no app.py")
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; give a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(REPOSITORY / "app.py", folder)
    hidden = shutil.ignore_patterns("__pycache__", ".*", "export_onnx")
    shutil.copytree(REPOSITORY / "styletransfer", folder / "styletransfer", ignore=hidden)
    weights = Path(MODEL_CARDS) / package.name
    if model is None:
        shutil.copytree(package.path, folder / weights, ignore=hidden)
    pins = [f"{name}=={version(name).partition('+')[0]}\n" for name in REQUIREMENTS]  # 2.13.0+cpu is 2.13.0 to others
    (folder / "requirements.txt").write_text("".join(pins), encoding="utf-8")
    titles = [about.get("title", name) for name, about in package.styles.items()]
    card = CARD.format(
        title=json.dumps(title, ensure_ascii=False),
        heading=title,
        gradio=version("gradio"),
        python=PYTHON,
        license=json.dumps(package.card.get("license", "other")),
        models=f"models: [{model}]\npreload_from_hub: [{model}]\n" if model else "",
        styles=f" in the styles of {', '.join(titles)}" if titles else "",
        weights=ON_THE_HUB.format(model=model) if model else HERE.format(folder=weights.as_posix()),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m styletransfer.space", description="Make a Space: the web demo of a package.")
    add = parser.add_argument
    add("space", metavar="user/space", help="repository of the Space")
    add("-p", "--package", metavar="P", help="folder or Hub id of a style package (default: $STYLETRANSFER_PACKAGE, or painter)")
    add("-o", "--output", type=Path, required=True, help="new folder for the files of the Space")
    add("--upload", action="store_true", help="put them on the Hub too; needs `hf auth login` or HF_TOKEN")
    add("--private", action="store_true", help="make the Space private, if it is new")
    options = parser.parse_args(arguments)
    return answered(lambda: work(options))


def work(options: argparse.Namespace) -> None:
    if not all(options.space.partition("/")):
        raise ValueError(f"the Space must be named like user/space, got {options.space!r}")
    found = find_package(options.package)
    model = found if isinstance(found, str) else None
    if model:
        from styletransfer.pipelines.loading import fetch  # costs torch

        found = fetch(found)
    package = read_package(found, model)
    write_space(options.output, package, f"Style Transfer: {package.title}", model)
    print(f"the Space is in {options.output}; try it with: cd {options.output} && python app.py")
    if options.upload:
        address = upload(options.output, options.space, "space", options.private, f"Demo of {package.title}")
        print(f"and at {address}")


if __name__ == "__main__":
    sys.exit(main())
