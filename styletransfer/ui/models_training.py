"""The Models tab's last section: a few questions, and the command that trains a package of one's own."""

import gradio as gr

from styletransfer.ui.inputs import refusal
from styletransfer.ui.training_command import HUB_ID, MINUTES, PLANS, compose
from styletransfer.ui.words import say, tell


def build() -> None:
    """Lay out the section."""

    def training_command(have: str, first: str, second: str, minutes: str, repo: str, private: bool) -> str:
        """The commands that train a package or a style, and use it.

        Args:
            have: One of paintings (photos, and a folder of paintings per style), style, pairs, folders (two kinds), pictures.
            first: Folder of the photos, the paintings, or the pictures to start from.
            second: Folder of the paintings or of the pictures to come to; the name of a style; nothing for only pictures.
            minutes: How long it may take.
            repo: Repository of the Hub to push to, user/name; nowhere if it is empty.
            private: Make that repository private, if it is new.
        """
        if repo.strip() and not HUB_ID.fullmatch(repo.strip()):
            raise refusal(tell("models_bad_id"))
        return compose(have, (first, second), int(minutes), repo, private)

    def ask(have: str):
        asks = PLANS[have].asks
        first = gr.update(label=say(f"models_first_{have}"), placeholder=asks[0][1], value="")
        if len(asks) == 1:
            return first, gr.update(visible=False, value="")
        return first, gr.update(label=say(f"models_second_{have}"), placeholder=asks[1][1], value="", visible=True)

    with gr.Row(elem_id="models-train"):
        have, minutes, first, second, repo, private = questions()
    command = gr.Textbox(
        compose("paintings", minutes=240),
        label=say("models_command"),
        lines=2,
        interactive=False,
        buttons=["copy"],
        elem_id="models-command",
    )
    have.input(ask, have, [first, second], queue=False, api_visibility="private", show_progress="hidden")
    gr.on(
        [have.change, first.change, second.change, minutes.change, repo.blur, repo.submit, private.change],
        training_command,
        [have, first, second, minutes, repo, private],
        command,
        queue=False,
        trigger_mode="always_last",
        show_progress="hidden",
        api_name="training_command",
    )


def questions() -> tuple:
    """Their components, in two columns."""
    with gr.Column(scale=2, min_width=280):
        kinds = [(say(f"models_have_{kind}"), kind) for kind in PLANS]
        have = gr.Radio(kinds, value="paintings", label=say("models_have"), elem_id="models-have")
        times = [(say(f"models_minutes_{minutes}"), str(minutes)) for minutes in MINUTES]
        minutes = gr.Radio(times, value="240", label=say("models_minutes"), elem_id="models-minutes")
    with gr.Column(scale=3, min_width=300):
        with gr.Row(elem_id="models-folders"):
            first, second = (
                gr.Textbox(
                    label=say(f"models_{place}_paintings"), placeholder=placeholder, max_lines=1, elem_id=f"models-{place}"
                )
                for place, (_, placeholder) in zip(("first", "second"), PLANS["paintings"].asks, strict=True)
            )
        with gr.Row(elem_id="models-push-row"):
            repo = gr.Textbox(label=say("models_push"), placeholder="user/name", max_lines=1, scale=3, elem_id="models-push")
            private = gr.Checkbox(label=say("models_private"), scale=1, min_width=90, elem_id="models-private")
    return have, minutes, first, second, repo, private
