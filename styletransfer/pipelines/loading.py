"""Packages off the disk or the Hub: JSON and safetensors only, every value checked, no code of the package run."""

import inspect
import re
from pathlib import Path, PurePath

import torch
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
from torch import nn

from styletransfer.catalog import MODEL_CARDS, read_json
from styletransfer.styles import read_tensors

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
MAX_ARGUMENT = 4096  # of a network: widths above all
# arguments whose cost grows faster than that of a width, or that double something
LIMITS = {"image_size": 1024, "size": 1024, "num_blocks": 64, "num_downs": 12, "num_layers": 12, "num_scales": 12}
PATIENCE = 5  # seconds that the Hub may take for its first answer; its client would wait for ever


def weights_file(variant: str | None = None) -> str:
    """Name of the file with a network's weights."""
    if variant is not None and not re.fullmatch(r"[A-Za-z0-9_]+", str(variant)):
        raise ValueError(f"variant must be a word such as fp16, got {variant!r}")
    return f"diffusion_pytorch_model.{variant}.safetensors" if variant else "diffusion_pytorch_model.safetensors"


def package_files(variant: str | None = None) -> tuple[str, ...]:
    """What is fetched of a repository: nothing that could run."""
    networks = ("*/config.json", f"*/{weights_file(variant)}")
    return ("model_index.json", "styles/*.safetensors", *networks, "README.md", "samples/*.jpg")


def fetch(
    path_or_repo: str | Path,
    revision: str | None = None,
    token: str | None = None,
    files: tuple[str, ...] | None = None,
    local_files_only: bool = False,
    cache_dir: str | Path | None = None,
) -> Path:
    """The folder or file at a path, or a local copy of `files` of a Hub repository, by default those of a package.

    Only Hub ids ever reach for the network. Where the Hub does not answer, or with `local_files_only`, what was fetched before is
    used.
    """
    path = Path(path_or_repo).expanduser()
    if path.exists():
        return path
    name = str(path_or_repo)
    home = path.parent
    if isinstance(path_or_repo, Path) or not HUB_ID.fullmatch(name) or home.is_dir() or str(home) == MODEL_CARDS:
        raise FileNotFoundError(f"{name} does not exist, and is no Hub id, which would look like user/name")
    patterns = list(files or package_files())
    trouble = "" if local_files_only else trouble_with(name, revision, token)
    options = {
        "revision": revision,
        "token": token,
        "cache_dir": cache_dir,
        "local_files_only": local_files_only or bool(trouble),
    }
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, **options))
    except RevisionNotFoundError:
        raise ValueError(f"{name} on the Hub has no revision {revision!r}") from None
    except RepositoryNotFoundError:
        raise FileNotFoundError(
            f"{name} is neither a folder here nor a repository on the Hub that you can read; private ones need a token"
        ) from None
    except LocalEntryNotFoundError as error:
        reason = "local_files_only was asked for" if local_files_only else trouble or explained(error.__cause__)
        raise OSError(f"{name} was not fetched before, and {reason}") from None
    except Exception as error:  # of the client and of its HTTP library, which is not the same in all versions
        raise OSError(f"{name} could not be fetched from the Hub: {explained(error)}") from None


def trouble_with(name: str, revision: str | None, token: str | None) -> str:
    """Why the Hub cannot be asked for a repository; empty if it can, even if it says that there is none."""
    try:
        HfApi().repo_info(name, revision=revision, token=token, timeout=PATIENCE)
    except HfHubHTTPError as error:
        # what else is wrong `snapshot_download` says
        return explained(error) if error.response.status_code >= 500 else ""
    except ValueError:
        return ""
    except Exception:  # offline mode, or an error of the HTTP library
        return explained(None)
    return ""


