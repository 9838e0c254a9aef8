"""Style files from looks and paintings, and back: what the Models tab saves and loads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from styletransfer.limited import TooMuch, run_limited
from styletransfer.ui.inputs import read
from styletransfer.ui.look import Look
from styletransfer.ui.visitor import Visitor
from styletransfer.ui.words import tell

if TYPE_CHECKING:
    from torch import Tensor

    from styletransfer.color import Palette
    from styletransfer.pipelines.style_transfer import StyleTransferPipeline
    from styletransfer.styles import Style  # imports torch, which the page can be shown without

MAX_STYLE_BYTES = 2_000_000  # half a megabyte for a learned style, twice that for a mixture of two
MAX_RANK = 32  # of the changes in a mixture of mixtures
MEASURED = 256  # pixels of the photo's longer side, for its palette


def fold(pipe: StyleTransferPipeline, look: Look, visitor: Visitor, photo: str | None, name: str) -> tuple[Style, bool]:
    """One style that does what the mixture of `look` does, and whether it does so for `photo` alone.

    Of a style made from several paintings the photo takes the nearest, so a mixture is folded as `photo` chooses, or without a
    photo as the first painting of each. The sliders are no part of a style file.
    """
    import torch

    from styletransfer.color import Palette
    from styletransfer.images import to_tensor
    from styletransfer.styles import Style, mix

    brought = {choice.name: choice.style for choice in visitor.styles if choice.package.name == look.package}
    known = brought | pipe.named
    shares = {look.style: 1 - look.mix, look.second: look.mix} if look.second else {look.style: 1.0}
    shares = {style: share for style, share in shares.items() if share > 0}
    if not shares.keys() <= known.keys():
        raise ValueError(tell("models_look_gone"))
    styles, shares = [known[style] for style in shares], [*shares.values()]
    if len(styles) == 1:
        return styles[0].named(name), False
    palette = Palette.of(to_tensor(read(photo, MEASURED))) if photo else None
    chosen = [style.nearest(palette) if palette else 0 for style in styles]
    code = mix(torch.stack([style.codes[number] for style, number in zip(styles, chosen, strict=True)]), torch.tensor(shares))
    palettes = [style.palettes[number] if style.palettes else None for style, number in zip(styles, chosen, strict=True)]
    adapter = mix_adapters([style.adapter for style in styles], shares)
    return Style(code[None], name, mix_palettes(palettes, shares), adapter), any(len(style.codes) > 1 for style in styles)


def mix_palettes(palettes: Sequence[Palette | None], shares: Sequence[float]) -> tuple[Palette, ...]:
    """The palette whose mean and whose root of the covariance are those of `palettes` by `shares`.

    A mixture is painted with the mean of the maps to each palette. Where the covariances commute that is the map to this one.
    A style without a palette leaves the photo's colours, which no palette can say, so it counts for nothing.
    """
    from styletransfer.color import Palette, square_root

    parts = [(palette, share) for palette, share in zip(palettes, shares, strict=True) if palette is not None]
    if not parts:
        return ()
    total = sum(share for _, share in parts)
    mean = sum(share / total * palette.mean for palette, share in parts)
    root = sum(share / total * square_root(palette.covariance) for palette, share in parts)
    return (Palette(mean, root @ root),)


def mix_adapters(adapters: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Factors whose product is the sum of the `adapters`' changes by `shares`: side by side, so that ranks add up.

    Beyond `MAX_RANK` the nearest changes of that rank, or mixtures of mixtures would outgrow a style file.
    """
    import torch

    mixed: dict[str, Tensor] = {}
    parts = [(adapter, share) for adapter, share in zip(adapters, shares, strict=True) if share]
    for name in {name: None for adapter, _ in parts for name in adapter}:  # each once, in order
        found = [(adapter[name], share) for adapter, share in parts if name in adapter]
        if name.endswith(".down"):
            mixed[name] = torch.cat([down for down, _ in found])
        elif name.endswith(".up"):
            mixed[name] = torch.cat([share * up for up, share in found], dim=1)
        else:
            mixed[name] = sum(share * bias for bias, share in found)
    for name, up in mixed.items():
        if name.endswith(".up") and up.shape[1] > MAX_RANK:
            down = name.removesuffix("up") + "down"
            left, values, right = torch.linalg.svd(up @ mixed[down], full_matrices=False)
            mixed[name], mixed[down] = left[:, :MAX_RANK] * values[:MAX_RANK], right[:MAX_RANK]
    return mixed


def read_style(path: str, pipe: StyleTransferPipeline, package: str, taken: Iterable[str]) -> Style:
    """The style in a file that somebody uploaded, under a name that is not among those `taken`.

    The file is opened in another process first, which may take little memory and time.
    """
    from styletransfer.pipelines.trial import examine_style
    from styletransfer.styles import Style

    file = Path(path)
    try:
        if file.stat().st_size > MAX_STYLE_BYTES:
            raise ValueError
        run_limited(examine_style, file)
        style = Style.load(file)
    except (ValueError, OSError, TooMuch):
        raise ValueError(tell("models_no_style_file", file=file.name)) from None
    try:
        pipe.check_fit(style)
    except ValueError:
        raise ValueError(tell("models_misfit", style=style.name, package=package)) from None
    return style.named(free_name(style.name, set(taken)))


def free_name(name: str, taken: set[str]) -> str:
    """`name`, or else "name 2", "name 3" ..., of at most 64 characters."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name[:58].rstrip()} {number}"
    return free
