"""The web demo: one file per tab, each with `build(page)` and its own `CSS`; `build_app` puts them on one page."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

import gradio as gr

from styletransfer.catalog import Package
from styletransfer.ui import compare, create, models, stylise, theme
from styletransfer.ui.limits import FairBlocks
from styletransfer.ui.page import Page
from styletransfer.ui.visitor import Visitor
from styletransfer.ui.words import I18N, say

TABS = {"stylise": stylise, "create": create, "compare": compare, "models": models}

LAUNCH_OPTIONS = {
    "theme": theme.THEME,
    "css": theme.CSS + "".join(tab.CSS for tab in TABS.values()),
    "i18n": I18N,
    "max_file_size": "20mb",
    "footer_links": ["api"],
    "run_history": False,
    "state_session_capacity": 500,  # visitors whose styles and looks are kept
    "enable_monitoring": False,
    "ssr_mode": False,
    "show_error": False,
}


def build_app(catalog: Sequence[Package], load: Callable) -> gr.Blocks:
    """The demo over the packages of `catalog`; `load(path)` returns the pipeline of one of them, loaded once.

    `build_app(list_packages("model_cards"), load_pipeline).launch(**LAUNCH_OPTIONS)`
    """
    with FairBlocks(title="Style Transfer", fill_width=True) as demo:
        gr.Markdown(say("page_header"), elem_id="header")
        page = Page(catalog, load, visitor=gr.State(Visitor()), look=gr.State(None), photo=gr.State(None))
        for name, tab in TABS.items():
            with gr.Tab(say(f"page_{name}"), elem_id=f"tab-{name}"):
                tab.build(page)
        gr.Markdown(say("page_privacy"), elem_id="privacy")
    return demo


def keep_loaded(load: Callable, own: Sequence[Path] = ()) -> Callable:
    """`load` of a path that remembers the last few pipelines; whoever comes while one is being loaded waits for it.

    Those of the paths `own` and those that visitors bring along do not take each other's places, nor wait for each other.
    """
    cached = {True: lru_cache(8)(load), False: lru_cache(2)(load)}
    locks = {True: Lock(), False: Lock()}

    def load_once(path: Path):
        ours = path in own
        with locks[ours]:
            return cached[ours](path)

    return load_once
