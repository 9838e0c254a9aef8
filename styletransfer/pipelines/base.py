"""What the pipelines of a single network share: how their packages are written and read."""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from safetensors import SafetensorError

from styletransfer.catalog import PIPELINE_FILE, read_index
from styletransfer.files import write_text
from styletransfer.pipelines import standalone_generation, standalone_translation
from styletransfer.pipelines.loading import fetch, load_network, package_files, weights_file

# component -> the pipeline that travels in packages of it, for people without styletransfer
STANDALONE = {"translator": standalone_translation, "noise_generator": standalone_generation}
IMPORT = re.compile(r"^from (styletransfer[.\w]*) import (?:\([^)]*\)|[^(\n]*)\n", re.MULTILINE)


class NetworkPipeline(DiffusionPipeline):
    """A pipeline around one network. Subclasses name the component and the classes that it may have."""

    component: str
    networks: tuple[type, ...]

    @classmethod
    def from_pretrained(
        cls,
        path_or_repo: str | Path,
        revision: str | None = None,
        token: str | None = None,
        dtype: torch.dtype | None = None,
        variant: str | None = None,
    ) -> "NetworkPipeline":
        """Pipeline of a package; `load_pipeline` calls it."""
        folder = fetch(path_or_repo, revision, token, package_files(variant))
        index = {name: value for name, value in read_index(folder).items() if not name.startswith("_") and name != "auto_map"}
        given = index.pop(cls.component, None)
        network = next((network for network in cls.networks if given == [network.__module__, network.__name__]), None)
        if network is None:
            names = ", ".join(network.__name__ for network in cls.networks)
            raise ValueError(f"{folder}/model_index.json must give one of {names} as {cls.component}, got {given}")
        unknown = index.keys() - inspect.signature(cls).parameters.keys()
        if unknown:
            raise ValueError(f"{folder}/model_index.json has options that a {cls.__name__} does not take: {', '.join(unknown)}")
        return cls(**{cls.component: load_network(network, folder / cls.component, dtype, variant)}, **index)

    def save_pretrained(self, folder: str | Path, safe_serialization: bool = True, variant: str | None = None) -> None:
        """Write the package: the network, `model_index.json`, and the code that plain diffusers needs.

        A variant such as "fp16" can lie beside other weights.
        """
        if not safe_serialization:
            raise ValueError("a package is made of safetensors files")
        weights_file(variant)
        folder = Path(folder)
        with disk_errors(folder):
            super().save_pretrained(folder, variant=variant)
        forget_paths(folder, [self.component])
        write_code(folder, STANDALONE[self.component], {self.component: type(getattr(self, self.component))})

    def precision(self) -> torch.autocast:
        # weights of half precision work on float32 pictures
        dtype = getattr(self, self.component).dtype
        return torch.autocast(self._execution_device.type, dtype, enabled=dtype != torch.float32)


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Inside, what safetensors cannot write is the OSError that it is for everybody else."""
    try:
        yield
    except SafetensorError as error:
        raise OSError(f"the package could not be written into {folder}: {error}") from None


def write_code(folder: Path, pipeline: ModuleType, networks: dict[str, type]) -> None:
    """Add to a package what plain diffusers loads it by, and styletransfer never reads: its pipeline and its networks as code.

    `DiffusionPipeline` looks for a network's code under the name of its module. `AutoModel` takes names without dots, and knows a
    single one in a repository: that of the first of `networks`.
    """
    main, network = next(iter(networks.items()))
    path = folder / "model_index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    index["_class_name"] = [PIPELINE_FILE, index["_class_name"]]
    index["auto_map"] = {"AutoModel": f"network.{network.__name__}"}
    write_text(path, json.dumps(index, indent=2, sort_keys=True) + "\n")
    write_text(folder / f"{PIPELINE_FILE}.py", self_contained(pipeline.__name__))
    write_text(folder / main / "network.py", self_contained(network.__module__))
    for name, network in networks.items():
        write_text(folder / name / f"{network.__module__}.py", self_contained(network.__module__))


def self_contained(module: str) -> str:
    """Code of a module of the house, with the code of every other in place of the line that first imports something of it.

    Diffusers fetches no second file for a pipeline or a network.
    """
    taken: set[str] = set()

    def code_of(name: str) -> str:
        taken.add(name)
        return IMPORT.sub(lambda line: "" if line[1] in taken else code_of(line[1]), inspect.getsource(import_module(name)))

    return code_of(module)


def forget_paths(folder: Path, components: Iterable[str]) -> None:
    """Take out of a package what diffusers notes of the machine it was written on."""
    for path in [folder / "model_index.json", *(folder / name / "config.json" for name in components)]:
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("_name_or_path", None)
        write_text(path, json.dumps(content, indent=2) + "\n")
