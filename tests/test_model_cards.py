"""Every card in model_cards/ is complete: nothing left to fill in, nothing dead, and metadata that the Hub understands."""

import re
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from styletransfer.catalog import list_packages

FOLDER = Path(__file__).parents[1] / "model_cards"
PACKAGES = list_packages(FOLDER)
CARDS = sorted(FOLDER.glob("*/README.md"))
TEMPLATES = sorted(FOLDER.glob("*.md"))
UNFINISHED = re.compile(
    r"\b(TODO|TBD|FIXME|XXX|lorem ipsum|not measured|more information needed|coming soon|path/to)\b", re.IGNORECASE
)


def name(path: Path) -> str:
    return path.parent.name if path.name == "README.md" else path.stem


def faults(card: Path) -> list[str]:
    """What is wrong with a card, in words."""
    text = card.read_text(encoding="utf-8")
    try:
        data = ModelCard(text).data
    except ValueError as error:  # also of a model-index that does not parse
        return [f"front matter: {error}"]
    found = [
        f"{field} is missing" for field in ("title", "license", "library_name", "pipeline_tag", "tags") if not data.get(field)
    ]
    found += [f"unfinished: {match.group()}" for match in UNFINISHED.finditer(text)]
    found += [f"a gap: {match}" for match in re.findall(r"\$\{\w*\}", text)]
    targets = re.findall(r"\]\(<?([^)>\s]+)>?\)", text)
    found += [
        f"dead: {target}" for target in targets if "://" not in target and not (card.parent / target.partition("#")[0]).exists()
    ]
    for heading in ("Use", "Data", "Training", "Results", "Limits"):
        section = re.search(rf"^## {heading}\n+(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
        if section is None or len(section.group(1).split()) < 10:
            found.append(f"the section {heading} is missing or empty")
    for entry in data.eval_results or []:
        arguments = entry.metric_args or {}
        ends = ("low", "high") if "low" in arguments else ("lowest", "highest")  # of a mean over many styles
        if not {"anchors", "samples", *ends} <= arguments.keys() or not entry.dataset_config:
            found.append(f"{entry.metric_name} lacks its anchors, interval, samples or protocol")
        elif not arguments[ends[0]] <= entry.metric_value <= arguments[ends[1]]:
            found.append(f"{entry.metric_name} lies outside of its interval")
    return found + ([] if data.eval_results else ["no scores in model-index"])


@pytest.mark.parametrize("card", CARDS, ids=name)
def test_a_card_is_complete(card):
    assert faults(card) == []


def test_every_package_has_a_card():
    assert CARDS and [card.parent for card in CARDS] == sorted(path.parent for path in FOLDER.glob("*/model_index.json"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_a_package_is_small_and_every_style_has_a_thumbnail(package):
    assert all(package.thumbnail(style) for style in package.styles)
    size = sum(file.stat().st_size for file in package.path.rglob("*.safetensors"))
    assert size <= 8e6 + 0.6e6 * len(package.styles)


def test_both_kinds_of_packages_ship():
    styles = {package.kind: len(package.styles) for package in PACKAGES}
    assert styles.keys() >= {"StyleTransferPipeline", "GenerationPipeline"} and styles["StyleTransferPipeline"] >= 6


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_a_template_leaves_nothing_to_be_filled_in_by_hand(template):
    text = template.read_text(encoding="utf-8")
    assert not UNFINISHED.search(text)
    assert re.search(r"^license: [\w.-]+$", text, re.MULTILINE)


DAMAGE = {
    "a note to oneself": ("## Limits\n", "## Limits\n\nTODO: ask the others.\n", "unfinished: TODO"),
    "no licence": ("license: apache-2.0\n", "", "license is missing"),
    "a gap": ("## Limits\n", "## Limits\n\n${limits}\n", "a gap: ${limits}"),
    "a dead picture": ("samples/sheet.jpg", "samples/sheets.jpg", "dead: samples/sheets.jpg"),
    "an empty section": ("## Limits\n", "## Limits\n\n## More\n", "the section Limits is missing or empty"),
    "a broken model-index": ("  results:\n", "  outcome:\n", "front matter: Invalid `model_index`"),
    "a score without anchors": ("        anchors:\n", "        marks:\n", "lacks its anchors"),
    "no front matter": ("---\n", "\n", "title is missing"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_card_is_refused(tmp_path, damage):
    old, new, fault = DAMAGE[damage]
    text = (FOLDER / "painter" / "README.md").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "sheet.jpg").touch()
    (tmp_path / "curves.png").touch()
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    assert faults(tmp_path / "README.md") == []
    (tmp_path / "README.md").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(found.startswith(fault) or fault in found for found in faults(tmp_path / "README.md"))
