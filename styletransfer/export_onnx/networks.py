"""Networks of a package as files that need neither torch nor this library."""

import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from styletransfer.catalog import Package
from styletransfer.images import MIN_SIZE
from styletransfer.pipelines import load_pipeline

OPSET = 20
MAX_SIDE = 16384  # pixels
MAX_RANK = 1024  # of an adapter: those of a mixture add up


def export(package: Package, folder: Path) -> None:
    """Write the ONNX files of `package` into `folder`, by the module that its task names.

    `export(read_package("model_cards/painter"), Path("site"))`

    Raises:
        ModuleNotFoundError: without the libraries that write ONNX.
        ValueError: for a package that turns no photos into pictures.
    """
    if not package.task.onnx:
        raise ValueError(f"{package.path} is a {package.kind}; only what turns photos into pictures can be exported")
    if not (find_spec("onnx") and find_spec("onnxscript")):
        raise OSError("ONNX files are written by two more libraries: pip install onnx onnxscript")
    pipe = load_pipeline(package.path)
    folder.mkdir(parents=True, exist_ok=True)
    import_module(package.task.onnx).export(pipe, folder)


def write(network: nn.Module, inputs: dict[str, Tensor | dict[str, Tensor]], output: str, path: Path) -> None:
    """`network` as one ONNX file for pictures of any height and width; its first input is the picture.

    An input that is a dictionary becomes several, named by its keys: factors of an adapter, of any rank.
    """
    rank = torch.export.Dim("rank", min=1, max=MAX_RANK)
    shapes, names = {}, []
    for name, value in inputs.items():
        if isinstance(value, dict):
            axes = {"up": {1: rank}, "down": {0: rank}}
            shapes[name] = {key: axes.get(key.rpartition(".")[2]) for key in value}
            names += value
        else:
            shapes[name] = None
            names.append(name)
    sides = {axis: torch.export.Dim(name, min=MIN_SIZE, max=MAX_SIDE) for axis, name in ((2, "height"), (3, "width"))}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "# The axis name: rank", UserWarning)  # many inputs have it
        torch.onnx.export(
            network.eval(),
            kwargs=inputs,
            f=path,
            input_names=names,
            output_names=[output],
            dynamic_shapes=shapes | {names[0]: sides},
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            verbose=False,
        )
