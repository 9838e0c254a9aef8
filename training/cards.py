"""Model cards: a template of model_cards/, filled in. Nothing is left to be filled in by hand."""

import json
from pathlib import Path
from string import Template

from styletransfer.catalog import read_index, read_package

CARDS = Path(__file__).parents[1] / "model_cards"


def explain(folder: Path, template: str, **fields: str) -> None:
    """Write the card of the package in `folder`, and beside the folder what it was written from, as `card.json`."""
    fields = {"template": template, "title": folder.resolve().parent.name, "results": "Not measured."} | fields
    (folder.parent / "card.json").write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    write_card(folder, fields)


def write_card(folder: Path, fields: dict[str, str]) -> None:
    """Render the card of a package from `fields`, which name its template, and from what the package itself says."""
    styles, domains = read_package(folder).styles, read_index(folder).get("domains")
    facts = {
        "styles": ", ".join(styles),
        "first_style": styles[0] if styles else "",
        "domains": f" Its domains are {', '.join(domains)}." if domains else "",
        "domain": f", domain={json.dumps(domains[-1])}" if domains else "",
    }
    template = Template((CARDS / fields["template"]).read_text(encoding="utf-8"))
    (folder / "README.md").write_text(template.substitute(facts | fields), encoding="utf-8")
