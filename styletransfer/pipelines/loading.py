"""Packages off the disk or the Hub: JSON and safetensors only, every value checked, no code of the package run."""

import inspect
import re
from pathlib import Path

import torch
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
from torch import nn

from styletransfer.catalog import MODEL_CARDS, read_json
from styletransfer.controls import read_tensors

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PATIENCE = 5  # seconds that the Hub may take for its first answer; its client would wait for ever


def weights_file(variant: str | None = None) -> str:
    """Name of the file with a network's weights."""
    if variant is not None and not re.fullmatch(r"[A-Za-z0-9_]+", str(variant)):
        raise ValueError(f"variant must be a word such as fp16, got {variant!r}")
    return f"diffusion_pytorch_model.{variant}.safetensors" if variant else "diffusion_pytorch_model.safetensors"


def package_files(variant: str | None = None) -> tuple[str, ...]:
    """What is fetched of a repository: nothing that could run."""
    networks = ("*/config.json", f"*/{weights_file(variant)}")
    return ("model_index.json", "styles.safetensors", *networks, "README.md", "samples/*.jpg")


def fetch(
    path_or_repo: str | Path, revision: str | None = None, token: str | None = None, files: tuple[str, ...] | None = None
) -> Path:
    """The folder or file at a path, or a local copy of `files` of a Hub repository, by default those of a package.

    Only Hub ids ever reach for the network. Where the Hub does not answer, what was fetched before is used.
    """
    path = Path(path_or_repo).expanduser()
    if path.exists():
        return path
    name = str(path_or_repo)
    home = path.parent
    if isinstance(path_or_repo, Path) or not HUB_ID.fullmatch(name) or home.is_dir() or str(home) == MODEL_CARDS:
        raise FileNotFoundError(f"{name} does not exist, and is no Hub id, which would look like user/name")
    patterns = list(files or package_files())
    silent = not answers(name, revision, token)
    try:
        return Path(snapshot_download(name, revision=revision, token=token, allow_patterns=patterns, local_files_only=silent))
    except RevisionNotFoundError:
        raise ValueError(f"{name} on the Hub has no revision {revision!r}") from None
    except RepositoryNotFoundError:
        raise FileNotFoundError(
            f"{name} is neither a folder here nor a repository on the Hub that you can read; private ones need a token"
        ) from None
    except LocalEntryNotFoundError:
        raise OSError(f"{name} was not fetched before, and {constants.ENDPOINT} does not answer") from None
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise OSError(f"{name} could not be fetched from the Hub: {str(error).splitlines()[0]}") from None


def answers(name: str, revision: str | None, token: str | None) -> bool:
    """Whether the Hub says anything about a repository, even that there is none."""
    try:
        HfApi().repo_info(name, revision=revision, token=token, timeout=PATIENCE)
    except (HfHubHTTPError, ValueError):
        return True  # `snapshot_download` gets the same answer and says what is wrong
    except Exception:  # offline mode, or an error of the HTTP library, which is not the same in all versions of huggingface_hub
        return False
    return True


def load_network(cls: type[nn.Module], folder: Path, dtype: torch.dtype | None = None, variant: str | None = None) -> nn.Module:
    """Network saved in `folder`, refused unless its class, arguments and tensors are what they must be."""
    config = read_json(folder / "config.json")
    if config.get("_class_name") != cls.__name__:
        raise ValueError(f"{folder} should hold a {cls.__name__}, got {config.get('_class_name')}")
    arguments = {name: value for name, value in config.items() if not name.startswith("_")}
    unknown = arguments.keys() - inspect.signature(cls).parameters.keys()
    if unknown:
        raise ValueError(f"{folder}/config.json has arguments that {cls.__name__} does not take: {listed(unknown)}")
    weights = folder / weights_file(variant)
    if variant and not weights.is_file():
        raise FileNotFoundError(f"{folder} has no variant {variant}: {weights.name} does not exist")
    tensors, _ = read_tensors(weights)
    try:
        network = cls(**arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{folder}/config.json does not make a {cls.__name__}: {str(error).splitlines()[0]}") from None
    wanted = network.state_dict()
    differing = {name for name in wanted.keys() & tensors.keys() if wanted[name].shape != tensors[name].shape}
    for names, problem in (
        (wanted.keys() - tensors.keys(), "lacks"),
        (tensors.keys() - wanted.keys(), "has unexpected"),
        (differing, "has another shape for"),
        ({name for name, value in tensors.items() if not torch.isfinite(value).all()}, "has values that are not finite in"),
    ):
        if names:
            raise ValueError(f"the checkpoint in {folder} does not fit {cls.__name__}: it {problem} {listed(names)}")
    network.load_state_dict(tensors)
    return network.to(dtype).eval()


def listed(names: set[str]) -> str:
    """At most three of `names`, and how many more there are."""
    shown = sorted(names)[:3]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")
