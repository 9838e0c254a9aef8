"""What is wrong with the pictures of some domains, in words, the worst first."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from training.check.domains import Domain
from training.check.pictures import Picture

# Of 256 bits. Copies of 150 photos and paintings, saved again at JPEG quality 30, brightened, recoloured or cropped by 2%, were
# at most 66 away. Of 1.2 million pairs of others, 10 were nearer than 80: each the same painting, photographed or painted twice.
NEAR = 76
FLAT = 3.0  # contrast: nothing but one colour and its noise
COLORLESS = 4.0
FEW = 20

Found = dict[Domain, list[Picture]]
Entry = tuple[Domain, Picture]


@dataclass(frozen=True)
class Finding:
    """`level` "refused" stops a training, "harmful" spoils what it learns or measures, "note" is good to know.

    `groups` are the pictures meant: those of one group look alike, other findings have groups of one.
    """

    kind: str
    level: Literal["refused", "harmful", "note"]
    text: str
    advice: str
    groups: list[list[Entry]]


def find(found: Found, crop: int) -> list[Finding]:
    """Everything to say about the pictures, for a training on crops of this side."""
    of_pictures = (finding for finding in (*unusable(found, crop), *alike(found), *poor(found)) if finding.groups)
    findings = [*of_domains(found), *of_pictures]
    return sorted(findings, key=lambda finding: ("refused", "harmful", "note").index(finding.level))


def of_domains(found: Found) -> Iterable[Finding]:
    for domain, pictures in found.items():
        usable = [picture for picture in pictures if not (picture.fault or picture.deep)]
        if not pictures:
            yield Finding("empty", "refused", f"{domain.title} holds no pictures", f"Fill the folder {domain.folder}.", [])
        elif 0 < len(usable) < FEW and domain.part != "held":
            text = f"{domain.title} holds {count(usable, 'picture')} only"
            advice = f"From {FEW} on it is safer: a discriminator knows so few by heart, and what it says teaches nothing more."
            yield Finding("few", "note", text, advice, [])


def unusable(found: Found, crop: int) -> Iterable[Finding]:
    """What a training stops at."""
    broken = chosen(found, lambda p: bool(p.fault))
    text = f"{count(broken, 'file')} cannot be read as a picture"
    yield Finding("unreadable", "refused", text, "Delete or repair them, or move what is no picture elsewhere.", broken)
    small = chosen(found, lambda p: p.shortest < crop and not p.fault)
    side = min((picture.shortest for ((_, picture),) in small), default=0)
    text = f"{count(small, 'picture')} {'is' if len(small) == 1 else 'are'} smaller than the crop of {crop} pixels"
    fix = f"train with --data.crop {side // 32 * 32}" if side >= 32 else "get larger ones"
    yield Finding("tiny", "refused", text, f"Remove what is too small, or {fix}.", small)
    deep = chosen(found, lambda p: p.deep)
    text = f"{count(deep, 'picture')} with more than 8 bits for each pixel's brightness"
    yield Finding("deep", "refused", text, "Save with 8 bits: read as they are, they come out white.", deep)


def alike(found: Found) -> Iterable[Finding]:
    """Groups of pictures that look the same, by where they are: on both sides of a split, in two domains, in one.

    Folders of paintings are no domains: a painting in two of them is a copy.
    """
    leaks, overlaps, copies, similar = [], [], [], []
    pairs = paired(found)
    for group in look_alikes([entry for (entry,) in chosen(found, lambda p: not p.fault and p.contrast >= FLAT)]):
        if len({domain.part for domain, _ in group}) > 1:
            leaks.append(group)
        elif len({domain.kind for domain, _ in group}) > 1:
            overlaps += [] if pairs else [group]
        else:
            (copies if len({picture.digest for _, picture in group}) == 1 else similar).append(group)
    text = f"{count(leaks, 'picture')} held out for validation and trained on as well"
    advice = "Delete them from one side, or the scores on held-out pictures are too good."
    yield Finding("leak", "harmful", text, advice, leaks)
    text = f"{count(overlaps, 'picture')} in two domains or more"
    yield Finding("overlap", "harmful", text, "Keep each in one domain: the networks learn to tell them apart.", overlaps)
    spare = sum(len(group) - 1 for group in copies)
    text = f"{spare} {'copy' if spare == 1 else 'copies'} of other files"
    advice = "Keep one of each: copies are drawn more often, and where a tenth is held out, they leak into it."
    yield Finding("copies", "harmful", text, advice, copies)
    text = f"{count(similar, 'group')} of pictures that look alike"
    advice = "See whether they are one picture saved, scanned or cropped twice, and keep the best."
    yield Finding("alike", "note", text, advice, similar)


def poor(found: Found) -> Iterable[Finding]:
    """What can be trained on, but teaches little or something unwanted."""
    flat = chosen(found, lambda p: not (p.fault or p.deep) and p.contrast < FLAT)
    yield Finding("flat", "harmful", f"{count(flat, 'picture')} of a single colour", "Delete: there is nothing to learn.", flat)
    clear = chosen(found, lambda p: p.transparent)
    text = f"{count(clear, 'picture')} with transparent parts"
    yield Finding("transparent", "note", text, "Put each on a background: what the transparency hides is trained on.", clear)
    for domain, pictures in found.items():
        usable = [picture for picture in pictures if not (picture.fault or picture.deep)]
        gray = chosen({domain: usable}, lambda p: p.color < COLORLESS)
        if len(gray) < len(usable):
            text = f"{len(gray)} of {len(usable)} pictures of {domain.title} without colour"
            yield Finding("gray", "note", text, "A mixture teaches grey results: leave them out if you want colour.", gray)


def chosen(found: Found, test) -> list[list[Entry]]:
    return [[(domain, picture)] for domain, pictures in found.items() for picture in pictures if test(picture)]


def count(things: list, noun: str) -> str:
    return f"{len(things)} {noun}" + ("" if len(things) == 1 else "s")


def look_alikes(entries: list[Entry]) -> list[list[Entry]]:
    """Groups of two and more whose looks differ by at most NEAR bits from another of the group."""
    looks = np.array([list(bytes.fromhex(picture.look)) for _, picture in entries], np.uint8).view(np.uint64)  # (N, 4)
    group = np.arange(len(looks))
    for index, own in enumerate(looks):
        near = np.nonzero(np.bitwise_count(looks[index + 1 :] ^ own).sum(axis=1) <= NEAR)[0] + index + 1
        if len(near):
            group[np.isin(group, group[near])] = group[index]
    names, sizes = np.unique(group, return_counts=True)
    return [[entries[index] for index in np.nonzero(group == name)[0]] for name in names[sizes > 1]]


def paired(found: Found) -> bool:
    """Whether the two domains of a training hold the same names with the same sizes: pictures and their translations."""

    def sizes(domain: Domain) -> dict[Path, tuple[int, int]]:
        return {p.path.relative_to(domain.folder).with_suffix(""): (p.width, p.height) for p in found[domain] if not p.fault}

    domains = [domain for domain in found if domain.part != "held"]
    several = len(domains) == 2 and min(len(found[domain]) for domain in domains) > 1
    return several and len(sizes(domains[0])) > 1 and sizes(domains[0]) == sizes(domains[1])
