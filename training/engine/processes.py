"""One training in several processes, which share each batch.

Their gradients are averaged once a phase, after its last backward pass, as StyleGAN2 and EDM do: parts of a network may then rest
(progressive growing), run several times or take second derivatives, none of which `DistributedDataParallel` has to know.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader, Dataset

from training.options import Run


def accelerator_of(config: Run) -> Accelerator:
    """The device and the processes that `config` asks for.

    Raises:
        ValueError: without a CUDA device where one is wanted, or if a batch cannot be split.
    """
    accelerator = Accelerator(
        cpu=config.device == "cpu",
        mixed_precision=fast_precision(config),
        log_with=config.tracker if config.tracker != "none" else None,
        project_dir=config.out / "logs",
    )
    if config.device == "cuda" and accelerator.device.type != "cuda":
        raise ValueError("--device cuda: this machine has no CUDA device that torch can use")
    parts = config.accumulate * accelerator.num_processes
    if config.batch % parts:
        raise ValueError(f"--batch {config.batch} cannot be split over {parts} processes and accumulation steps")
    return accelerator


def fast_precision(config: Run) -> str:
    if config.precision != "auto":
        return config.precision
    if config.device != "cpu" and torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    return "bf16" if torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "no"


def begin_together(accelerator: Accelerator, nets: dict[str, nn.Module], update: int, state: Path) -> None:
    """Print what trains; every process starts from the weights of the first.

    Raises:
        ValueError: if not all processes have read the same `state`, and so are at the same `update`.
    """
    count = accelerator.num_processes
    if accelerator.is_main_process:
        precision = {"no": "fp32"}.get(accelerator.mixed_precision, accelerator.mixed_precision)
        print(f"training in {count} process{'es' if count > 1 else ''} on {accelerator.device.type}, in {precision}")
    if count == 1:
        return
    if len(set(gather_object([update]))) > 1:
        raise ValueError(f"--resume: some processes see no {state}; --out must be a folder that all of them share")
    for net in nets.values():
        for value in net.state_dict().values():
            distributed.broadcast(value, src=0)


def average_gradients(accelerator: Accelerator, parameters: list[nn.Parameter]) -> None:
    """Replace the gradients by their means over the processes, in one message."""
    gradients = [p.grad for p in parameters if p.grad is not None]  # what rests, rests everywhere
    if accelerator.num_processes == 1 or not gradients:
        return
    mean = accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
    for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))


def mean_of_processes(accelerator: Accelerator, values: dict[str, Tensor]) -> dict[str, Tensor]:
    if accelerator.num_processes == 1:
        return values
    means = accelerator.reduce(torch.stack([value.float() for value in values.values()]), "mean")
    return dict(zip(values, means, strict=True))


def synchronize(accelerator: Accelerator, seconds: float, stop: bool) -> tuple[float, bool]:
    """The clock of the slowest, so that a budget ends for all at once, and whether any process has to stop."""
    if accelerator.num_processes == 1:
        return seconds, stop
    word = torch.tensor([seconds, stop], device=accelerator.device, dtype=torch.float64)
    distributed.all_reduce(word, distributed.ReduceOp.MAX)
    seconds, stop = word.tolist()
    return seconds, bool(stop)


def batches(accelerator: Accelerator, config: Run, data: Dataset, update: int) -> Iterator[dict[str, Tensor]]:
    """This process's share of the batches from `update` onwards, on its device, each in `config.accumulate` parts."""
    positions = Positions(update, config.batch, accelerator.process_index, accelerator.num_processes)
    loader = DataLoader(
        data,
        batch_size=config.batch // config.accumulate // accelerator.num_processes,
        sampler=positions,
        num_workers=config.workers,
        persistent_workers=config.workers > 0,
        pin_memory=accelerator.device.type == "cuda",
    )
    for batch in loader:
        yield to_device(accelerator, batch)


def to_device(accelerator: Accelerator, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.to(accelerator.device, non_blocking=True) for name, value in batch.items()}


class Positions:
    """Sample numbers of this process, from an update onwards: update u holds numbers u * batch ... (u + 1) * batch - 1."""

    def __init__(self, first_update: int, batch: int, process: int, processes: int):
        self.first, self.batch, self.process, self.processes = first_update, batch, process, processes

    def __iter__(self) -> Iterator[int]:
        number = self.first * self.batch + self.process
        while True:
            yield number
            number += self.processes
