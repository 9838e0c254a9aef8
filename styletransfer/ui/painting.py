"""What the Stylise tab paints: pictures by a choice of style, a second one mixed in, and a mask; thumbnails of the gallery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from styletransfer.catalog import Package
from styletransfer.ui.gallery import THUMBNAIL, data_url
from styletransfer.ui.inputs import opened, read, refusal
from styletransfer.ui.visitor import Choice
from styletransfer.ui.words import tell

if TYPE_CHECKING:
    from styletransfer.styles import Style  # imports torch, which the page can be shown without

PREVIEW = 640  # pixels of the longer side: a fifth of a second on two cores

# what does not depend on a slider is done once: decoding the photo takes as long as painting a small one
preview_of = lru_cache(maxsize=32)(lambda path: read(path, PREVIEW))


def pipeline(load: Callable, package: Package):
    """The pipeline of `package`, or one sentence."""
    try:
        return load(package.path)
    except (ValueError, OSError):  # the message may name folders of this server
        raise refusal(tell("stylise_broken", name=package.title)) from None


def borrow(load: Callable, painting: str | None, package: Package, name: str) -> Choice:
    """The style of the picture at the path `painting`, called `name`."""
    if painting is None:
        raise refusal(tell("stylise_no_painting"))
    return Choice(package, pipeline(load, package).encode_style(preview_of(painting), name))


def paint(
    load: Callable,
    photo: Image.Image,
    first: Choice,
    second: Choice | None = None,
    mix: float = 0.5,
    mask: str | None = None,
    progress: Callable[[float], None] | None = None,
    **controls: float,
) -> Image.Image:
    """`photo` painted by `first`, with a share `mix` of `second`, where the picture at the path `mask` is white.

    `progress` is called with the part that is done, 0 to 1. `controls` are `strength`, `brush`, `tone`, `color`;
    those that the pipeline has not are left out.
    """
    pipe = pipeline(load, first.package)
    style = first.style
    if second is not None:
        if not first.mixes(second):
            raise refusal(tell("stylise_apart"))
        style = {first.style: 1 - mix, second.style: mix} if second.style != first.style else style
    where = read(mask).resize(photo.size) if mask else None
    controls = {name: value for name, value in controls.items() if name in first.package.task.controls}
    try:
        return pipe(photo, style=style, mask=where, progress=progress, **controls).images[0]
    except ValueError as error:
        raise refusal(str(error)) from None


def thumbnails(load: Callable, photo: str | None, example: Path | None, styles: Mapping[str, Choice]) -> dict[str, str | None]:
    """Each of `styles` on the visitor's `photo`, or else its package's own thumbnail, or else the `example` painted."""
    urls = {}
    for key, choice in styles.items():
        own = choice.package.thumbnail(choice.name) if choice.own else None
        if photo is None and own is not None:
            with opened(own) as image:
                urls[key] = data_url(image)
        elif photo or example:
            pipeline(load, choice.package)  # or one sentence
            paint_small = thumbnail if choice.own else thumbnail.__wrapped__  # a visitor's is not kept
            size = {"size": THUMBNAIL} if "size" in choice.package.task.controls else {}
            urls[key] = paint_small(load, choice.package.path, choice.style, photo or example, **size)
    return urls


@lru_cache(maxsize=1000)  # of some 7 KB each
def thumbnail(load: Callable, package: Path, style: str | Style | None, photo: str | Path, **size: int) -> str:
    small = ImageOps.fit(preview_of(photo), (THUMBNAIL, THUMBNAIL))
    return data_url(load(package)(small, style=style, **size).images[0])
