"""Reads a published checkpoint, checks all of it, and writes the package of our network that computes the same."""

import hashlib
import pickle
import shutil
from pathlib import Path
from string import Template

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import styletransfer
from styletransfer.convert.kinds import KINDS, Kind, misfits
from styletransfer.pipelines.translation import TranslationPipeline

SHOWN = 12  # misfits of one sort in a message
CARD = Template("""---
title: ${title}
license: other
library_name: diffusers
pipeline_tag: image-to-image
tags: [style-transfer, gan, image-translation, safetensors]
---

# ${title}

${kind}. Converted from a checkpoint of ${source}; the weights stay under the licence of whoever published them.

## Use

```python
from styletransfer import load_pipeline, open_image

pipe = load_pipeline("path/to/this/folder")  # or a Hub id
pipe(open_image("photo.jpg"), strength=0.8).images[0].save("translated.png")
```

Only safetensors and JSON are read; no code of this folder is run.

## Conversion

`python -m styletransfer.convert ${file} --kind ${name}`

The network is `${network}`. The original's SHA-256 is `${digest}`. ${statistics}
""")


def convert(file: str | Path, out: str | Path, kind: str | None = None, image_statistics: bool = False, title: str | None = None):
    """Write the checkpoint in `file` as a package into the folder `out`, and return its pipeline.

    `convert("latest_net_G.pth", "horse2zebra")(photo).images[0].save("zebra.png")`

    Args:
        file: What `torch.save` made of a state dict, or a safetensors file.
        out: Replaced if it is a package already.
        kind: One of `KINDS`; found out by the names of the tensors if it is not given.
        image_statistics: For pix2pix: normalise each picture by its own statistics, not by the running ones.
        title: What to call it; the name of its folder by default.
    """
    file, out = Path(file), Path(out)
    if out.exists() and (out.is_file() or (any(out.iterdir()) and not (out / "model_index.json").is_file())):
        raise ValueError(f"{out} is not empty and no package; give another folder")
    if out.resolve() in file.resolve().parents:
        raise ValueError(f"{file} lies in {out}, which would be replaced; give another folder")
    tensors = read(file)
    name = recognise(file, tensors) if kind is None else kind
    if name not in KINDS:
        raise ValueError(f"there is no kind {name!r}, only {', '.join(KINDS)}")
    if image_statistics and KINDS[name].network != "Pix2pixGenerator":
        raise ValueError(f"image statistics are a choice for pix2pix; a {name} has no others")
    pipeline = TranslationPipeline(build(file, KINDS[name], tensors, {"statistics": "image"} if image_statistics else {}))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if out.exists():
        shutil.rmtree(out)
    pipeline.save_pretrained(out)
    used = "Each picture is normalised by its own statistics" if image_statistics else "The running statistics normalise"
    fields = {
        "title": title or out.resolve().name,
        "kind": KINDS[name].title,
        "source": KINDS[name].source,
        "file": file.name,
        "name": name + (" --image-statistics" if image_statistics else ""),
        "network": KINDS[name].network,
        "digest": digest,
        "statistics": f"{used}." if KINDS[name].network == "Pix2pixGenerator" else "",
    }
    (out / "README.md").write_text(CARD.substitute(fields), encoding="utf-8")
    return pipeline


def read(file: Path) -> dict[str, Tensor]:
    """Tensors by name. Weights alone are read: nothing that could run."""
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist")
    if file.suffix == ".safetensors":
        try:
            content = load_file(file)
        except Exception as error:
            raise ValueError(f"{file} is not a readable safetensors file: {first_line(error)}") from None
    else:
        try:
            content = torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise ValueError(
                f"{file} is damaged or holds more than weights; it is not opened, as that could run code: {first_line(error)}"
            ) from None
        except Exception as error:  # what a damaged archive raises has no type of its own
            raise ValueError(f"{file} is not a readable checkpoint: {first_line(error)}") from None
    if not isinstance(content, dict) or not content:
        raise ValueError(f"{file} should hold tensors by name, got {content if content == {} else type(content).__name__}")
    strangers = [f"{name} ({type(value).__name__})" for name, value in content.items() if not is_named_tensor(name, value)]
    if strangers:
        raise ValueError(f"{file} should hold tensors by name and nothing else, got {listed(strangers)}")
    wrapped = all(name.startswith("module.") for name in content)  # saved from a network on several devices
    return {name.removeprefix("module.") if wrapped else name: value for name, value in content.items()}


def is_named_tensor(name: object, value: object) -> bool:
    return isinstance(name, str) and isinstance(value, Tensor) and value.layout == torch.strided and not value.is_quantized


def recognise(file: Path, tensors: dict[str, Tensor]) -> str:
    """The kind whose names those in the file are, or come nearest to."""
    nearest = min(KINDS, key=lambda name: sum(map(len, misfits(KINDS[name], tensors))))
    if not {*KINDS[nearest].names.values()} & tensors.keys():
        raise ValueError(f"{file} is none of {', '.join(KINDS)}: it holds {listed(sorted(tensors))}")
    return nearest


def build(file: Path, kind: Kind, tensors: dict[str, Tensor], options: dict) -> nn.Module:
    """Our network with the weights in the file, or an error with all that does not fit."""
    lacks, extra = misfits(kind, tensors)
    others = [name for name, other in KINDS.items() if not any(misfits(other, tensors))]
    check(file, kind, {"lacks": lacks, "has unexpected": extra} | ({"has the names of": others} if lacks or extra else {}))
    stem = tensors[next(iter(kind.names.values()))]
    network = getattr(styletransfer, kind.network)(base_channels=len(stem) if stem.ndim else 1, **kind.arguments, **options)
    state = network.state_dict()
    wanted = {theirs: state[ours] for ours, theirs in kind.names.items()}
    shapes = {name: (tuple(tensors[name].shape), tuple(value.shape)) for name, value in wanted.items()}
    problems = {
        "has another shape for": [f"{name} {came} instead of {due}" for name, (came, due) in shapes.items() if came != due],
        "has values that are not finite in": [name for name in wanted if not tensors[name].isfinite().all()],
        "has another filter in": [name for name, row in kind.blurs.items() if not is_blur(tensors[name], row)],
    }
    check(file, kind, problems)
    given = {ours: tensors[theirs].float() for ours, theirs in kind.names.items()}
    if kind.bytes:  # from 0 ... 255 to -1 ... 1; the shift of the input is a constant, and instance norm removes it
        given["stem.0.weight"] = given["stem.0.weight"] * 127.5
        given["out.weight"] = given["out.weight"] / 127.5
        given["out.bias"] = given["out.bias"] / 127.5 - 1
    network.load_state_dict(state | given)
    return network.eval()


def is_blur(kernel: Tensor, row: tuple[int, ...]) -> bool:
    """Whether every channel of `kernel` (C, 1, N, N) is a quarter of `row` in both directions."""
    values = torch.tensor(row) / 4
    return kernel.shape[1:] == (1, len(row), len(row)) and torch.allclose(kernel.float(), values.outer(values), atol=1e-4)


def check(file: Path, kind: Kind, problems: dict[str, list[str]]) -> None:
    found = [f"it {problem} {listed(names)}" for problem, names in problems.items() if names]
    if found:
        raise ValueError(f"{file} does not fit {kind.title}: {'; '.join(found)}")


def listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
