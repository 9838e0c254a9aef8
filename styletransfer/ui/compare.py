"""The Compare page: one photo through every style, at several strengths, on one contact sheet."""

from collections.abc import Sequence

import gradio as gr
from PIL import Image

from styletransfer.sheet import contact_sheet
from styletransfer.ui.gallery import choices, title
from styletransfer.ui.inputs import AS_FILE, PhotoInput, read, refusal
from styletransfer.ui.page import Page
from styletransfer.ui.picker import Picker
from styletransfer.ui.saved import DOWNLOAD, save
from styletransfer.ui.visitor import Choice, Visitor
from styletransfer.ui.words import content, say, tell

ALL = "all models"
STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
SIZE = 384  # pixels of the longer side of a picture on the sheet
MOST = 120  # pictures on a sheet: half a minute on two cores
ACROSS = 4  # styles in a row, where each has one strength only
BLANK = (238, 236, 234)  # of a picture that is still to be painted
AS_JPEG = """async (file) => {
    const image = new Image();
    image.src = file.url;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    const link = document.createElement("a");
    link.href = canvas.toDataURL("image/jpeg", 0.92);
    link.download = file.orig_name.replace(/png$/, "jpg");
    link.click();
}"""

CSS = """
#compare-sheet img { width: 100% !important; height: auto !important; max-height: none !important; object-fit: contain; }
@media (min-width: 768px) {
    #compare { display: grid; grid-template-columns: minmax(280px, 5fr) 14fr; gap: 16px; align-items: start; }
    #compare > .column { min-width: 0; }
    #compare-sheet { min-height: 320px; }
}
@media (max-width: 767px) {  /* twice as wide as the phone, to be scrolled: four pictures across would be stamps */
    #compare-sheet .image-container { overflow-x: auto !important; }
    #compare-sheet .image-container > button { width: 200% !important; }
    #compare-sheet .image-frame { width: 100% !important; }
}
#compare-sheet:not(:has(img))::after {
    position: absolute; inset: calc(50% + 20px) 0 auto; text-align: center; color: var(--body-text-color-subdued);
}
"""
CSS += content("#compare-sheet", ":not(:has(img))::after", "compare_waiting")


def build(page: Page) -> None:
    """Lay out the tab. Nothing is painted before it is asked for."""
    picker = Picker(page, "photo")
    examples = [sample for package in page.catalog for sample in package.samples if sample.name.startswith("photo-")]

    def menu(visitor: Visitor) -> list:
        found = picker.choices(visitor)
        return [*found, (say("compare_all"), ALL)] if len(found) > 1 else found

    offered = menu(Visitor())
    with gr.Column(visible=not offered, elem_id="compare-none") as none:
        gr.Markdown(say("compare_empty"), elem_id="compare-empty")
    with gr.Row(visible=bool(offered), elem_id="compare") as room:
        with gr.Column():
            gr.Markdown(say("compare_hint"), elem_id="compare-hint")
            photo = PhotoInput(
                label=say("compare_photo"), elem_id="compare-photo", height=200, placeholder=say("compare_placeholder"), **AS_FILE
            )
            value = offered[0][1] if offered else None
            package = gr.Dropdown(offered, value=value, label=say("compare_package"), elem_id="compare-package")
            strengths = gr.CheckboxGroup(
                [(f"{strength:g}", strength) for strength in STRENGTHS],
                value=[1.0],
                label=say("compare_strengths"),
                elem_id="compare-strengths",
            )
            start = gr.Button(say("compare_start"), variant="primary", elem_id="compare-start")
            stop = gr.Button(say("compare_stop"), variant="stop", visible=False, elem_id="compare-stop")
        with gr.Column():
            sheet = gr.Image(
                label=say("compare_sheet"),
                alt_text=say("compare_sheet"),
                elem_id="compare-sheet",
                show_label=False,
                interactive=False,
                buttons=["fullscreen"],
            )
            with gr.Row():
                png = gr.Button(say("compare_png"), elem_id="compare-png", interactive=False)
                jpeg = gr.Button(say("compare_jpeg"), elem_id="compare-jpeg", interactive=False)

    def compare(photo, package, strengths, stylise_photo, visitor):
        """Paint a photo in every style of a model, at several strengths, on one sheet.

        Args:
            photo: The photo. Without one, that of the Stylise tab, or else the first example photo of the page.
            package: Name of a model, or "all models".
            strengths: 0 returns the photo, 1 the style, up to 1.5 more than that.

        Returns:
            The sheet, first with room for what is not painted yet, in the end as PNG.
        """
        path = photo or stylise_photo or next(iter(examples), None)
        if path is None:
            raise refusal(tell("compare_no_photo"))
        if not strengths:
            raise refusal(tell("compare_no_strength"))
        if package != ALL:
            picker.open(visitor, package)  # or a sentence
        styles = [c for c in choices(page.catalog, visitor).values() if package in (ALL, c.package.name)]
        count = len(styles) * len(strengths)
        if count > MOST:
            raise refusal(tell("compare_too_many", count=count, most=MOST))
        image = read(path, SIZE)
        painted = []
        for choice in styles:
            yield save(draw(image, styles, strengths, painted), "sheet.jpg")
            pipe = picker.open(visitor, choice.package.name)
            painted += [pipe(image, style=choice.style, strength=strength).images[0] for strength in sorted(strengths)]
        yield save(draw(image, styles, strengths, painted), "styles.png")

    def show(working: bool, done: bool):
        """Start or stop, and the downloads once there is a whole sheet."""
        return gr.update(visible=not working), gr.update(visible=working), *[gr.update(interactive=done)] * 2

    def follow(visitor, package):
        found = menu(visitor)
        update = gr.update(choices=found) if package == ALL else picker.follow(visitor, package) | {"choices": found}
        return update, gr.update(visible=not found), gr.update(visible=bool(found))

    private = {"api_visibility": "private"}
    page.visitor.change(follow, [page.visitor, package], [package, none, room], **private)
    buttons = {"inputs": None, "outputs": [start, stop, png, jpeg], "queue": False, **private}
    start.click(lambda: show(True, False), **buttons)
    running = start.click(compare, [photo, package, strengths, page.photo, page.visitor], sheet, api_name="compare")
    running.success(lambda: show(False, True), **buttons)
    running.failure(lambda: show(False, False), **buttons)
    stop.click(lambda: show(False, False), cancels=running, **buttons)
    png.click(None, sheet, js=DOWNLOAD, **private)
    jpeg.click(None, sheet, js=AS_JPEG, **private)


def draw(photo: Image.Image, styles: Sequence[Choice], strengths: Sequence[float], painted: Sequence[Image.Image]) -> Image.Image:
    """The sheet, with blank cells for what is still missing from `painted`, which goes through the strengths of each style.

    At one strength the photo and the styles follow each other in rows; at several each style has a row, with the photo in front.
    """
    blank = Image.new("RGB", photo.size, BLANK)
    pictures = iter([*painted, *[blank] * (len(styles) * len(strengths) - len(painted))])
    if len(strengths) == 1:
        cells = [("", photo), *((title(choice), next(pictures)) for choice in styles)]
        return contact_sheet([cells[start : start + ACROSS] for start in range(0, len(cells), ACROSS)], SIZE)
    rows = [
        [("", photo), *((f"{title(choice)} {strength:g}", next(pictures)) for strength in sorted(strengths))] for choice in styles
    ]
    return contact_sheet(rows, SIZE)
