"""The Models tab: packages from here and from the Hub, style files, and how to train a package of one's own."""

from dataclasses import replace

import gradio as gr

from styletransfer.ui import models_styles, models_training
from styletransfer.ui.hub import fetch_package, open_package, plain
from styletransfer.ui.inputs import refusal
from styletransfer.ui.models_styles import packages_of
from styletransfer.ui.package_view import view
from styletransfer.ui.page import Page
from styletransfer.ui.visitor import Visitor
from styletransfer.ui.words import say, tell

MAX_PACKAGES = 8  # of one visitor

CSS = """
#models-view h3 { margin: 0; font-size: 22px; }
#models-view p { margin: 2px 0; }
#models-view .name { color: var(--body-text-color-subdued); font-family: var(--font-mono); font-size: var(--text-sm); }
#models-view dl { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 12px 0; }
#models-view dt { color: var(--body-text-color-subdued); font-size: var(--text-xs); }
#models-view dd { margin: 0; }
#models-view .samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); gap: 8px; }
#models-view figure { margin: 0; text-align: center; }
#models-view img { width: 100%; aspect-ratio: 1; object-fit: cover; border-radius: var(--radius-lg); margin: 0; }
#models-view figcaption { font-size: var(--text-xs); color: var(--body-text-color-subdued); overflow-wrap: anywhere; }
#models-view summary { cursor: pointer; margin-top: 14px; font-weight: 600; }
#models-view details > div {
    margin-top: 8px; padding: 4px 16px; max-height: 480px; overflow: auto; overflow-wrap: anywhere;
    border: 1px solid var(--border-color-primary); border-radius: var(--radius-lg);
}
#models-view details h1 { font-size: var(--text-xl); }
#models-view details h2 { font-size: var(--text-lg); }
#models-view details table { display: block; overflow-x: auto; font-size: var(--text-sm); }
#models-hub-note p, #models-yours p { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
#models-files-title, #models-train-title {
    margin-top: 20px; padding-top: 20px; border-top: 1px solid var(--border-color-primary);
}
#models-save-row { align-items: end; }
#models-private { align-content: center; }
#models-command textarea { font-family: var(--font-mono); font-size: var(--text-sm); }
"""


def build(page: Page) -> None:
    """Lay out the tab inside an open `gr.Tab`."""
    with gr.Row(elem_id="models-packages"):
        choice = build_packages(page)
    gr.Markdown(say("models_files_title"), elem_id="models-files-title")
    with gr.Row(elem_id="models-files"):
        models_styles.build(page, choice)
    gr.Markdown(say("models_train_title"), elem_id="models-train-title")
    models_training.build()


def build_packages(page: Page) -> gr.Dropdown:
    """The first section; its menu holds the name of the package that is looked at."""

    def load_package(name: str, revision: str, visitor: Visitor, progress=gr.Progress()):  # noqa: B008  how Gradio finds it
        """Load a public package of the Hugging Face Hub, for the visitor who asks alone.

        Args:
            name: Its id, user/name.
            revision: A branch, tag or commit; the newest commit if it is empty.
        """
        others = tuple(package for package in visitor.packages if package.name != name.strip())
        if len(others) >= MAX_PACKAGES:
            raise refusal(tell("models_too_many", most=MAX_PACKAGES))
        try:
            progress(0.1, desc=tell("models_fetching", name=name.strip()))
            package = fetch_package(name, revision)
            progress(0.8, desc=tell("models_opening", name=package.name))
            open_package(page, package)
        except (ValueError, OSError) as error:
            raise plain(error) from None
        gr.Info(tell("models_ready", name=package.name))
        facts = {"name": package.name, "kind": package.kind, "styles": [*package.styles], "license": package.card.get("license")}
        return replace(visitor, packages=(*others, package)), facts

    def follow(current: str | None, visitor: Visitor):
        """The menu after the visitor changed; what was loaded last is looked at."""
        names = list(packages_of(page, visitor))
        latest = visitor.packages[-1].name if visitor.packages else None
        value = next((name for name in (latest, current, *names) if name in names), None)
        return gr.update(choices=choices(visitor), value=value), show(value, visitor)

    def choices(visitor: Visitor) -> list[tuple[str, str]]:
        return [(package.title, name) for name, package in packages_of(page, visitor).items()]

    def show(name: str | None, visitor: Visitor) -> str:
        package = packages_of(page, visitor).get(name)
        return f"<p>{tell('models_none')}</p>" if package is None else view(package)

    by_interest = sorted(page.catalog, key=lambda package: not package.styles)  # painters have the most to show
    first = next((package.name for package in by_interest), None)
    with gr.Column(scale=2, min_width=280, elem_id="models-pick"):
        choice = gr.Dropdown(choices(Visitor()), value=first, label=say("models_package"), elem_id="models-package")
        gr.Markdown(say("models_hub_title"), elem_id="models-hub-title")
        name = gr.Textbox(label=say("models_hub_id"), placeholder="user/painter", max_lines=1, elem_id="models-hub-id")
        revision = gr.Textbox(
            label=say("models_revision"), placeholder=say("models_revision_hint"), max_lines=1, elem_id="models-revision"
        )
        with gr.Row(elem_id="models-load-row"):
            load = gr.Button(say("models_load"), variant="primary", elem_id="models-load")
            cancel = gr.Button(say("models_cancel"), visible=False, elem_id="models-cancel")
        gr.Markdown(say("models_hub_note"), elem_id="models-hub-note")
    with gr.Column(scale=3, min_width=300, elem_id="models-look-at"):
        shown = gr.HTML(elem_id="models-view")
        facts = gr.JSON(visible=False, elem_id="models-facts")  # for those who call the endpoint

    quiet = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
    loading = gr.on([load.click, name.submit, revision.submit], lambda: gr.update(visible=True), None, cancel, **quiet).then(
        load_package,
        [name, revision, page.visitor],
        [page.visitor, facts],
        api_name="load_package",
        show_progress_on=shown,
        concurrency_limit=4,
    )
    loading.then(lambda: gr.update(visible=False), None, cancel, **quiet)
    cancel.click(lambda: gr.update(visible=False), None, cancel, cancels=loading, **quiet)
    page.visitor.change(follow, [choice, page.visitor], [choice, shown], **quiet)
    gr.on([choice.input, gr.context.Context.root_block.load], show, [choice, page.visitor], shown, **quiet)
    return choice
