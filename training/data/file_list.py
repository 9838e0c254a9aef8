"""Which files a folder holds, as one number: a card can say what a package was trained on, and others can check it."""

import hashlib
import os
from pathlib import Path

COMMAND = r"find -L . -type f -not -path '*/.*' -printf '%P %s\n' | LC_ALL=C sort | sha256sum"  # in the folder, with GNU tools


def file_list(root: Path) -> tuple[int, str]:
    """How many files lie below `root`, without hidden ones, and the SHA-256 of their list: lines `name size`, sorted by bytes.

    The contents are not read. `COMMAND` gives the same number.
    """
    files = [path for path in root.rglob("*") if path.is_file() and not hidden(path.relative_to(root))]
    lines = sorted(os.fsencode(f"{path.relative_to(root).as_posix()} {path.stat().st_size}\n") for path in files)
    return len(files), hashlib.sha256(b"".join(lines)).hexdigest()


def hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def describe_lists(folders: dict[str, Path]) -> str:
    """A paragraph for a card on the files of `folders`, which are named by what they hold."""
    lists = {name: file_list(folder) for name, folder in folders.items()}
    rows = [f"* {name}: {count} files, `{digest}`" for name, (count, digest) in lists.items()]
    return "\n".join(["SHA-256 of the list of files, names and sizes, by", "", f"    {COMMAND}", "", *rows])
