"""The Models tab's style files: the present look or a painting saved as one, and those of others loaded."""

from dataclasses import replace
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from styletransfer.catalog import Package
from styletransfer.ui.hub import open_package, plain
from styletransfer.ui.inputs import AS_FILE, PhotoInput, read, refusal
from styletransfer.ui.look import Look
from styletransfer.ui.page import Page
from styletransfer.ui.style_files import fold, read_style
from styletransfer.ui.visitor import Choice, Visitor
from styletransfer.ui.words import say, tell

MAX_STYLES = 32  # of one visitor
ENCODED = 512  # pixels of a painting's longer side


def build(page: Page, choice: gr.Dropdown) -> None:
    """Lay out the section; `choice` holds the name of the package that is looked at."""

    def painter(name: str | None, visitor: Visitor):
        package = packages_of(page, visitor).get(name)
        if package is None or not package.task.any_painting:
            raise refusal(tell("models_no_painter", name=name or "—"))
        try:
            return open_package(page, package)
        except ValueError as error:
            raise plain(error) from None

    def save_style(name: str, painting: str | None, package: str, look: Look | None, photo: str | None, visitor: Visitor):
        """Save a style as a file.

        Args:
            name: What to call it.
            painting: The painting whose style it is. Without one, the look that the Stylise tab shows.
            package: The package whose encoder looks at the painting.
        """
        if painting is None and look is None:
            raise refusal(tell("models_no_look"))
        try:
            if painting is None:
                style, mixed = fold(painter(look.package, visitor), look, visitor, photo, name.strip())
                key = "models_saved_mixture" if mixed else "models_saved"
            else:
                style, key = painter(package, visitor).encode_style(read(painting, ENCODED), name.strip()), "models_saved"
        except ValueError as error:
            raise plain(error) from None
        with TemporaryDirectory() as scratch:
            style.save(Path(scratch) / "style.safetensors")
            data = (Path(scratch) / "style.safetensors").read_bytes()
        strength = f"{look.strength:g}" if painting is None else "1"
        gr.Info(tell(key, name=escape(style.name), strength=strength))
        return gr.update(value=save_bytes_to_cache(data, f"{style.name}.safetensors", saved.GRADIO_CACHE), visible=True)

    def load_style(file: str, package: str, visitor: Visitor):
        """Load a style file for the visitor who asks alone.

        Args:
            file: A style file, such as `/save_style` gives.
            package: The package that it has to fit.
        """
        if file is None:
            return gr.skip()
        if len(visitor.styles) >= MAX_STYLES:
            raise refusal(tell("models_too_many_styles", most=MAX_STYLES))
        pipe = painter(package, visitor)
        packages = packages_of(page, visitor)
        taken = {style for known in packages.values() for style in known.styles} | {own.name for own in visitor.styles}
        try:
            style = read_style(file, pipe, package, taken)
        except ValueError as error:
            raise plain(error) from None
        gr.Info(tell("models_style_ready", name=escape(style.name)))
        return replace(visitor, styles=(*visitor.styles, Choice(packages[package], style))), style.name

    def yours(visitor: Visitor):
        names = [escape(thing.name) for thing in (*visitor.packages, *visitor.styles)]
        text = f"{tell('models_yours')} <b>{', '.join(names)}</b>" if names else tell("models_nothing")
        return f"<p>{text}</p>", gr.update(visible=bool(names))

    with gr.Column(min_width=300):
        gr.Markdown(say("models_save_title"), elem_id="models-save-title")
        painting = PhotoInput(
            label=say("models_painting"),
            elem_id="models-painting",
            height=150,
            sources=["upload", "clipboard"],
            placeholder=say("models_painting_hint"),
            **AS_FILE,
        )
        with gr.Row(elem_id="models-save-row"):
            name = gr.Textbox("my style", label=say("models_name"), max_lines=1, max_length=64, elem_id="models-style-name")
            save = gr.Button(say("models_save"), elem_id="models-save")
        saved = gr.File(label=say("models_file"), visible=False, interactive=False, elem_id="models-saved")
    with gr.Column(min_width=300):
        gr.Markdown(say("models_load_title"), elem_id="models-load-title")
        file = gr.File(label=say("models_drop_style"), file_types=[".safetensors"], height=150, elem_id="models-style-file")
        mine = gr.HTML(elem_id="models-yours")
        forget = gr.Button(say("models_forget"), visible=False, size="sm", elem_id="models-forget")
        loaded = gr.Textbox(label=say("models_name"), visible=False, elem_id="models-loaded-style")

    states = [page.look, page.photo, page.visitor]
    save.click(save_style, [name, painting, choice, *states], saved, api_name="save_style")
    file.upload(load_style, [file, choice, page.visitor], [page.visitor, loaded], api_name="load_style").then(
        lambda: None, None, file, queue=False, api_visibility="private"
    )
    # queued, as all that changes a state must be: otherwise the page does not hear of the change
    forget.click(lambda: Visitor(), None, page.visitor, api_visibility="private")
    gr.on(
        [page.visitor.change, gr.context.Context.root_block.load],
        yours,
        page.visitor,
        [mine, forget],
        queue=False,
        api_visibility="private",
        show_progress="hidden",
    )


def packages_of(page: Page, visitor: Visitor) -> dict[str, Package]:
    """What a visitor can use, by name."""
    return {package.name: package for package in (*page.catalog, *visitor.packages)}
