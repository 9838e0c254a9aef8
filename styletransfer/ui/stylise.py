"""The Stylise tab: a photo, a style and its strength in, a painting out."""

import json

import gradio as gr
from gradio.context import Context

from styletransfer.ui.gallery import ALL, cards_css, choices, for_photos, groups, labels, painters
from styletransfer.ui.inputs import AS_FILE, BeforeAfter, Cards, MaskEditor, PhotoInput
from styletransfer.ui.look import BRUSHES, COLOR, MAX_STRENGTH, TONE
from styletransfer.ui.page import Page
from styletransfer.ui.painting import thumbnails
from styletransfer.ui.studio import NOBODY, NOTHING, OWN, Studio, offered
from styletransfer.ui.stylise_css import CSS  # noqa: F401 as part of every tab
from styletransfer.ui.words import WORDS, say

MARK = "rgba(234, 88, 12, 0.6)"
ADDRESS = """query => {  // the address of the page is the link to the look
    const address = new URL(location);
    const names = ["package", "style", "second", "mix", "strength", "brush", "tone", "colour"];
    for (const name of names) address.searchParams.delete(name);
    for (const [name, value] of new URLSearchParams(query)) address.searchParams.set(name, value);
    history.replaceState(history.state, "", address);
}"""
COPY = """async () => {
    if (navigator.clipboard) return void (await navigator.clipboard.writeText(location.href));
    const field = document.body.appendChild(document.createElement("textarea"));  // not on https or this computer
    field.value = location.href;
    field.select();
    document.execCommand("copy");
    field.remove();
}"""
DOWNLOAD = """image => {
    const link = document.createElement("a");
    link.href = image.url;
    link.download = image.path.split(/[\\\\/]/).pop();
    link.click();
}"""
ON_OPEN = """() => {
    // for screen readers, where Gradio has no parameter for it
    const chinese = navigator.language.startsWith("zh");
    document.documentElement.lang = navigator.language;
    const example = EXAMPLE[+chinese], result = document.querySelector("#result");
    document.querySelectorAll("#examples button").forEach((button, i) => (button.ariaLabel = `${example} ${i + 1}`));
    if (result) [result.role, result.ariaLabel] = ["group", COMPARE[+chinese]];
    // a picture that is dropped anywhere or pasted, and that no other part of the page takes, is the photo
    const others = ".block:has(input[type=file])";
    const here = event => document.querySelector("#stylise")?.offsetParent && !event.target.closest?.(others);
    const take = (event, data) => {
        const files = [...(data?.files ?? [])], input = document.querySelector("#photos > input[type=file]");
        if (!here(event) || !files.some(file => file.type.startsWith("image/"))) return;
        event.preventDefault();
        const list = new DataTransfer();
        list.items.add(files.find(file => file.type.startsWith("image/")));
        input.files = list.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    addEventListener("dragover", event => here(event) && event.preventDefault());
    addEventListener("drop", event => take(event, event.dataTransfer));
    addEventListener("paste", event => take(event, event.clipboardData));
    // a finger on the painting scrolls the page; on the handle, it moves that
    const still = event => event.target.closest?.("#result") && !event.target.closest(".outer") && event.stopPropagation();
    for (const type of ["touchstart", "touchmove"]) document.addEventListener(type, still, { capture: true, passive: true });
}"""
for word in ("example", "compare"):
    ON_OPEN = ON_OPEN.replace(word.upper(), json.dumps(WORDS[f"stylise_{word}"]))


