"""Where losses, scores and sample grids of a run can be watched: TensorBoard, Weights & Biases or trackio, by Accelerate."""

import dataclasses
from importlib.util import find_spec

import numpy as np
from accelerate import Accelerator
from PIL import Image

from training.options import Run

PROJECT = "styletransfer"


def check_tracker(name: str) -> None:
    """
    Raises:
        ValueError: if the package of the tracker is not installed.
    """
    if name != "none" and find_spec(name) is None:
        raise ValueError(f"--tracker {name} needs a package that is not installed: pip install {name}")


def begin_tracking(accelerator: Accelerator, config: Run) -> None:
    """Open the tracker that `config` names; with "none" all that is logged goes nowhere, in silence.

    Raises:
        ValueError: with the error of the tracker, if it does not start: without a login, for example.
    """
    if config.tracker == "none":
        return
    name = config.out.resolve().name
    options = {"wandb": {"name": name, "dir": config.out / "logs"}, "trackio": {"name": name, "resume": "allow"}}
    if config.tracker == "tensorboard":
        accelerator.init_trackers(PROJECT)
        return
    (config.out / "logs").mkdir(exist_ok=True)  # wandb falls back to a scratch folder otherwise
    values = {field: str(value) for field, value in dataclasses.asdict(config).items()}
    try:
        accelerator.init_trackers(PROJECT, values, {config.tracker: options[config.tracker]})
    except Exception as error:  # each tracker has errors of its own
        raise ValueError(f"--tracker {config.tracker} does not start: {error}") from error


def log_grid(accelerator: Accelerator, grid: Image.Image, update: int) -> None:
    """Show a grid of samples in the tracker, if there is one."""
    for tracker in accelerator.trackers:
        if tracker.name == "trackio":  # Accelerate logs numbers alone to it
            import trackio

            tracker.log({"samples": trackio.Image(grid)}, step=update)
        else:
            tracker.log_images({"samples": np.asarray(grid)[None]}, step=update, **FORMAT.get(tracker.name, {}))


FORMAT = {"tensorboard": {"dataformats": "NHWC"}}
