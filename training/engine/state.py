"""All that a training is at one update: what it is made of, and its file, which is whole or not there."""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import nn
from torch.optim import Optimizer
from tqdm import tqdm

from styletransfer.files import write_bytes
from training.engine.average import Average
from training.engine.pool import ImagePool
from training.engine.validation import Validation

# of a state's file, beside what some trainings alone have
PARTS = {"update": int, "seconds": float, "nets": dict, "averages": dict, "optimizers": dict, "pools": dict}


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
        """Take over what `gather` gave.

        Raises:
            ValueError: where it is of other networks or phases than these. Some of them may have changed by then.
        """
        try:
            self.take_over(state)
        except (
            KeyError,
            IndexError,
            TypeError,
            AttributeError,
            ValueError,
            RuntimeError,
        ) as error:  # of torch, for want of a type
            *_, last = str(error).splitlines() or [type(error).__name__]
            raise ValueError(
                f"the state is of a training with other networks or options ({last.strip()}); "
                "give the options that it began with, or another --out for a new one"
            ) from None

    def take_over(self, state: dict) -> None:
        for part, mine in (("nets", self.players), ("averages", self.averages), ("optimizers", self.optimizers)):
            if state[part].keys() != mine.keys():
                raise ValueError(f"{part} {', '.join(state[part])} instead of {', '.join(mine)}")
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
    """Write `state` whole: a crash leaves it, or the one before.

    A disk that is full costs this state only, and a sentence.
    """
    memory = io.BytesIO()  # a disk that fills up under torch.save raises RuntimeErrors that do not say so
    torch.save(state, memory)
    kept = f"; {path} stays as it was" if path.exists() else ""
    with disk_permitting(f"the state of update {state['update']}", kept):
        write_bytes(path, memory.getbuffer())


def read_state(path: Path) -> dict:
    """What `write_state` wrote.

    Raises:
        ValueError: where the file is damaged, even in a single bit, or no state of a training.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # torch does not look at its checksums
        if damaged is not None:
            raise ValueError(f"{damaged} has another checksum")
        state = torch.load(path, map_location="cpu", weights_only=True)  # it may come from another machine
    except FileNotFoundError:
        raise
    except Exception as error:  # what a damaged archive raises has no type of its own
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ValueError(
            f"{path} is damaged and cannot be gone on from ({reason}); put a copy in its place, or delete it"
        ) from None
    lacking = [name for name in PARTS if not isinstance(state, dict) or not isinstance(state.get(name), PARTS[name])]
    if lacking:
        raise ValueError(
            f"{path} is no state of a training: it lacks {', '.join(lacking)}; put a copy in its place, or delete it"
        )
    return state


@contextlib.contextmanager
def disk_permitting(what: str, consolation: str = "") -> Iterator[None]:
    """Inside, a disk that does not take `what` costs a sentence, not the training."""
    try:
        yield
    except OSError as error:
        tqdm.write(f"{what} could not be written ({error.strerror or error}){consolation}")