def build(page: Page) -> None:
    """Lay out the tab: every style of every package of the catalogue, those that the visitor brought along, any painting."""
    styles = choices(page.catalog, NOBODY)
    known = for_photos(page.catalog)
    first = next(iter(styles), OWN)
    mixable, brushed, toned, colored = offered(styles.get(first))
    examples = [sample for package in known for sample in package.samples if sample.name.startswith("photo-")]
    studio = Studio(page, next(iter(examples), None))
    history = gr.State(())

    cards = gr.HTML(cards_css(styles, thumbnails(page.load, None, None, styles)), elem_id="style-cards", padding=False)
    empty = gr.Markdown(say("stylise_empty"), elem_id="no-package", visible=not known)
    with gr.Row(elem_id="stylise", visible=bool(known)) as layout:
        with gr.Column(elem_id="stage"):
            with gr.Row(elem_id="photos"):
                upload = gr.UploadButton(say("stylise_upload"), file_types=["image"], variant="primary", elem_id="upload")
                photo = PhotoInput(label=say("stylise_photo"), elem_id="photo", alt_text="Your photo", **AS_FILE)
                if examples:
                    gr.Examples([[str(path)] for path in examples], photo, label=say("stylise_examples"), elem_id="examples")
            result = BeforeAfter(
                show_label=False,
                label=say("stylise_result"),
                elem_id="result",
                buttons=["fullscreen"],
                max_height=4000,
                slider_position=30,  # the painting is what people came for
            )
            with gr.Row(elem_id="bar"):
                strength = gr.Slider(0, MAX_STRENGTH, 1, step=0.05, label=say("stylise_strength"), elem_id="strength")
                download = gr.Button(say("stylise_download"), variant="primary", elem_id="download")
                working = gr.HTML(elem_id="working", visible=False)
                cancel = gr.Button(say("stylise_cancel"), elem_id="cancel", visible=False)
            with gr.Row(elem_id="tools"):
                surprise = gr.Button(say("stylise_surprise"), elem_id="surprise")
                undo = gr.Button(say("stylise_undo"), elem_id="undo", interactive=False)
                link = gr.Button(say("stylise_link"), elem_id="link")
                format = gr.Dropdown(
                    [("JPEG", "jpg"), ("PNG", "png")],
                    label=say("stylise_format"),
                    show_label=False,
                    container=False,
                    filterable=False,
                    elem_id="format",
                )
            with gr.Row(elem_id="tune"):
                brush = gr.Slider(*BRUSHES, 1, step=0.1, label=say("stylise_brush"), elem_id="brush", visible=brushed)
                tone = gr.Slider(0, 1, TONE, step=0.05, label=say("stylise_tone"), elem_id="tone", visible=toned)
                color = gr.Slider(0, 1, COLOR, step=0.05, label=say("stylise_color"), elem_id="color", visible=colored)
            full = gr.Image(format="jpeg", label=say("stylise_full"), elem_id="full")
            query = gr.Textbox(label="Link", elem_id="query")
        with gr.Column(elem_id="wall"):
            group = gr.Radio(
                groups(styles), value=ALL, show_label=False, label=say("stylise_group"), elem_id="groups", container=False
            )
            style = Cards(
                [*labels(styles), *([(say("stylise_own"), OWN)] if painters(page.catalog) else [])],
                value=first,
                show_label=False,
                label=say("stylise_style"),
                elem_id="style",
                elem_classes="cards",
                container=False,
            )
            with gr.Column(visible=not styles, elem_id="own") as own:
                painting = PhotoInput(
                    label=say("stylise_painting"),
                    elem_id="painting",
                    height=170,
                    sources=["upload", "clipboard"],
                    placeholder=say("stylise_painting_drop"),
                    alt_text="The painting whose style is used",
                    **AS_FILE,
                )
            with gr.Accordion(say("stylise_mixing"), open=False, elem_id="mixing", visible=mixable) as mixing:
                second = Cards(
                    [(say("stylise_nothing"), NOTHING), *labels(styles)],
                    value=NOTHING,
                    show_label=False,
                    label=say("stylise_second"),
                    elem_id="second",
                    elem_classes="cards",
                )
                mix = gr.Slider(0, 1, 0.5, step=0.05, label=say("stylise_mix"), elem_id="mix", visible=False)
            with gr.Accordion(say("stylise_masking"), open=False, elem_id="masking") as masking:
                gr.Markdown(say("stylise_mask_help"), elem_id="mask-help")
                editor = MaskEditor(
                    type="pil",
                    label=say("stylise_mask"),
                    show_label=False,
                    elem_id="mask-editor",
                    sources=(),
                    transforms=(),
                    layers=False,
                    buttons=[],
                    brush=gr.Brush(colors=[MARK], color_mode="fixed"),
                )
                mask = PhotoInput(type="filepath", format="png", label=say("stylise_mask"), elem_id="mask")

    sliders = [strength, brush, tone, color]
    looks = [photo, style, *sliders, second, mix, mask, page.visitor, history]
    shown = [result, page.look, page.photo, history, query, undo]
    settings = [style, second, mix, *sliders, mixing]
    private = {"api_visibility": "private"}
    quiet = private | {"show_progress": "hidden"}
    at_once = quiet | {"queue": False}
    show = {"fn": studio.preview, "inputs": looks, "outputs": shown, "show_progress_on": result, **private}
    show["show_progress"] = "minimal"
    renew = {"fn": studio.thumbnail_cards, "inputs": [photo, page.visitor], "outputs": cards, **quiet}

    hand = [widget.input for widget in (style, second, mix, *sliders)]
    gr.on(hand, trigger_mode="always_last", **show)
    upload.upload(studio.accept, upload, photo, **quiet)
    fresh = photo.change(lambda: (None, None, gr.update(open=False)), None, [editor, mask, masking], **at_once)
    # a photo that comes while the one before is painted is not left out
    fresh.then(trigger_mode="always_last", **show).success(**renew)
    adapting = [own, second, mixing, brush, tone, color]
    style.change(studio.follow, [style, second, page.visitor], adapting, **at_once)
    second.change(lambda name: gr.update(visible=name != NOTHING), second, mix, **at_once)
    painting.input(studio.add_painting, [painting, page.visitor, page.look], [page.visitor, style, painting], **quiet).then(
        **show
    )
    page.visitor.change(studio.welcome, [page.visitor, style], [style, group, layout, empty], **at_once).then(**renew)

    masking.expand(studio.fold_out, photo, editor, **at_once)
    editor.input(studio.brushed, editor, mask, trigger_mode="always_last", **quiet).then(**show)

    surprise.click(studio.surprise, [page.visitor, page.look], settings, **quiet).then(**show)
    undo.click(studio.undo, [page.visitor, history], [*settings, history], **quiet).then(**show)
    link.click(studio.linked, [page.visitor, page.look], js=COPY, **quiet)
    query.change(None, query, js=ADDRESS, **private)

    inputs = [photo, style, *sliders, painting, second, mix, mask, format, page.visitor]
    buttons = {"outputs": [download, working, cancel], **at_once}
    download.click(lambda: [gr.update(visible=on) for on in (False, True, True)], None, **buttons)
    work = download.click(studio.stylise, inputs, full, api_name="stylise", show_progress_on=working, concurrency_limit=1)
    work.success(None, full, js=DOWNLOAD, **private)
    for ended in (work.success, work.failure):
        ended(lambda: [gr.update(visible=on) for on in (True, False, False)], None, **buttons)
    cancel.click(studio.cancel, None, **buttons, cancels=[work])
    Context.root_block.unload(studio.stop)

    gr.on(None, None, js=ON_OPEN, **private)
    gr.on(None, studio.restore, None, settings, **quiet).then(**show)
