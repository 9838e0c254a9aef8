"""The tables of the documentation, from the results of the benchmarks.

    python -m benchmarks.tables

Rewrites what lies between `<!-- table: NAME -->` and `<!-- end -->` in docs/, from the JSON files in benchmarks/results/.
"""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path

from benchmarks import app_endurance, app_load, inference, learning, megapixels, modes
from training.evaluate import independent
from training.evaluate.report import Score, by_style

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PART = re.compile(r"(?<=<!-- table: )([\w-]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def quality(found: dict) -> str:
    """Style and content of each named style; over those with another painting of their artist, how near that one comes."""
    scores = [Score(**row) for row in found["scores"] if row["metric"] in independent.METRICS]
    table = by_style({"": scores})
    pairs = [(row.value, row.anchors["another painting"]) for row in scores if row.metric == "style_cosine"]
    pairs = [pair for pair in pairs if pair[1] is not None]
    if not pairs:
        return table
    result, other = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
    means = f"the results have a mean style of {result:.2f}, those paintings of {other:.2f}"
    return f"{table}\n\nOver the {len(pairs)} styles with another painting of the artist, {means}."


TABLES: dict[str, tuple[str, Callable[[dict], str]]] = {  # name -> file of results, and what it says
    "speed": ("inference", inference.report),
    "megapixels": ("megapixels", megapixels.report),
    "page-load": ("app_load", app_load.report),
    "load": ("app_endurance", app_endurance.report),
    "quality": ("evaluation", quality),
    "learning": ("learning", lambda found: learning.table(found["presets"])),
    "modes": ("modes", modes.table),
}


def table(name: str) -> str:
    file, write = TABLES[name]
    return write(json.loads((RESULTS / f"{file}.json").read_text(encoding="utf-8")))


def refreshed(text: str) -> str:
    """`text` with the tables of the results as they are now."""
    return PART.sub(lambda part: f"{part[1]}{part[2]}\n{table(part[1])}\n\n", text)


def main(arguments: list[str] | None = None) -> None:
    summary, _, details = __doc__.partition("\n")
    style = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m benchmarks.tables", description=summary, epilog=details, formatter_class=style)
    parser.parse_args(arguments)
    for path in sorted((ROOT / "docs").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if (new := refreshed(text)) != text:
            path.write_text(new, encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: new tables")


if __name__ == "__main__":
    main()
