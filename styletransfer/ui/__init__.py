"""The web demo: one file per tab, each with `build(catalog, load)`; `build_app` puts them on one page."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import lru_cache
from threading import Lock

import gradio as gr

from styletransfer.ui import stylise
from styletransfer.ui.theme import CSS, THEME

TABS = {"Stylise": stylise.build}

LAUNCH_OPTIONS = {
    "theme": THEME,
    "css": CSS,
    "max_file_size": "20mb",
    "footer_links": ["api"],
    "run_history": False,
    "enable_monitoring": False,
    "ssr_mode": False,
    "show_error": False,
}

HEADER = """
# Style Transfer
Turn a photo into a painting: drop a photo, pick a style, drag the strength.
"""
FOOTER = "Photos are painted on the machine that serves this page, shared with nobody, and deleted within two hours."


def build_app(catalog: Sequence, load: Callable) -> gr.Blocks:
    """The demo over the packages of `catalog`; `load(path)` returns the pipeline of one of them, loaded once.

    `build_app(list_packages("model_cards"), load_pipeline).launch(**LAUNCH_OPTIONS)`
    """
    # files older than an hour are looked for, and deleted, once an hour
    with gr.Blocks(title="Style Transfer", delete_cache=(3600, 3600), fill_width=True) as demo:
        gr.Markdown(HEADER, elem_id="header")
        for title, build in TABS.items():
            with gr.Tab(title, elem_id=f"tab-{title.lower()}") if len(TABS) > 1 else nullcontext():
                build(catalog, load)
        gr.Markdown(FOOTER, elem_id="privacy")
    return demo


def keep_loaded(load: Callable, packages: int = 2) -> Callable:
    """`load` of a path that remembers the last few pipelines; whoever comes while one is being loaded waits for it."""
    lock, cached = Lock(), lru_cache(packages)(load)

    def load_once(path):
        with lock:
            return cached(path)

    return load_once
