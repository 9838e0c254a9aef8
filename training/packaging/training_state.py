"""What a training needs beside its package to go on: the networks that the generator played against, and those that helped it.

They lie in `training_state/<network>/` of a package, under names that no loader of pipelines asks for, so only those who
finetune fetch them: `fetch(repo, files=STATE_FILES)`.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from styletransfer.styles import read_tensors

FOLDER = "training_state"
WEIGHTS_FILE, CONFIG_FILE = "state.safetensors", "network.json"  # diffusers fetches every weights.* and model.*
STATE_FILES = (f"{FOLDER}/*/{WEIGHTS_FILE}", f"{FOLDER}/*/{CONFIG_FILE}")  # patterns for the Hub


def write_training_state(run: Path, package: Path) -> None:
    """Add to `package` the networks of `run` that were trained and do not ship: discriminators, heads, the way back."""
    path = run / "state.pt"
    if not path.is_file():
        raise ValueError(f"{run} holds no state of a training: there is no {path}")
    state = torch.load(path, map_location="cpu", weights_only=True)
    for name in state["nets"].keys() - state["averages"].keys():
        if name not in state.get("configs", {}):
            raise ValueError(
                f"{path} is of an older version and does not say how {name} is built; go on training with --resume first"
            )
        folder = package / FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        save_file({key: value.contiguous() for key, value in state["nets"][name].items()}, folder / WEIGHTS_FILE)
        (folder / CONFIG_FILE).write_text(state["configs"][name], encoding="utf-8")


def read_training_state(package: Path) -> dict[str, dict[str, Tensor]]:
    """State dicts of the networks in `training_state/` of a package, by name.

    Raises:
        FileNotFoundError: if the package was published without them.
        ValueError: if a file is no safetensors file, or holds values that are not finite.
    """
    files = {path.parent.name: path for path in sorted((package / FOLDER).glob(f"*/{WEIGHTS_FILE}"))}
    if not files:
        raise FileNotFoundError(f"{package} was published without its discriminators: it has no {FOLDER}/")
    states = {name: read_tensors(path)[0] for name, path in files.items()}
    for name, tensors in states.items():
        broken = [key for key, value in tensors.items() if not torch.isfinite(value).all()]
        if broken:
            raise ValueError(f"{files[name]} has values that are not finite in {', '.join(broken[:3])}")
    return states
