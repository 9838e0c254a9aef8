"""A package as people look at it: what it does, size, licence, samples and card, in one piece of HTML."""

import base64
import io
from functools import lru_cache
from html import escape
from pathlib import Path

from PIL import ImageOps

from styletransfer.catalog import Package
from styletransfer.ui.cards import render
from styletransfer.ui.inputs import opened
from styletransfer.ui.words import WORDS, tell

MAX_SAMPLES = 12
SAMPLE = 176  # pixels of a side


def view(package: Package) -> str:
    """HTML of `package`. What its card says is escaped, and its samples are decoded and encoded anew: both are a stranger's."""
    does = f"models_{package.kind}"
    weights = sum(path.stat().st_size for path in package.path.glob("**/*.safetensors"))
    fetched = "/" in package.name
    facts = {
        "models_size": f"{weights / 1e6:.1f} MB",
        "models_license": escape(str(package.card.get("license") or tell("models_unstated"))),
        "models_styles": ", ".join(map(escape, package.styles)),
        "models_commit": package.path.name[:7] if fetched else "",
    }
    rows = "".join(f"<div><dt>{tell(key)}</dt><dd>{fact}</dd></div>" for key, fact in facts.items() if fact)
    card = package.path / "README.md"
    text = render(card.read_text(encoding="utf-8", errors="replace")) if card.is_file() else ""
    name = f'<p class="name">{escape(package.name)}</p>' if fetched else ""
    return (
        f"<h3>{escape(package.title)}</h3>{name}"
        f"<p>{tell(does) if does in WORDS else escape(package.kind)}</p><dl>{rows}</dl>"
        f'<div class="samples">{"".join(map(figure, shown(package)))}</div>'
        + (f"<details><summary>{tell('models_card')}</summary><div>{text}</div></details>" if text else "")
    )


def shown(package: Package) -> list[Path]:
    """Its samples, photos last; its sheet, which is small when seen whole, only where there is nothing else."""
    samples = [path for path in package.samples if not path.stem.startswith("sheet")] or package.samples
    return sorted(samples, key=lambda path: path.stem.startswith("photo-"))[:MAX_SAMPLES]


def figure(path: Path) -> str:
    source = picture(path)
    name = escape(path.stem)
    return f'<figure><img src="{source}" alt="{name}"><figcaption>{name}</figcaption></figure>' if source else ""


@lru_cache(128)
def picture(path: Path) -> str | None:
    """A square data URL of the picture at `path`, or None if it is none."""
    data = io.BytesIO()
    try:
        with opened(path) as image:
            image.draft("RGB", (SAMPLE, SAMPLE))
            ImageOps.fit(image.convert("RGB"), (SAMPLE, SAMPLE)).save(data, "jpeg", quality=85)
    except Exception:  # a picture library says many things about a broken file, and about one of too many pixels
        return None
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()
