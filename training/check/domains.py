"""Which folders hold which domain: of a data folder as people arrange it, and of a training's configuration."""

from dataclasses import dataclass
from pathlib import Path

from training.check.pictures import files
from training.options import Labelled

PARTS = ("train", "held")
PAINTINGS = "paintings"


@dataclass(frozen=True)
class Domain:
    """Pictures of one kind: photos, say, or a folder of paintings. `part` is "train", "held" or empty."""

    name: str
    folder: Path
    part: str = ""

    @property
    def kind(self) -> str:
        """What the networks tell apart: folders of paintings are of one kind, whatever their names."""
        return PAINTINGS if self.name.startswith(f"{PAINTINGS}/") else self.name

    @property
    def title(self) -> str:
        return f"{self.part}/{self.name}" if self.part else self.name


def in_folders(folders: list[Path]) -> list[Domain]:
    """The domains of one data folder, or of several folders that are a domain each.

    A data folder holds photos/ and paintings/, with folders in it or not, or a folder for each domain, or pictures; any of these
    may be below train/ and held/.

    Raises:
        ValueError: where there is no folder, or nothing in it.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"no folder at {folder}")
    if len(folders) > 1:
        return [Domain(name, folder) for name, folder in zip(short_names(folders), folders, strict=True)]
    (folder,) = folders
    parts = {part: folder / part for part in PARTS if (folder / part).is_dir()} or {"": folder}
    domains = [Domain(name, below, part) for part, root in parts.items() for name, below in domains_of(root).items()]
    if not domains:
        raise ValueError(f"the folder {folder} holds no pictures")
    return domains


def domains_of(root: Path) -> dict[str, Path]:
    if (root / "photos").is_dir() or (root / "paintings").is_dir():
        photos = {"photos": root / "photos"} if (root / "photos").is_dir() else {}
        return photos | (paintings_of(root / PAINTINGS) if (root / PAINTINGS).is_dir() else {})
    if any(path.parent == root for path in files(root)):
        return {root.name: root}
    return subfolders(root)


def paintings_of(root: Path) -> dict[str, Path]:
    """The folders that paintings are drawn from evenly: those below `root`, or else itself, which may be a single painting."""
    return {f"{PAINTINGS}/{name}": folder for name, folder in subfolders(root).items()} or {PAINTINGS: root}


def subfolders(root: Path) -> dict[str, Path]:
    return {p.name: p for p in sorted(root.glob("*")) if p.is_dir() and not p.name.startswith(".")}


def short_names(folders: list[Path]) -> list[str]:
    """The last parts of the paths that tell them apart: "a" and "b", or "one/photos" and "two/photos"."""
    for length in range(1, max(len(folder.absolute().parts) for folder in folders)):
        names = ["/".join(folder.absolute().parts[-length:]) for folder in folders]
        if len({*names}) == len(names):
            return names
    raise ValueError("the same folder is given twice")


def in_config(data: object) -> list[Domain]:
    """The domains of the `data` options of a training (training.options): none where it draws its own scenes."""
    domains = []
    for name, folder in vars(data).items():
        if not isinstance(folder, Path):
            continue
        if name == PAINTINGS:
            domains += [Domain(*found) for found in paintings_of(folder).items()]
        elif isinstance(data, Labelled):
            domains += [Domain(f"{name}/{style}", below) for style, below in subfolders(folder).items()]
        else:
            domains.append(Domain(name, folder))
    return domains
