"""All that a training is at one update: what it is made of, and its file, which is whole or not there."""

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import nn
from torch.optim import Optimizer
from tqdm import tqdm

from training.engine.average import Average
from training.engine.pool import ImagePool
from training.engine.validation import Validation


@dataclass(frozen=True)
class State:
    """Everything of a training that changes, but its clocks.

    Args:
        accelerator: Of all processes.
        players: Networks that learn.
        averages: Of those that ship.
        optimizers: By phase.
        pools: Of earlier fakes, by discriminator; each process has its own.
        validation: With the best weights: in a file of their own, a crash between the two would leave a choice without them.
    """

    accelerator: Accelerator
    players: dict[str, nn.Module]
    averages: dict[str, Average]
    optimizers: dict[str, Optimizer]
    pools: dict[str, ImagePool]
    validation: Validation

    def gather(self) -> dict:
        """All parts; every process must call this, for its pools."""
        state = {
            "nets": {name: net.state_dict() for name, net in self.players.items()},
            "averages": {name: average.net.state_dict() for name, average in self.averages.items()},
            "configs": {name: net.to_json_string() for name, net in self.players.items()},
            "pools": {name: gather_object([image.cpu() for image in pool.images]) for name, pool in self.pools.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "validation": self.validation.state_dict(),
        }
        if self.accelerator.scaler is not None:  # of fp16
            state["scaler"] = self.accelerator.scaler.state_dict()
        return state

    def restore(self, state: dict) -> None:
        for name, weights in state["nets"].items():
            self.players[name].load_state_dict(weights)
        for name, weights in state["averages"].items():
            self.averages[name].net.load_state_dict(weights)
        for name, values in state["optimizers"].items():
            self.optimizers[name].load_state_dict(values)
        for name, images in state["pools"].items():  # of one process after the other
            share = len(images) // self.accelerator.num_processes
            first = share * self.accelerator.process_index
            mine = images[first : first + min(share, self.pools[name].size)]
            self.pools[name].images = [image.to(self.accelerator.device) for image in mine]
        if "scaler" in state and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        if "validation" in state and self.validation.scorer is not None:  # it is newer than some states
            self.validation.load_state_dict(state["validation"])


def write_state(state: dict, path: Path) -> None:
    """Write `state` beside the file at `path` and put it in its place in one move: a crash leaves one or the other.

    A disk that is full costs this state only, and a sentence.
    """
    memory = io.BytesIO()  # a disk that fills up under torch.save raises RuntimeErrors that do not say so
    torch.save(state, memory)
    part = path.with_suffix(".part")
    kept = f"; {path} stays as it was" if path.exists() else ""
    with disk_permitting(f"the state of update {state['update']}", kept):
        try:
            with part.open("wb") as file:
                file.write(memory.getbuffer())
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def read_state(path: Path) -> dict:
    return torch.load(path, map_location="cpu", weights_only=True)  # it may come from another machine


@contextlib.contextmanager
def disk_permitting(what: str, consolation: str = "") -> Iterator[None]:
    """Inside, a disk that does not take `what` costs a sentence, not the training."""
    try:
        yield
    except OSError as error:
        tqdm.write(f"{what} could not be written ({error.strerror or error}){consolation}")
