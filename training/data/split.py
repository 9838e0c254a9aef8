"""`python -m training.data.split`: arrange the pictures of a manifest into folders for training and folders held out."""

import csv
import json
import random
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from training.check import examine
from training.check.domains import in_folders

STYLES = Path(__file__).with_name("styles.json")
FEWEST, MOST = 6, 30  # paintings held out for each style: enough to judge with, and the rest is for training


@dataclass(frozen=True, kw_only=True)
class Split:
    """Arrange the pictures of a manifest as OUT/{train,held}/{photos,paintings/<style>}, the same for the same seed."""

    manifest: Path
    """A csv with the columns `file` (relative to it: photos/... or paintings/<folder>/...) and `author`."""
    styles: Path = STYLES
    """A json: name of a style -> {"folder": below paintings/, "author": regular expression in any case}."""
    out: Path
    """A new folder."""
    held_out: float = 0.2
    """Part of the paintings of each style to hold out, but at least 6 and at most 30 paintings."""
    photos_held_out: int = 100
    """Number of photos to hold out."""
    seed: int = 0
    copy: bool = False
    """Copy the pictures in place of symbolic links."""


def split(rows: list[dict[str, str]], styles: dict[str, dict[str, str]], options: Split) -> dict[str, list[str]]:
    """Folder below `out` -> files of the manifest.

    Raises:
        ValueError: if a style or the photos are too few to split, or two styles claim the same painting.
    """
    rng = random.Random(options.seed)
    folders, owner = {}, {}

    def part(name: str, files: list[str], held: int) -> None:
        if not 0 < held < len(files):
            raise ValueError(f"cannot hold out {held} of the {len(files)} pictures of {name}")
        rng.shuffle(files)
        folders[f"train/{name}"], folders[f"held/{name}"] = files[held:], files[:held]

    for style, rule in styles.items():
        author = re.compile(rule["author"], re.IGNORECASE)
        start = f"paintings/{rule['folder']}/"
        files = sorted(row["file"] for row in rows if row["file"].startswith(start) and author.search(row["author"] or ""))
        for file in files:
            if owner.setdefault(file, style) != style:  # else one style would train on what the other is judged by
                raise ValueError(f"{file} belongs to both {owner[file]!r} and {style!r}")
        part(f"paintings/{style}", files, min(max(int(options.held_out * len(files)), FEWEST), MOST))
    part("photos", sorted(row["file"] for row in rows if row["file"].startswith("photos/")), options.photos_held_out)
    return folders


def drop_versions(root: Path) -> list[str]:
    """Take out of held/ what is another photograph or scan of a picture in train/; their names."""
    dropped = []
    for finding in examine(in_folders([root])).findings:
        for domain, picture in [entry for group in finding.groups for entry in group] if finding.kind == "leak" else []:
            if domain.part == "held":
                picture.path.unlink()
                dropped.append(picture.path.name)
    return sorted(dropped)


def main(arguments: list[str] | None = None) -> int:
    options = tyro.cli(Split, prog="python -m training.data.split", args=arguments)
    try:
        if options.out.exists() and any(options.out.iterdir()):
            raise ValueError(f"{options.out} is not empty; give a new folder")
        with options.manifest.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        folders = split(rows, json.loads(options.styles.read_text(encoding="utf-8")), options)
        root = options.manifest.resolve().parent
        missing = [file for files in folders.values() for file in files if not (root / file).is_file()]
        if missing:
            raise ValueError(f"{len(missing)} files of the manifest are missing, the first is {root / missing[0]}")
        for folder, files in folders.items():
            (options.out / folder).mkdir(parents=True)
            for file in files:
                target = options.out / folder / Path(file).name
                if options.copy:
                    shutil.copyfile(root / file, target)
                else:
                    target.symlink_to(root / file)
        versions = drop_versions(options.out)
        for folder in folders:
            print(f"{folder:32} {len(list((options.out / folder).iterdir())):5}")
        if versions:
            print(f"left out of held/, because train/ has the same picture: {', '.join(versions)}")
    except (ValueError, OSError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
