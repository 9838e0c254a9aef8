"""Pipelines: PIL in, PIL out. `load_pipeline` opens any package."""

from importlib import import_module
from pathlib import Path

import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline

from styletransfer.catalog import read_index
from styletransfer.pipelines.loading import fetch, package_files
from styletransfer.tasks import TASKS


def load_pipeline(
    path_or_repo: str | Path,
    revision: str | None = None,
    token: str | None = None,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    variant: str | None = None,
) -> DiffusionPipeline:
    """Pipeline of the package in a folder or in a repository of the Hub.

    `load_pipeline("model_cards/painter")(photo, style="great-wave").images[0].save("painting.png")`

    Args:
        path_or_repo: A folder, or a Hub id such as "user/name".
        revision: Branch, tag or commit on the Hub.
        token: For private repositories.
        device: Where to run; the CPU by default.
        dtype: Of the weights; float32 by default. Pictures stay float32 in any case.
        variant: Of the weights, such as "fp16", where the package has one: a smaller download.
    """
    folder = fetch(path_or_repo, revision, token, package_files(variant))
    name = read_index(folder)["_class_name"]
    if name not in TASKS:
        raise ValueError(f"{path_or_repo} needs a {name}, and there are only {', '.join(TASKS)}")
    pipe = getattr(import_module(TASKS[name].module), name).from_pretrained(folder, dtype=dtype, variant=variant)
    if device is None:
        return pipe
    try:
        return pipe.to(device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {str(device)!r} cannot be used: {str(error).splitlines()[0]}") from None