def explained(error: BaseException | None) -> str:
    """What the Hub did, or its client says of it."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"{constants.ENDPOINT} refused a file ({status}); a token may be needed that can read it"
    if status:
        return f"{constants.ENDPOINT} answered {status}"
    if error is None:
        return f"{constants.ENDPOINT} does not answer"
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def from_pretrained(
    cls: type[nn.Module],
    path_or_repo: str | Path,
    subfolder: str | None = None,
    revision: str | None = None,
    token: str | None = None,
    variant: str | None = None,
    dtype: torch.dtype | None = None,
    torch_dtype: torch.dtype | None = None,
    local_files_only: bool = False,
    cache_dir: str | Path | None = None,
) -> nn.Module:
    """Network in a folder or in a repository of the Hub, as strictly and as quickly as `load_pipeline` has it.

    Every network has it as its class method:
    `StyleGenerator.from_pretrained("model_cards/painter", subfolder="stylizer")`

    Args:
        path_or_repo: A folder, or a Hub id such as "user/name".
        subfolder: Folder of the network in it.
        revision: Branch, tag or commit on the Hub.
        token: For private repositories.
        variant: Of the weights, such as "fp16".
        dtype: Of the weights; float32 by default.
        torch_dtype: The older name of `dtype`.
        local_files_only: Take what was fetched before, and ask nobody.
        cache_dir: Where fetched files are kept, in place of the Hub client's own folder.
    """
    part = PurePath(subfolder or ".")
    if part.is_absolute() or ".." in part.parts:
        raise ValueError(f"subfolder must lie in {path_or_repo}, got {subfolder!r}")
    files = tuple((part / name).as_posix() for name in ("config.json", weights_file(variant)))
    folder = fetch(path_or_repo, revision, token, files, local_files_only, cache_dir) / part
    if not (folder / "config.json").is_file():
        place = f"the folder {subfolder} of {path_or_repo}" if subfolder else path_or_repo
        raise FileNotFoundError(f"{place} holds no network: it has no config.json; give the folder of the network as subfolder")
    return load_network(cls, folder, dtype or torch_dtype, variant)


def load_network(cls: type[nn.Module], folder: Path, dtype: torch.dtype | None = None, variant: str | None = None) -> nn.Module:
    """Network saved in `folder`, refused unless its class, arguments and tensors are what they must be."""
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise ValueError(f"dtype must be a type of floats such as torch.float16, got {dtype!r}")
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
    for name, value in arguments.items():
        if largest(value) > (most := LIMITS.get(name, MAX_ARGUMENT)):
            raise ValueError(f"{folder}/config.json gives {name} a number above {most}")
    tensors, _ = read_tensors(weights)
    try:
        with torch.device("meta"):  # takes no memory, whatever sizes a stranger's file asks for
            wanted = cls(**arguments).state_dict()
    except (TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError, LookupError) as error:
        raise ValueError(f"{folder}/config.json does not make a {cls.__name__}: {str(error).splitlines()[0]}") from None
    shared = wanted.keys() & tensors.keys()
    shapes = {name for name in shared if wanted[name].shape != tensors[name].shape}
    types = {name for name in shared if wanted[name].is_floating_point() != tensors[name].is_floating_point()}
    for names, problem in (
        (wanted.keys() - tensors.keys(), "lacks"),
        (tensors.keys() - wanted.keys(), "has unexpected"),
        (shapes, "has another shape for"),
        (types, "has another type of numbers for"),
        ({name for name, value in tensors.items() if not torch.isfinite(value).all()}, "has values that are not finite in"),
    ):
        if names:
            raise ValueError(f"the checkpoint in {folder} does not fit {cls.__name__}: it {problem} {listed(names)}")
    network = cls(**arguments)
    network.load_state_dict(tensors)
    return nn.Module.to(network, dtype).eval()  # diffusers' own `to` warns of modules to keep in float32 where there are none


def largest(value: object) -> float:
    """The largest number in an argument of a configuration; 0 without one."""
    if isinstance(value, list | tuple):
        return max(map(largest, value), default=0)
    return abs(value) if isinstance(value, int | float) else 0


def listed(names: set[str]) -> str:
    """At most three of `names`, and how many more there are."""
    shown = sorted(names)[:3]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")
