"""Model cards: a template of model_cards/, filled in. Nothing is left to be filled in by hand."""

import json
import re
import shutil
from pathlib import Path
from string import Template

from huggingface_hub import ModelCard

from styletransfer.catalog import read_index, read_json, read_package
from training.data.file_list import describe_lists
from training.packaging.scores import describe_scores, eval_results

CARDS = Path(__file__).parents[2] / "model_cards"
FIELDS_FILE = "card.json"  # of a package: what its card was written from
CURVES_FILE = "curves.png"
EVALUATION_FILE = "evaluation.json"  # of a run


def explain(folder: Path, template: str, address: str | None = None, **fields: str) -> None:
    """Write the card of the package in `folder`, which lies in the folder of its run.

    Args:
        template: A file of model_cards/.
        address: Id of its repository on the Hub, if it is known.
        fields: What the template asks for, and the package does not say itself.
    """
    run = folder.resolve().parent
    address = address or "user/" + (re.sub(r"[^\w.-]+", "-", run.name).strip("-.") or "package")
    results = "Not measured. `python -m training evaluate` scores a package."
    fields = {"template": template, "title": run.name, "address": address, "results": results} | fields
    write_card(folder, fields | findings(run, folder))


def describe_data(config: object) -> dict[str, str]:
    """The fields of a card on what was trained on, the `data` options of a training."""
    folders = {name: value for name, value in vars(config).items() if isinstance(value, Path)}
    worlds = [config.world] if getattr(config, "world", None) else [] if folders else getattr(config, "worlds", ())
    rendered = f", rendered as {', '.join(worlds)}." if worlds else "."
    if not folders:
        sources = "Nobody's pictures were used: scenes and styles are computed by `training/data/worlds.py`."
        return {"data": f"Drawn scenes{rendered}", "sources": sources}
    names = ", ".join(f"{name} ({path.name})" for name, path in folders.items())
    sources = "The pictures and their licences are those of whoever trained this package."
    return {"data": f"Folders of pictures: {names}{rendered}\n\n{describe_lists(folders)}", "sources": sources}


def findings(run: Path, folder: Path) -> dict:
    """What a training found out, for the card of the package in `folder`: its curves, the update that was chosen, its scores."""
    fields = {}
    if (run / CURVES_FILE).is_file():
        shutil.copyfile(run / CURVES_FILE, folder / CURVES_FILE)
        fields["curves"] = f"![Losses and score over the training]({CURVES_FILE})"
    history = read_json(run / "history.json") if (run / "history.json").is_file() else {}
    for row in history.get("scores", ()):
        if row["update"] == history["chosen"]:
            name, score = next((name, value) for name, value in row.items() if name not in ("update", "seconds"))
            best = f"The averaged weights of update {row['update']} are in this package: {name} {score:.4g}"
            fields["chosen"] = f"{best} on {history['scored_on']}, the best of the validations that count."
    evaluation = run / EVALUATION_FILE
    # an older one is of another training in the same folder
    if evaluation.is_file() and evaluation.stat().st_mtime >= (folder / "model_index.json").stat().st_mtime:
        fields |= measured([evaluation])
    return fields


def measured(reports: list[Path] | tuple[Path, ...]) -> dict:
    """The fields of a card that come from reports of `python -m training evaluate --json`."""
    contents = [read_json(path) for path in reports]
    for path, content in zip(reports, contents, strict=True):
        if not isinstance(content.get("protocol"), str) or not content.get("scores"):
            raise ValueError(f"{path} is no report of `python -m training evaluate` on a package: it holds no scores")
    return {
        "results": "\n\n".join(describe_scores(content) for content in contents),
        "scores": [{"protocol": content["protocol"], "rows": content["scores"]} for content in contents],
    }


def write_card(folder: Path, fields: dict) -> None:
    """Render the card of a package from `fields`, which name its template, and from what the package itself says.

    The fields are kept in the package, so that the card can be written anew.
    """
    (folder / FIELDS_FILE).write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    styles, labels = read_package(folder).styles, read_index(folder).get("domains") or {}
    example = 'open_image("painting.jpg")'
    if styles:
        example = json.dumps(fields.get("cover", next(iter(styles))), ensure_ascii=False)
    domains = sorted(labels, key=labels.get)
    facts = {
        "styles": "\n".join(describe_style(name, about) for name, about in styles.items()) or "No style has a name yet.",
        "style_example": example,
        "domains": f" Its domains are {', '.join(domains)}." if domains else "",
        "domain": f", style={json.dumps(domains[-1])}" if domains else "",
        "course": "\n\n".join(fields[name] for name in ("curves", "chosen") if name in fields),
    }
    template = Template((CARDS / fields["template"]).read_text(encoding="utf-8"))
    card = ModelCard(template.substitute(facts | fields))
    card.data.title = fields["title"]
    if "cover" in fields:
        card.data.cover = fields["cover"]
    if "scores" in fields:
        card.data.model_name = fields["title"]
        task = card.data.pipeline_tag
        card.data.eval_results = [
            entry for part in fields["scores"] for entry in eval_results(part["rows"], part["protocol"], task)
        ]
    text = re.sub(r"\n{3,}", "\n\n", str(card))  # around what a training did not leave behind
    (folder / "README.md").write_text(text, encoding="utf-8")


def describe_style(name: str, about: dict[str, str]) -> str:
    """A line on a named style, with what it says of its painting."""
    painting = ", ".join(about[key] for key in ("title", "artist", "year", "source", "licence") if about.get(key))
    return f"* {name}: {painting}" if painting else f"* {name}"
