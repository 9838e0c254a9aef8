"""The Stylise page: a photo, a style and its strength in, a painting out."""

import base64
import io
import json
import re
from collections.abc import Callable, Sequence

import gradio as gr
from PIL import Image, ImageOps

from styletransfer.ui.inputs import AS_FILE, BeforeAfter, PhotoInput, read, refusal

OWN = "own painting"
PREVIEW = 640  # pixels of the longer side: a fifth of a second on two cores
MAX_MEGAPIXELS = 16
DOWNLOAD = """async (image, photo, style) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await (await fetch(image.url)).blob());  // a blob, or the server names the file
    link.download = (photo?.orig_name ?? "photo").replace(/\\.[^.]*$/, "") + " " + style + ".png";
    link.click();
}"""

LABELS = """() => {  // for screen readers, where Gradio has no parameter for it
    document.querySelectorAll("#examples button").forEach((button, i) => (button.ariaLabel = `Example photo ${i + 1}`));
    const result = document.querySelector("#result");
    result.role = "group";
    result.ariaLabel = "The photo on the left and the painting on the right of a line that can be dragged";
}"""


def build(catalog: Sequence, load: Callable) -> None:
    """Lay out the page inside an open `gr.Blocks`: every style of every package of `catalog`, and any painting."""
    catalog = [package for package in catalog if package.styles]
    if not catalog:
        gr.Markdown("No style package here yet. Put one into `model_cards/`, or name one with `--package`.", elem_id="no-package")
        return
    homes = {style: package for package in reversed(catalog) for style in package.styles}  # the first to offer a style gives it
    styles = list(dict.fromkeys(style for package in catalog for style in package.styles))
    examples = [sample for package in catalog for sample in package.samples if sample.name.startswith("photo-")]
    example = next(iter(examples), None)

    def paint(photo: Image.Image, style: str, strength: float, preserve_color: float, painting: str | None) -> Image.Image:
        if style == OWN and painting is None:
            raise refusal("Add a painting to take the style from, or pick a style.")
        reference = read(painting, PREVIEW) if style == OWN else style
        try:
            pipe = load(homes.get(style, catalog[0]).path)
            return pipe(photo, style=reference, strength=strength, preserve_color=preserve_color).images[0]
        except (ValueError, OSError) as error:
            raise refusal(str(error)) from None

    def preview(photo, style, strength, preserve_color, painting):
        if not (photo or example):
            return None
        if style == OWN and painting is None:
            return gr.skip()
        before = read(photo or example, PREVIEW)
        return before, paint(before, style, strength, preserve_color, painting)

    def stylise(photo, style, strength, preserve_color, painting):
        """Paint a photo at its full size.

        Args:
            photo: The photo. Without one, the first example photo of the page.
            style: A style by name, or "own painting" for the style of `painting`.
            strength: 0 returns the photo, 1 the style, up to 1.5 more than that.
            preserve_color: How much of the photo's own colours to keep, from 0 to 1.
            painting: Any painting; read only when `style` is "own painting".
        """
        if not (photo or example):
            raise refusal("Add a photo first.")
        image = read(photo or example)
        megapixels = image.width * image.height / 1e6
        if megapixels > MAX_MEGAPIXELS:
            shrink = (MAX_MEGAPIXELS / megapixels) ** 0.5
            image = image.resize((int(image.width * shrink), int(image.height * shrink)), Image.Resampling.LANCZOS)
            gr.Info(
                f"The photo has {megapixels:.0f} megapixels; it is painted at {image.width} x {image.height}, the most there is."
            )
        return paint(image, style, strength, preserve_color, painting)

    gr.HTML(cards_css({style: thumbnail(homes[style], style) for style in styles}), elem_id="style-cards", padding=False)
    with gr.Row(elem_id="stylise"):
        with gr.Column(elem_id="photo-side"):
            photo = PhotoInput(
                label="Your photo",
                elem_id="photo",
                height=170,
                placeholder="Drop a photo here, or click to choose",
                alt_text="Your photo",
                **AS_FILE,
            )
            if examples:
                gr.Examples([[str(path)] for path in examples], photo, label="or try one of these", elem_id="examples")
        with gr.Column(elem_id="result-side"):
            result = BeforeAfter(show_label=False, label="Result", elem_id="result", buttons=["fullscreen"], max_height=2000)
            with gr.Row(elem_id="tune"):
                strength = gr.Slider(0, 1.5, 1, step=0.05, label="Strength", elem_id="strength")
                preserve_color = gr.Slider(0, 1, 0, step=0.05, label="Keep photo colours", elem_id="preserve-color")
            download = gr.Button("Download in full size", variant="primary", elem_id="download")
            full = gr.Image(format="png", label="Painting", elem_id="full", visible="hidden")
        with gr.Column(elem_id="style-side"):
            choices = [(label(style), style) for style in styles] + [("Your own", OWN)]
            style = gr.Radio(choices, value=styles[0], label="Style", elem_id="style")
            with gr.Column(visible=False, elem_id="own") as own:
                painting = PhotoInput(
                    label="Any painting",
                    elem_id="painting",
                    height=170,
                    sources=["upload", "clipboard"],
                    placeholder="Drop a painting here: its style is borrowed",
                    alt_text="The painting whose style is used",
                    **AS_FILE,
                )

    inputs = [photo, style, strength, preserve_color, painting]
    style.change(lambda name: gr.update(visible=name == OWN), style, own, queue=False, api_visibility="private").then(
        None, js="() => document.querySelector('#painting')?.scrollIntoView({block: 'nearest', behavior: 'smooth'})"
    )
    gr.on(  # when the page opens and whenever an input changes
        None, preview, inputs, result, trigger_mode="always_last", show_progress="minimal", api_visibility="private"
    )
    gr.on(None, None, js=LABELS, api_visibility="private")  # when the page opens
    download.click(stylise, inputs, full, api_name="stylise", show_progress_on=result).success(
        None, [full, photo, style], js=DOWNLOAD, api_visibility="private"
    )


def label(style: str) -> str:
    """A style's name for people: `van-gogh` is Van Gogh, `ukiyo-e` stays Ukiyo-e."""
    return " ".join(word[:1].upper() + word[1:] for word in re.split(r"[\s_]+|-(?=\w\w)", style))


def thumbnail(package, style: str) -> str | None:
    """A square data URL of `samples/<style>.jpg`, if the package has one."""
    path = package.thumbnail(style)
    if path is None:
        return None
    data = io.BytesIO()
    with Image.open(path) as image:
        ImageOps.fit(image.convert("RGB"), (192, 192)).save(data, "jpeg", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def cards_css(thumbnails: dict[str, str | None]) -> str:
    """The thumbnails as backgrounds of the radio buttons, which keep their labels, their focus and the keyboard."""
    rules = (
        f"#style label:has(input[value={json.dumps(style)}])::before {{ background-image: url({url}); }}"
        for style, url in thumbnails.items()
        if url
    )
    return f"<style>{''.join(rules)}</style>"
