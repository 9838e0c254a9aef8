"""Which preset and crop suit the pictures, as a command to copy."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.check.domains import PAINTINGS
from training.check.findings import Found, paired

LARGEST = 256


@dataclass(frozen=True)
class Suggestion:
    preset: str
    crop: int
    reason: str
    command: str


def suggest(found: Found, crop: int | None = None) -> Suggestion:
    """Read off from what domains there are; trained on are those that are not held out. A `crop` that is given stays."""
    domains = [domain for domain in found if domain.part != "held"]
    photos = [domain for domain in domains if domain.name == "photos"]
    styles = [domain for domain in domains if domain.kind == PAINTINGS]
    side = typical_side(found)
    crop, size = crop or multiple_of_32(side), crop or power_of_two(side)  # networks from noise take powers of two
    if photos and (len(styles) > 1 or PAINTINGS in (domain.name for domain in styles)):
        options = {"photos": photos[0].folder, "paintings": styles[0].folder.parent if len(styles) > 1 else styles[0].folder}
        return suggestion("painter", crop, "photos and paintings", options)
    if paired(found):
        options = {"source": domains[0].folder, "target": domains[1].folder}
        return suggestion("pix2pix", crop, "two folders with the same names and sizes: pairs", options)
    if len(domains) == 2:
        return suggestion("cut", crop, "two domains without pairs", {"a": domains[0].folder, "b": domains[1].folder})
    if len(domains) > 2:
        below = domains[0].folder.parent
        move = "" if all(domain.folder.parent == below for domain in domains) else "; put their folders into one"
        return suggestion("stargan", crop, f"{len(domains)} domains{move}", {"folder": below})
    number = len(found[domains[0]]) if domains else 0
    folder = {"folder": domains[0].folder} if domains else {}
    if number <= 10:
        return suggestion("few", size, "no more than ten pictures", folder, f" --pictures {max(1, number)}")
    return suggestion("r3gan", size, "one domain: new pictures like these, from noise", folder)


def suggestion(preset: str, crop: int, reason: str, options: dict[str, Path], more: str = "") -> Suggestion:
    data = "".join(f" --data.{name} {shlex.quote(str(folder))}" for name, folder in options.items())
    return Suggestion(preset, crop, reason, f"python -m training {preset}{data} --data.crop {crop}{more} --minutes 60")


def typical_side(found: Found) -> float:
    """The shorter side in pixels that all but 2% of the readable pictures have."""
    sides = [picture.shortest for pictures in found.values() for picture in pictures if not picture.fault]
    return float(np.quantile(sides, 0.02)) if sides else LARGEST


def multiple_of_32(side: float) -> int:
    """Two thirds of the side, for that is what a crop is cut from: a larger one would be enlarged. Down to 64 if need be."""
    return max(32, min(LARGEST, int(max(side * 2 / 3, min(side, 64)) // 32 * 32)))


def power_of_two(side: float) -> int:
    return max(32, min(128, 2 ** int(np.log2(max(side, 1) * 2 / 3))))
