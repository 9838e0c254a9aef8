"""Style files from looks and paintings, and back: what the Models tab saves and loads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from styletransfer.ui.inputs import read
from styletransfer.ui.look import Look
from styletransfer.ui.visitor import Visitor
from styletransfer.ui.words import tell

if TYPE_CHECKING:
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from styletransfer.styles import Style  # imports torch, which the page can be shown without

MAX_STYLE_BYTES = 1_000_000


def fold(pipe: StyleTransferPipeline, look: Look, visitor: Visitor, photo: str | None, name: str) -> tuple[Style, bool]:
    """One style that does what the style and the mixture of `look` do, and whether it does so for `photo` alone.

    A style without a second one keeps all its exemplars, and a mixture of styles with one exemplar each is one code: both do for
    every photo what the look does. Where styles have several exemplars the photo chooses among them, so a mixture is folded as
    `photo` chooses, or without a photo as their mean does. The strength is no part of a style file: its codes have length 1.
    """
    import torch

    from styletransfer.images import to_tensor
    from styletransfer.styles import Style, mix, unit

    known = {style.name: style for style in visitor.styles} | pipe.named
    weights = {look.style: 1 - look.mix, look.second: look.mix} if look.second else {look.style: 1.0}
    weights = {style: weight for style, weight in weights.items() if weight > 0}
    if not weights.keys() <= known.keys():
        raise ValueError(tell("models_look_gone"))
    styles = [known[style] for style in weights]
    for style in styles:
        pipe.check_fit(style)
    if len(styles) == 1:
        return replace(styles[0], name=name), False
    several = any(len(style.codes) > 1 for style in styles)
    if several and photo:
        with torch.no_grad():
            codes = pipe.codes(to_tensor(read(photo)).to(pipe.device), styles).cpu()
    else:
        codes = torch.stack([unit(unit(style.codes).mean(dim=0)) for style in styles])
    return Style(mix(codes, torch.tensor(list(weights.values())))[None], name), several


def read_style(path: str, pipe: StyleTransferPipeline, package: str, taken: Iterable[str]) -> Style:
    """The style in a file that somebody uploaded, under a name that is not among those `taken`."""
    from styletransfer.styles import Style

    file = Path(path)
    try:
        if file.stat().st_size > MAX_STYLE_BYTES:
            raise ValueError
        style = Style.load(file)
    except (ValueError, OSError):
        raise ValueError(tell("models_no_style_file", file=file.name)) from None
    size, wanted = style.codes.shape[1], pipe.stylizer.config.code_size
    if size != wanted:
        raise ValueError(tell("models_other_size", style=style.name, size=size, package=package, wanted=wanted))
    return replace(style, name=free_name(style.name, set(taken)))


def free_name(name: str, taken: set[str]) -> str:
    """`name`, or else "name 2", "name 3" ..., of at most 64 characters."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name[:58].rstrip()} {number}"
    return free
