"""Pictures from and to the browser: uploads that answer a bad file with a sentence, a slider that is quick to fill."""

from abc import ABCMeta
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
from gradio.component_meta import ComponentMeta
from PIL import Image

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
        return payload and payload.path  # the stock one would decode it, and say what is wrong in words and paths of the server


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


def read(path: str | Path, longest: int | None = None) -> Image.Image:
    """The picture at `path`, shrunk until neither side is longer than `longest` pixels."""
    from styletransfer.images import MAX_PIXELS, upright  # imports torch, which the page can be shown without

    with one_sentence(), Image.open(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise refusal(tell("page_too_many_pixels", width=image.width, height=image.height))
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
