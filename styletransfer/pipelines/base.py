"""What the pipelines of a single network share: how their packages are written and read."""

import inspect
import json
from collections.abc import Iterable
from pathlib import Path

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from styletransfer.catalog import read_index
from styletransfer.pipelines.loading import fetch, load_network


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
    ) -> "NetworkPipeline":
        """Pipeline of a package; `load_pipeline` calls it."""
        folder = fetch(path_or_repo, revision, token)
        index = {name: value for name, value in read_index(folder).items() if not name.startswith("_")}
        given = index.pop(cls.component, None)
        network = next((network for network in cls.networks if given == [network.__module__, network.__name__]), None)
        if network is None:
            names = ", ".join(network.__name__ for network in cls.networks)
            raise ValueError(f"{folder}/model_index.json must give one of {names} as {cls.component}, got {given}")
        unknown = index.keys() - inspect.signature(cls).parameters.keys()
        if unknown:
            raise ValueError(f"{folder}/model_index.json has options that a {cls.__name__} does not take: {', '.join(unknown)}")
        return cls(**{cls.component: load_network(network, folder / cls.component, dtype)}, **index)

    def save_pretrained(self, folder: str | Path, safe_serialization: bool = True, variant: str | None = None) -> None:
        """Write the package: the network and `model_index.json`."""
        if not safe_serialization or variant:
            raise ValueError("a package is made of safetensors files without a variant")
        folder = Path(folder)
        super().save_pretrained(folder)
        forget_paths(folder, [self.component])

    def precision(self) -> torch.autocast:
        # weights of half precision work on float32 pictures
        dtype = getattr(self, self.component).dtype
        return torch.autocast(self._execution_device.type, dtype, enabled=dtype != torch.float32)


def forget_paths(folder: Path, components: Iterable[str]) -> None:
    """Take out of a package what diffusers notes of the machine it was written on."""
    for path in [folder / "model_index.json", *(folder / name / "config.json" for name in components)]:
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("_name_or_path", None)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
