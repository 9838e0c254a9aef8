"""A report as one page of HTML that needs nothing beside it, and as JSON."""

import base64
import dataclasses
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image, ImageOps

from training.check import Report
from training.check.findings import COLORLESS
from training.check.pictures import Picture

SHOWN = 18  # groups of each finding, as pictures; all of them are in the JSON
SAMPLES = 8  # of each domain
BARS = 20


def as_html(report: Report) -> str:
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    pages.globals |= {"thumbnail": thumbnail, "sample": sample, "SHOWN": SHOWN}
    pictures = [picture for below in report.found.values() for picture in below]
    rows = [{"domain": domain, "pictures": below} | numbers(below) for domain, below in report.found.items()]
    crop = report.suggestion.crop
    return pages.get_template("page.html").render(report=report, rows=rows, total=len(pictures), bars=bars(pictures, crop))


def as_json(report: Report) -> str:
    content = {
        "ready": not report.refused,
        "suggestion": dataclasses.asdict(report.suggestion),
        "domains": {
            domain.title: {"folder": str(domain.folder)} | numbers(pictures) for domain, pictures in report.found.items()
        },
        "findings": [
            vars(finding) | {"groups": [[str(picture.path) for _, picture in group] for group in finding.groups]}
            for finding in report.findings
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def numbers(pictures: list[Picture]) -> dict:
    """Counts of files and modes, and the least, the median and the largest shorter side in pixels."""
    usable = [picture for picture in pictures if not picture.fault]
    sides = np.array([picture.shortest for picture in usable] or [0])
    return {
        "files": len(pictures),
        "readable": len(usable),
        "bytes": sum(picture.bytes for picture in pictures),
        "shorter_side": {"least": int(sides.min()), "median": int(np.median(sides)), "largest": int(sides.max())},
        "modes": dict(Counter(picture.mode for picture in usable).most_common()),
        "without_colour": sum(picture.color < COLORLESS for picture in usable),
    }


def bars(pictures: list[Picture], crop: int) -> list[dict]:
    """Histogram of the shorter sides: where each bar starts and ends in pixels, its pictures, its height 0..1."""
    sides = np.array([picture.shortest for picture in pictures if not picture.fault])
    if not len(sides):
        return []
    top = max(np.quantile(sides, 0.98), 2 * crop)  # the few that are larger join the last bar
    width = max(16, 2 ** int(np.ceil(np.log2(top / BARS))))
    starts, counts = np.unique(sides.clip(max=top) // width * width, return_counts=True)
    known = dict(zip(starts.astype(int), counts.tolist(), strict=True))
    return [
        {"start": start, "end": start + width, "count": known.get(start, 0), "height": known.get(start, 0) / counts.max()}
        for start in range(0, int(top) + 1, width)
    ]


def sample(pictures: list[Picture]) -> list[Picture]:
    """Some readable ones, evenly spaced."""
    usable = [picture for picture in pictures if not picture.fault]
    return [usable[index] for index in np.linspace(0, len(usable) - 1, min(SAMPLES, len(usable))).astype(int)]


def thumbnail(picture: Picture, side: int = 144) -> str:
    """A small JPEG of it as a data URI."""
    with Image.open(picture.path) as image:
        image.draft(None, (side, side))
        image = ImageOps.exif_transpose(image).convert("RGB")
    image.thumbnail((side, side))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=75)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
