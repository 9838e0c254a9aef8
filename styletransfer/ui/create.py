"""The Create page: pictures from noise, picked from many, and the way from one to another."""

import random

import gradio as gr

from styletransfer.catalog import Package, read_index
from styletransfer.sheet import contact_sheet
from styletransfer.ui.page import Page
from styletransfer.ui.picker import Picker
from styletransfer.ui.saved import DOWNLOAD, save
from styletransfer.ui.visitor import Visitor
from styletransfer.ui.words import say

MANY, STEPS = 12, 8  # pictures to pick from, and from one seed to another
MAX_SEED = 2**32 - 1
PROGRESSIVE = "styletransfer.models.progressive_generator"

CSS = """
#create .grid-wrap { min-height: 0; height: auto !important; max-height: none; padding-top: 34px; }
#create .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; gap: 6px; }
#create-picture img { width: 100% !important; height: 100% !important; object-fit: contain; }
#create .line { align-items: center; }
@media (min-width: 768px) {
    #create-grid .grid-container { grid-template-columns: repeat(6, minmax(0, 1fr)) !important; }
    #create-strip .grid-container { grid-template-columns: repeat(8, minmax(0, 1fr)) !important; }
}
@media (max-width: 767px) {  /* what is picked is seen below the grid at once, the rest follows */
    #create-top { display: flex; flex-flow: column nowrap; align-items: stretch; }
    #create-top > .column { display: contents; }
    #create-grid { order: 1; }
    #create-picture { order: 2; height: 280px !important; }
    #create-line { order: 3; }
    #create-settings { order: 4; }
}
"""


def build(page: Page) -> None:
    """Lay out the tab. Nothing is loaded or made before it is opened."""
    picker = Picker(page, "noise")
    choices = picker.choices(Visitor())
    value = choices[0][1] if choices else None
    truncates = value is None or has_truncation(picker.offered(Visitor())[value])
    whole = {"precision": 0, "minimum": 0, "maximum": MAX_SEED, "min_width": 120}
    with gr.Column(visible=not choices, elem_id="create-none") as none:
        gr.Markdown(say("create_empty"), elem_id="create-empty")
    with gr.Column(visible=bool(choices), elem_id="create") as room:
        with gr.Row(elem_id="create-top"):
            with gr.Column(min_width=300):
                grid = gr.Gallery(label=say("create_grid"), elem_id="create-grid", columns=6, allow_preview=False, buttons=[])
                with gr.Column(elem_id="create-settings"):
                    dice = gr.Button(say("create_dice"), elem_id="create-dice")
                    with gr.Row():
                        truncation = gr.Slider(
                            0, 2, 1, step=0.05, label=say("create_truncation"), visible=truncates, elem_id="create-truncation"
                        )
                        package = gr.Dropdown(choices, value=value, label=say("create_package"), elem_id="create-package")
            with gr.Column(min_width=300):
                picture = gr.Image(
                    label=say("create_picture"),
                    alt_text=say("create_picture"),
                    elem_id="create-picture",
                    interactive=False,
                    height=360,
                    buttons=["fullscreen"],
                )
                with gr.Row(elem_id="create-line", elem_classes="line"):
                    seed = gr.Number(label=say("create_seed"), elem_id="create-seed", **whole)
                    download = gr.Button(say("create_download"), variant="primary", elem_id="create-download")
        strip = gr.Gallery(label=say("create_strip"), elem_id="create-strip", columns=STEPS, buttons=[])
        with gr.Row(elem_classes="line"):
            other = gr.Number(label=say("create_other"), elem_id="create-other", **whole)
            strip_download = gr.Button(say("create_strip_download"), elem_id="create-strip-download")
            strip_file = gr.Image(visible="hidden", elem_id="create-strip-file")
    first = gr.State(None)  # seed of the first picture of the grid, which shows those that follow it as well

    def many(package, first, truncation, visitor):
        if package is None or first is None:
            return gr.skip()
        seeds = range(first, first + MANY)
        made = picker.open(visitor, package)(seeds, truncation).images
        return [(save(image, f"{package} {seed}.png"), str(seed)) for seed, image in zip(seeds, made, strict=True)]

    def create(package, seed, truncation, visitor):
        """Make a picture from noise.

        Args:
            package: Name of a model of the page.
            seed: A whole number; the same one always gives the same picture.
            truncation: Scale of the noise, from 0 to 2: below 1 pictures come closer to the average one.

        Returns:
            The picture, as small as the model makes it.
        """
        if package is None or seed is None:
            return gr.skip()
        (made,) = picker.open(visitor, package)(seed, truncation).images
        return save(made, f"{package} {seed}.png")

    def between(package, start, end, truncation, visitor):
        """Lead from one picture to another in eight steps.

        Args:
            package: Name of a model of the page.
            start: Seed of the first picture.
            end: Seed of the last one.
            truncation: Scale of the noise, from 0 to 2: below 1 pictures come closer to the average one.

        Returns:
            The pictures.
        """
        if package is None or start is None or end is None:
            return gr.skip()
        made = picker.open(visitor, package).between(start, end, STEPS, truncation).images
        return [save(image, f"{package} {start} to {end} {step}.png") for step, image in enumerate(made, 1)]

    def side_by_side(package, start, end, truncation, visitor):
        made = picker.open(visitor, package).between(start, end, STEPS, truncation).images
        row = contact_sheet([[("", image) for image in made]], size=max(made[0].size))
        return save(row, f"{package} {start} to {end}.png")

    def roll():
        start = random.randrange(1, MAX_SEED - MANY)
        return start, start, start + 1

    def pick(first, seed, event: gr.SelectData):
        return first + event.index, seed

    def follow(visitor, package):
        offered = picker.offered(visitor)
        return picker.follow(visitor, package), gr.update(visible=not offered), gr.update(visible=bool(offered))

    def adapt(package, visitor):
        found = picker.offered(visitor).get(package)
        return gr.update(visible=found is None or has_truncation(found))

    private = {"api_visibility": "private"}
    dice.click(roll, None, [first, seed, other], **private)
    none.parent.select(  # the tab
        lambda first: (1, 1, 2) if first is None else gr.skip(), first, [first, seed, other], **private
    )
    grid.select(pick, [first, seed], [seed, other], **private)
    page.visitor.change(follow, [page.visitor, package], [package, none, room], **private)
    latest = {"trigger_mode": "always_last", "show_progress": "hidden"}
    gr.on(
        [first.change, package.change, truncation.change],
        many,
        [package, first, truncation, page.visitor],
        grid,
        **latest,
        **private,
    )
    gr.on(
        [seed.change, package.change, truncation.change],
        create,
        [package, seed, truncation, page.visitor],
        picture,
        api_name="create",
        **latest,
    )
    gr.on(
        [seed.change, other.change, package.change, truncation.change],
        between,
        [package, other, seed, truncation, page.visitor],
        strip,
        api_name="between",
        **latest,
    )
    package.change(adapt, [package, page.visitor], truncation, **private)
    download.click(None, picture, js=DOWNLOAD, **private)
    strip_download.click(side_by_side, [package, other, seed, truncation, page.visitor], strip_file, **private).success(
        None, strip_file, js=DOWNLOAD, **private
    )


def has_truncation(package: Package) -> bool:
    """Whether the length of the noise matters: a progressive generator brings it to one, and the slider would do nothing."""
    return read_index(package.path).get("noise_generator") != [PROGRESSIVE, "ProgressiveGenerator"]
