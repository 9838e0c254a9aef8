"""What the buttons and sliders of the Stylise tab do."""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from urllib.parse import urlencode

import gradio as gr
from PIL import Image

from styletransfer.catalog import Package
from styletransfer.ui.gallery import cards_css, choices, for_photos, groups, labels, painters
from styletransfer.ui.inputs import check_size, read, refusal, uploaded
from styletransfer.ui.look import COLOR, TONE, Look, remember
from styletransfer.ui.page import Page
from styletransfer.ui.painting import borrow, paint, pipeline, preview_of, thumbnails
from styletransfer.ui.saved import save
from styletransfer.ui.visitor import Choice, Visitor
from styletransfer.ui.words import say, tell

OWN = "own painting"
NOTHING = "nothing"
MAX_STYLES = 24  # that a visitor brought along; the oldest give way
NOBODY = Visitor()


class Studio:
    """Handlers of the Stylise tab of `page`. `example` is painted until there is a photo."""

    def __init__(self, page: Page, example: Path | None):
        self.page = page
        self.example = example
        self.stops: dict[str, set[Event]] = {}  # of what is being painted at full size, by visitor

    def styles(self, visitor: Visitor) -> dict[str, Choice]:
        return choices(self.page.catalog, visitor)

    def painters(self, visitor: Visitor) -> list[Package]:
        return painters([*self.page.catalog, *visitor.packages])

    def preview(self, photo, style, strength, brush, tone, color, second, mix, mask, visitor, history):
        """The photo and its painting, and what follows from them: the look, the steps to undo, the link."""
        styles = self.styles(visitor)
        if not (photo or self.example) or style not in styles:
            return gr.skip()
        one, two = styles[style], styles.get(second)
        if two is not None and not one.mixes(two):  # a style of another package was picked a moment ago
            two = None
        before = preview_of(photo or self.example)
        controls = {"strength": strength, "brush": brush, "tone": tone, "color": color}
        after = paint(self.page.load, before, one, two, mix, mask, **controls)
        look = Look(one.package.name, one.name, two and two.name, mix, **controls)
        history = remember(history, look)
        return (before, after), look, photo, history, look.to_query(), gr.update(interactive=len(history) > 1)

    def stylise(
        self,
        photo,
        style,
        strength=1,
        brush=1,
        tone=TONE,
        color=COLOR,
        painting=None,
        second=NOTHING,
        mix=0.5,
        mask=None,
        format="jpg",
        visitor=NOBODY,
        progress=gr.Progress(),  # noqa: B008 as Gradio wants it
        request: gr.Request = None,
    ):
        """Paint a photo at its full size.

        Args:
            photo: The photo. Without one, the first example photo of the page.
            style: A style by name, or "own painting" for the style of `painting`.
            strength: 0 returns the photo, 1 the style, up to 1.5 more than that.
            brush: Size of the strokes, from 0.5, fine, to 2, broad. It and the next two are for painters alone.
            tone: How far the photo's lightness moves to that of the style, from 0 to 1.
            color: How far its colours move to those of the style, from 0 to 1.
            painting: Any painting; read only when `style` is "own painting".
            second: Another style to mix in, or "nothing".
            mix: Share of the second style, from 0 to 1.
            mask: Picture that is white where the photo is painted and black where it stays; without one, all of it is painted.
            format: "jpg" or "png". Where there is a mask, or something of the photo is transparent, it is PNG anyway.
        """
        if not (photo or self.example):
            raise refusal(tell("stylise_no_photo"))
        styles = self.styles(visitor)
        for name, other in ((style, OWN), (second, NOTHING)):
            if name != other and name not in styles:
                raise refusal(tell("stylise_unknown", name=name, styles=", ".join(styles)))
        one = self.borrowed(painting, "painting", visitor) if style == OWN else styles[style]
        scale = pipeline(self.page.load, one.package).scale
        image = within_limit(read(photo or self.example), one.package.task.megapixels / scale**2)
        controls = {"strength": strength, "brush": brush, "tone": tone, "color": color}
        with self.stoppable(request, progress) as report:
            picture = paint(self.page.load, image, one, styles.get(second), mix, mask, progress=report, **controls)
        ending = "png" if mask or "A" in picture.getbands() else format  # what was masked out stays as it was, bit for bit
        return save(picture, f"{Path(photo or self.example).stem} {one.name}.{ending}")

    @contextmanager
    def stoppable(self, request: gr.Request | None, progress: Callable[[float], None]) -> Iterator[Callable[[float], None]]:
        """A function to report the part that is done, which ends the work of a visitor who has cancelled it or left."""
        visitor, stop = request and request.session_hash, Event()
        if visitor:
            self.stops.setdefault(visitor, set()).add(stop)

        def report(part: float) -> None:
            if stop.is_set():
                raise refusal(tell("stylise_cancelled"))
            progress(part)

        try:
            yield report
        finally:
            if visitor and (running := self.stops.get(visitor)):
                running.discard(stop)
                if not running:
                    self.stops.pop(visitor, None)

    def cancel(self, request: gr.Request):
        """The visitor's work ends at the next tile; the button to start it is back."""
        self.stop(request)
        return [gr.update(visible=on) for on in (True, False, False)]

    def stop(self, request: gr.Request) -> None:
        for stop in [*self.stops.get(request.session_hash, ())]:
            stop.set()

    def accept(self, path):
        """The photo that was chosen, once it is known to be one: what was refused does not take the place of the one before."""
        check_size(uploaded(path))
        return path

    def borrowed(self, painting: str | None, name: str, visitor: Visitor, package: str | None = None) -> Choice:
        """The style of the picture at the path `painting`, for the package of that name or else the first."""
        packages = self.painters(visitor)
        if not packages:
            raise refusal(tell("stylise_no_style"))
        home = next((found for found in packages if found.name == package), packages[0])
        return borrow(self.page.load, painting, home, name)

    def add_painting(self, painting, visitor, look):
        """A painting's style joins the gallery and is picked."""
        if painting is None:
            return gr.skip()
        words = re.sub(r"[^\w-]+", " ", Path(painting).stem).strip()[:40] or "painting"
        taken = {choice.name for choice in self.styles(visitor).values()}
        name = next(name for name in (words, *(f"{words} {number}" for number in range(2, MAX_STYLES + 3))) if name not in taken)
        choice = self.borrowed(painting, name, visitor, look and look.package)
        visitor = replace(visitor, styles=(*visitor.styles, choice)[-MAX_STYLES:])
        return visitor, self.gallery(visitor, name), None

    def gallery(self, visitor: Visitor, picked: str) -> dict:
        """The cards, with the one `picked` or else the first."""
        styles = self.styles(visitor)
        options = [*labels(styles), *([(say("stylise_own"), OWN)] if self.painters(visitor) else [])]
        return gr.update(choices=options, value=picked if picked in (*styles, OWN) else next(iter(styles), OWN))

    def partners(self, visitor: Visitor, style: str, picked: str) -> dict:
        """The cards of the second style: what the package of `style` can mix with it."""
        styles = self.styles(visitor)
        one = styles.get(style)
        fitting = {key: choice for key, choice in styles.items() if (one or choice).mixes(choice)}
        options = [(say("stylise_nothing"), NOTHING), *labels(fitting)]
        return gr.update(choices=options, value=picked if picked in fitting else NOTHING)

    def thumbnail_cards(self, photo, visitor) -> str:
        styles = self.styles(visitor)
        return cards_css(styles, thumbnails(self.page.load, photo, self.example, styles))

    def follow(self, style, second, visitor):
        """After a style is picked: the own painting is asked for where it is wanted, the second style fits the first, and what
        the package cannot do is not offered."""
        choice = self.styles(visitor).get(style)
        shown = [gr.update(visible=visible) for visible in offered(choice)]
        return gr.update(visible=style == OWN), self.partners(visitor, style, second), *shown

    def welcome(self, visitor, style):
        """After the visitor brought something along: it is among the styles, and the page is no longer empty."""
        known = bool(for_photos([*self.page.catalog, *visitor.packages]))
        gallery = self.gallery(visitor, style)
        if gallery["value"] == style:
            del gallery["value"]  # what has been picked meanwhile stays
        return gallery, gr.update(choices=groups(self.styles(visitor))), gr.update(visible=known), gr.update(visible=not known)

    def settings(self, look: Look, visitor: Visitor) -> list:
        """Both galleries and the sliders as `look` has them; what there is not is as at first.

        A second style is unfolded.
        """
        styles = self.styles(visitor)
        style = find(look.style, styles, look.package) or find(look.style, styles) or next(iter(styles), OWN)
        second = find(look.second, styles, styles[style].package.name) if style in styles else None
        return [
            self.gallery(visitor, style),
            self.partners(visitor, style, second or NOTHING),
            look.mix,
            look.strength,
            look.brush,
            look.tone,
            look.color,
            gr.update(open=True) if second else gr.skip(),
        ]

    def restore(self, request: gr.Request):
        """The look of the link by which the page was opened."""
        look = Look.from_query(urlencode(dict(request.query_params)))
        if look.style and not find(look.style, self.styles(NOBODY)):
            gr.Info(tell("stylise_link_gone", name=look.style))
        return self.settings(look, NOBODY)

    def linked(self, visitor: Visitor, look: Look | None):
        """What a link that was copied holds: no photo, and no painting of the visitor's own."""
        own = look and {look.style, look.second} & {choice.name for choice in visitor.styles}
        gr.Info(tell("stylise_copied_own" if own else "stylise_copied"))

    def undo(self, visitor, history):
        if len(history) < 2:
            return gr.skip()
        return [*self.settings(history[-2], visitor), history[:-1]]

    def surprise(self, visitor, look):
        """Another style than the one before, now and then with a second one, at a strength that shows."""
        styles = [*self.styles(visitor).values()]
        if not styles:
            raise refusal(tell("stylise_no_style"))
        one = random.choice([choice for choice in styles if look is None or choice.name != look.style] or styles)
        others = [choice.name for choice in styles if one.mixes(choice) and choice.name != one.name]
        second = random.choice(others) if others and random.random() < 0.4 else None
        mix, strength = random.choice([0.3, 0.4, 0.5]), random.choice([0.8, 0.9, 1.0, 1.1, 1.2])
        brush, color = random.choice([0.8, 1.0, 1.0, 1.3]), random.choice([1.0, COLOR, 0.5])
        return self.settings(Look(one.package.name, one.name, second, mix, strength, brush, color=color), visitor)

    def fold_out(self, photo):
        """The brush gets the photo to paint on."""
        return preview_of(photo or self.example).convert("RGB") if photo or self.example else None

    def brushed(self, editor):
        """The mask of what was brushed over, or nothing if that is nowhere."""
        layers = editor and editor["layers"]
        alpha = layers[0].getchannel("A") if layers else None
        if alpha is None or alpha.getbbox() is None:
            return None
        return alpha.point(lambda value: 255 if value > 20 else 0)


def offered(choice: Choice | None) -> list[bool]:
    """Whether a second style and the sliders `brush`, `tone` and `color` mean anything to `choice`; to an own painting all do."""
    if choice is None:
        return [True] * 4
    task = choice.package.task
    return [task.any_painting, *(name in task.controls for name in ("brush", "tone", "color"))]


def find(name: str | None, styles: Mapping[str, Choice], package: str | None = None) -> str | None:
    """Key of the style of that name, in the package of that name if one is given."""
    return next(
        (key for key, choice in styles.items() if choice.name == name and package in (None, choice.package.name)),
        None,
    )


def within_limit(image: Image.Image, most: float) -> Image.Image:
    """`image`, shrunk to `most` megapixels."""
    megapixels = image.width * image.height / 1e6
    if megapixels <= most:
        return image
    shrink = (most / megapixels) ** 0.5
    image = image.resize((int(image.width * shrink), int(image.height * shrink)), Image.Resampling.LANCZOS)
    gr.Info(tell("stylise_shrunk", megapixels=megapixels, width=image.width, height=image.height))
    return image
