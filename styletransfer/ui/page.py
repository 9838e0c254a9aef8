"""What the tabs share: the packages of this server, and what one visitor has before him."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr

from styletransfer.catalog import Package

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline  # costs seconds, which the page can be shown without


@dataclass(frozen=True)
class Page:
    """Given to the `build` of every tab. A `gr.State` has a value for each visitor.

    Args:
        catalog: Packages that every visitor sees.
        load: The pipeline of the package in a folder; the last few stay loaded.
        visitor: Holds a `Visitor`: what this one brought along beside the catalogue. Tabs follow `page.visitor.change(...)`.
        look: Holds the `Look` that the Stylise tab shows at present, or None.
        photo: Holds the path of the photo in the Stylise tab, or None.
    """

    catalog: Sequence[Package]
    load: Callable[[Path], "DiffusionPipeline"]
    visitor: gr.State
    look: gr.State
    photo: gr.State
