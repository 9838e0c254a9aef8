"""Cards say what a package is, what it learned from, and how good it is, to people and to the Hub."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from styletransfer.catalog import read_front_matter, read_package
from tests.conftest import picture
from training.__main__ import main
from training.data.file_list import COMMAND, describe_lists, file_list
from training.packaging.cards import CARDS, explain, write_card
from training.packaging.scores import describe_scores

FIELDS = {
    "template": "template.md",
    "title": "Tiny",
    "address": "user/tiny",
    "data": "Two.",
    "sources": "Ours.",
    "training": "None.",
}
SWD = {
    "metric": "swd",
    "name": "Sliced Wasserstein distance",
    "value": 0.12345,
    "low": 0.1,
    "high": 0.15,
    "anchors": {"copy": 0.5, "real": 0.05},
    "better": "lower",
    "samples": 20,
}
REPORT = {
    "protocol": "256 px.",
    "warnings": ["only 20 photos"],
    "scores": [
        SWD | {"style": "alpha"},
        SWD | {"style": "beta", "value": None, "low": None, "anchors": {"copy": 0.5, "real": None}},
    ],
}


HEADLINE = {
    "protocol": "as it is",
    "scores": [
        SWD
        | {"metric": "style_cosine", "name": "Style", "style": f"s{number}", "value": number / 10, "better": "higher"}
        | {"anchors": {"photo": 0.0, "another painting": None if number else 0.5}}
        for number in range(9)
    ]
    + [SWD | {"style": f"s{number}", "value": number / 8, "note": "seen by the losses"} for number in range(9)],
}


@pytest.fixture
def package(tiny_package: Path, tmp_path: Path) -> Path:
    """A package in the folder of its run."""
    return shutil.copytree(tiny_package, tmp_path / "run" / "pipeline")


def save(path: Path, content: dict) -> Path:
    path.write_text(json.dumps(content))
    return path


def test_scores_come_back_from_the_metadata(package, tmp_path):
    write_card(package, FIELDS | {"results": "Not measured."})
    reports = [save(tmp_path / "a.json", REPORT), save(tmp_path / "b.json", HEADLINE)]
    assert main(["cards", str(package), "--evaluation", *map(str, reports)]) == 0
    card = ModelCard.load(package / "README.md")
    assert card.data.model_name == card.data.title == "Tiny"
    # beta's distance is no number, and left out; of nine styles there is the mean
    assert [(entry.metric_type, entry.metric_value) for entry in card.data.eval_results] == [
        ("swd", 0.1235),
        ("style_cosine", 0.4),
        ("swd", 0.5),
    ]
    swd, style, seen = card.data.eval_results
    assert swd.dataset_config == "256 px." and style.dataset_config == "as it is"
    assert swd.task_type == "image-to-image" and swd.metric_name == "Sliced Wasserstein distance (alpha)"
    head = {"style": "alpha", "better": "lower", "samples": 20}
    assert swd.metric_args == head | {"low": 0.1, "high": 0.15, "anchors": {"copy": 0.5, "real": 0.05}}
    assert style.metric_name == "Style (mean of 9 styles)"
    assert style.metric_args["anchors"] == {"photo": 0.0, "another painting": 0.5}
    assert (style.metric_args["lowest"], style.metric_args["highest"]) == (0.0, 0.8) and "low" not in style.metric_args
    assert seen.metric_args["note"] == "seen by the losses"
    assert "Not measured" not in card.text and "* only 20 photos" in card.text


def test_tables_for_people():
    assert describe_scores(REPORT).splitlines()[:3] == [
        "| metric | copy of the photo | random real picture | alpha | beta | samples |",
        "|---|---:|---:|---:|---:|---:|",
        "| Sliced Wasserstein distance (lower is better) | 0.5 | 0.05 | 0.123 ±0.025 | - | 20 |",
    ]
    text = describe_scores(HEADLINE)
    assert "| style | photo | another painting of the artist | Style |" in text
    assert "| s0 | 0.00 | 0.50 | 0.00 ±0.02 |\n| s1 | 0.00 | - | 0.10 ±0.02 |" in text
    # of many styles there are means
    assert "| Sliced Wasserstein distance (lower is better; seen by the losses) | 0.5 | 0.05 | 0.5 | 0 | 1 | 20 |" in text


def test_scores_of_one_metric_stand_together():
    other = SWD | {"metric": "energy", "name": "Energy"}
    rows = [score | {"style": style} for style in ("alpha", "beta") for score in (SWD, other)]
    text = describe_scores({"protocol": "x", "scores": rows})
    assert text.count("| Energy (") == 1 and text.splitlines()[2].count("0.123") == 2


@pytest.mark.parametrize("title", ["Monet: a study", 'The "best" one', "#1", "null", "风格"])
def test_any_title_is_kept(package, title):
    write_card(package, FIELDS | {"title": title, "results": "None."})
    assert read_package(package).title == title
    assert f"\n# {title}\n" in (package / "README.md").read_text()


@pytest.mark.parametrize("template", ["template.md", "translator.md", "generator.md", "reference.md"])
def test_every_template_says_how_to_load_in_three_ways_and_leaves_no_gap(package, template):
    more = {"network": "A network", "preset": "cut", "style": "ink", "results": "None.", "curves": "![Curves](curves.png)"}
    write_card(package, FIELDS | more | {"template": template})
    card = (package / "README.md").read_text()
    for call in (
        'load_pipeline("user/tiny")',
        'DiffusionPipeline.from_pretrained("user/tiny",',
        'AutoModel.from_pretrained("user/tiny",',
    ):
        assert call in card
    assert "$" not in card and "\n\n\n" not in card and "![Curves](curves.png)\n" in card
    assert read_front_matter(package / "README.md").keys() == {"title", "license", "library_name", "pipeline_tag", "tags"}


def test_the_code_of_the_card_runs(package, tmp_path, monkeypatch):
    write_card(package, FIELDS | {"address": str(package), "results": "None."})
    picture().save(tmp_path / "photo.jpg")
    picture(seed=1).save(tmp_path / "painting.jpg")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (package / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        space = {}
        exec(block, space)
    assert (tmp_path / "painted.png").is_file() and (tmp_path / "softer.png").is_file()
    assert type(space["network"]).__name__ == "StyleGenerator"


def test_a_run_gives_its_curves_its_choice_and_its_scores(package):
    run = package.parent
    about = {name: FIELDS[name] for name in ("data", "sources", "training")}
    explain(package, "template.md", **about)
    assert "# run\n" in (package / "README.md").read_text() and 'load_pipeline("user/run")' in (package / "README.md").read_text()
    picture().save(run / "curves.png")
    scores = [{"update": u, "seconds": 1.0, "swd": v} for u, v in ((100, 0.5), (200, 0.25), (300, 0.75))]
    save(run / "history.json", {"losses": [], "scores": scores, "scored_on": "training data", "chosen": 200})
    save(run / "evaluation.json", REPORT)
    explain(package, "template.md", **about)
    card = (package / "README.md").read_text()
    assert "](curves.png)" in card and (package / "curves.png").is_file()
    assert "update 200 are in this package: swd 0.25 on training data" in card
    assert "Sliced Wasserstein" in card
    # scores that are older than the package are those of another one
    os.utime(run / "evaluation.json", (0, 0))
    explain(package, "template.md", **about)
    assert "Sliced Wasserstein" not in (package / "README.md").read_text()
    # nothing was chosen
    save(run / "history.json", {"losses": [], "scores": scores, "scored_on": "training data", "chosen": None})
    explain(package, "template.md", **about)
    assert "update 200" not in (package / "README.md").read_text()


def test_what_is_no_report_is_refused(package, tmp_path, capsys):
    write_card(package, FIELDS | {"results": "None."})
    before = (package / "README.md").read_text()
    for content in ({}, {"protocol": "x"}, {"protocol": "x", "scores": []}):
        assert main(["cards", str(package), "--evaluation", str(save(tmp_path / "report.json", content))]) == 2
        assert "report.json is no report of `python -m training evaluate`" in capsys.readouterr().err
    assert (package / "README.md").read_text() == before
    assert main(["cards", str(tmp_path)]) == 2
    assert "card.json does not exist" in capsys.readouterr().err


def test_the_templates_are_all_here():
    assert {path.name for path in CARDS.glob("*.md")} == {
        "template.md",
        "translator.md",
        "generator.md",
        "reference.md",
        "style.md",
    }


# --- the list of files ---


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, size in (("b.jpg", 3), ("a/c d.jpg", 10), ("a.jpg", 0), (".hidden/x", 1), ("a/.y", 1)):
        (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "files" / name).write_bytes(bytes(size))
    return tmp_path / "files"


def test_the_list_of_files_is_that_of_the_command_in_the_card(folder):
    count, digest = file_list(folder)
    assert count == 3 and len(digest) == 64
    assert f"* photos: 3 files, `{digest}`" in describe_lists({"photos": folder})
    done = subprocess.run(COMMAND, shell=True, cwd=folder, capture_output=True, text=True)
    if "-printf" in done.stderr or "not found" in done.stderr:
        pytest.skip("the command needs GNU find and sha256sum")
    assert done.stdout.split()[0] == digest


@pytest.mark.parametrize("change", ["a size", "a name", "one more"])
def test_another_list_has_another_number(folder, change):
    before = file_list(folder)[1]
    if change == "a name":
        (folder / "b.jpg").rename(folder / "c.jpg")
    else:
        (folder / ("b.jpg" if change == "a size" else "new.jpg")).write_bytes(bytes(4))
    assert file_list(folder)[1] != before
