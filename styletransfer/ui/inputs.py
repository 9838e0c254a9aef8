"""Pictures from and to the browser: one gate for every path, one sentence for every bad file, a slider that is quick to fill."""

from abc import ABCMeta
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
from gradio.component_meta import ComponentMeta
from gradio.utils import get_upload_folder
from PIL import Image

from styletransfer.formats import FORMATS, MAX_PIXELS
from styletransfer.ui.saved import save
from styletransfer.ui.words import tell

AS_FILE = {"type": "filepath", "image_mode": None, "buttons": ["fullscreen"]}


class NoStub(ComponentMeta):
    """Gradio's metaclass writes a .pyi file beside the source of every component; this one leaves the source folder alone."""

    def __new__(cls, name, bases, attributes):
        return ABCMeta.__new__(cls, name, bases, attributes)


class PhotoInput(gr.Image, metaclass=NoStub):
    """An upload whose handlers get the path of the file as it came. Use `**AS_FILE`, and `read` to decode it or refuse it."""

    is_template = True  # the stock front end; Gradio reads its properties off the signature, so `__init__` stays the stock one

    def preprocess(self, payload) -> str | None:
        # the stock one would decode it, whatever it is, and say what is wrong in words and paths of the server
        return payload and uploaded(payload.path)


class MaskEditor(gr.ImageEditor, metaclass=NoStub):
    """A brush whose pictures are looked at before they are decoded, and of which there are as many as the page sends."""

    is_template = True

    def preprocess(self, payload):
        # by id are those of streams, which this page has none of
        if payload is None or payload.id is not None or len(payload.layers) > 1:
            return None
        for part in (payload.background, payload.composite, *payload.layers):
            if part is not None:
                check_size(uploaded(part.path))
        return super().preprocess(payload)


class Cards(gr.Radio, metaclass=NoStub):
    """Radio buttons whose choices change: what was picked a moment before they did is nobody's mistake. Handlers check."""

    is_template = True

    def preprocess(self, payload: str | None) -> str | None:
        return payload


class BeforeAfter(gr.ImageSlider, metaclass=NoStub):
    """A before/after slider that sends JPEG: encoding WebP takes as long as painting the picture."""

    is_template = True

    def postprocess(self, value: tuple[Image.Image, Image.Image] | None):
        return super().postprocess(value and tuple(self.jpeg(image) for image in value))

    def jpeg(self, image: Image.Image) -> str:
        if "A" in image.getbands():
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
        return save(image.convert("RGB"), "picture.jpg")


def uploaded(path: str | None) -> str:
    """`path`, which must be that of a file in Gradio's folder of uploads: visitors may name any other, and get it painted."""
    folder = Path(get_upload_folder()).resolve()
    with one_sentence():
        real = Path(path or "").resolve()
    if not real.is_relative_to(folder) or not real.is_file():  # no folder, and no pipe, which would keep its reader waiting
        raise refusal(tell("page_unreadable"))
    return str(real)


def check_size(path: str | Path) -> None:
    """Refuse the picture at `path` where it has too many pixels, without decoding them."""
    with opened(path):
        pass


@contextmanager
def opened(path: str | Path) -> Iterator[Image.Image]:
    """The picture at `path`, not yet decoded, of a size that can be; anything else is one sentence."""
    with one_sentence(), Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise refusal(tell("page_too_many_pixels", width=image.width, height=image.height))
        yield image


def read(path: str | Path, longest: int | None = None) -> Image.Image:
    """The picture at `path`, shrunk until neither side is longer than `longest` pixels."""
    from styletransfer.images import upright  # imports torch, which the page can be shown without

    with opened(path) as image:
        if longest:
            image.draft(None, (longest, longest))  # a JPEG is decoded at a fraction of its size
        image = upright(image)
        if longest:
            image.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)
        return image


def refusal(sentence: str) -> gr.Error:
    return gr.Error(sentence, print_exception=False)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Whatever a picture library says about a broken file becomes one sentence, without the paths of the server."""
    try:
        yield
    except gr.Error:
        raise
    except Image.DecompressionBombError:
        raise refusal(tell("page_too_large")) from None
    except Exception:
        raise refusal(tell("page_unreadable")) from None
