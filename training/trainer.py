"""The only training loop."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.utils import save_image
from tqdm import tqdm

from training.config import Run
from training.doctor import Doctor
from training.recipe import Recipe


@dataclass(frozen=True)
class Preset:
    """A training as a value: networks, recipe, data and numbers.

    Args:
        nets: Networks by name; those that no phase trains stay frozen.
        recipe: Phases, games and terms.
        data: Sample number -> dict of tensors, endless.
        rates: Learning rate of each phase.
        averaged: Networks whose exponential moving average is what ships.
        export: Writes the package of the averaged networks into a folder.
        paces: Factors of the learning rate of single networks; 1 for those not named.
        betas: Of Adam, for every phase.
        average_decay: Of the moving averages.
        clip_norm: Largest gradient norm of a phase.
        flat_part: Part of the training with constant learning rates; they fall to zero over the rest.
    """

    nets: dict[str, nn.Module]
    recipe: Recipe
    data: Dataset
    rates: dict[str, float]
    averaged: tuple[str, ...]
    export: Callable[[dict[str, nn.Module], Path], None]
    paces: dict[str, float] = field(default_factory=dict)
    betas: tuple[float, float] = (0.9, 0.99)
    average_decay: float = 0.999
    clip_norm: float = 20.0
    flat_part: float = 0.5


class Positions:
    """Sample numbers of this process, from an update onwards: update u holds numbers u * batch ... (u + 1) * batch - 1."""

    def __init__(self, first_update: int, batch: int, process: int, processes: int):
        self.first, self.batch, self.process, self.processes = first_update, batch, process, processes

    def __iter__(self) -> Iterator[int]:
        number = self.first * self.batch + self.process
        while True:
            yield number
            number += self.processes


class Trainer:
    """Trains a preset within the budget of a `Run` and leaves state, samples, logs and the finished package in its folder."""

    def __init__(self, preset: Preset, config: Run):
        self.preset, self.config, self.recipe = preset, config, preset.recipe
        self.accelerator = Accelerator(
            cpu=config.device == "cpu",
            mixed_precision=fast_precision(config),
            log_with=config.tracker if config.tracker != "none" else None,
            project_dir=config.out / "logs",
        )
        if config.device == "cuda" and self.accelerator.device.type != "cuda":
            raise ValueError("--device cuda: this machine has no CUDA device that torch can use")
        parts = config.accumulate * self.accelerator.num_processes
        if config.batch % parts:
            raise ValueError(f"--batch {config.batch} cannot be split over {parts} processes and accumulation steps")
        self.update, self.seconds = 0, 0.0
        self.latest: dict[str, Tensor] = {}  # each loss when it was last computed: not every phase plays at every update
        self.findings: dict[str, str] = {}  # of the doctor, at the last look
        self.told: set[str] = set()
        self.pools = self.recipe.make_pools()
        self.doctor = Doctor(self.recipe)
        set_seed(config.seed)  # spectral norm starts from random vectors
        for game in self.recipe.games:
            game.lipschitz.prepare(preset.nets[game.discriminator])
        players = {name for phase in self.recipe.phases for name in phase.players}
        optimizers = {
            phase.name: torch.optim.Adam(
                [{"params": list(preset.nets[name].parameters()), "pace": preset.paces.get(name, 1.0)} for name in phase.players],
                lr=preset.rates[phase.name],
                betas=preset.betas,
            )
            for phase in self.recipe.phases
        }
        self.nets = {
            name: self.accelerator.prepare_model(net, evaluation_mode=name not in players) for name, net in preset.nets.items()
        }
        self.optimizers = {name: self.accelerator.prepare_optimizer(optimizer) for name, optimizer in optimizers.items()}
        self.averages = {name: Average(preset.nets[name], preset.average_decay) for name in preset.averaged}

    # --- the loop ---

    def train(self) -> None:
        """Train until the budget is used, or until Ctrl-C; either way the state and the package are saved."""
        config = self.config
        config.out.mkdir(parents=True, exist_ok=True)
        self.recipe.check(self.nets, self.first_batch())  # before loading: a forward pass moves spectral norm's power iteration
        if config.resume and self.state_path.exists():
            self.load()
        if config.tracker != "none":
            self.accelerator.init_trackers("training")
        batches = self.batches()
        bar = tqdm(initial=self.update, total=config.updates, unit="update", disable=not self.accelerator.is_main_process)
        with closing(bar), stopping_cleanly() as stopped:
            while self.progress() < 1 and not stopped:
                started = time.monotonic()
                losses = self.train_one([next(batches) for _ in range(config.accumulate)])
                self.report(losses, bar)
                if self.update % config.save_every == 0:
                    self.save()
                self.seconds += time.monotonic() - started
        if stopped:
            print(f"stopped at update {self.update}; go on with --resume --out {config.out}")
        self.save()
        if self.accelerator.is_main_process:
            self.preset.export({name: average.net for name, average in self.averages.items()}, config.out / "pipeline")
        self.accelerator.end_training()

    def train_one(self, micro_batches: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """One update of every phase. Each phase sees all parts of the batch before its players move."""
        # randomness depends on the position in the training, never on history: resume is exact
        set_seed(self.config.seed * 1_000_003 + self.update * self.accelerator.num_processes + self.accelerator.process_index)
        progress = self.progress()
        steps = [self.recipe.step(self.nets, batch, progress) for batch in micro_batches]
        for step in steps:
            step.pools = self.pools
        logged: dict[str, Tensor] = {}
        for phase in self.recipe.phases:
            if self.update % phase.every:
                continue
            optimizer = self.optimizers[phase.name]
            for group in optimizer.param_groups:
                group["lr"] = self.preset.rates[phase.name] * group["pace"] * self.schedule(progress)
            with training_only(self.nets, phase.players):
                for index, step in enumerate(steps):
                    last = index == len(steps) - 1
                    with contextlib.ExitStack() as stack:
                        if not last:
                            for name in phase.players:
                                stack.enter_context(self.accelerator.no_sync(self.nets[name]))
                        losses = self.recipe.losses(step, phase, self.update)
                        if not losses:  # nothing for these players in this part of the training
                            continue
                        self.accelerator.backward(sum(losses.values()) / len(steps))
                    for name, loss in losses.items():
                        logged[f"{phase.name}/{name}"] = logged.get(f"{phase.name}/{name}", 0) + loss.detach() / len(steps)
            if not losses:
                continue
            norm = self.accelerator.clip_grad_norm_(
                [p for name in phase.players for p in self.nets[name].parameters()], self.preset.clip_norm
            )
            logged[f"{phase.name}/gradient_norm"] = norm.detach()
            optimizer.step()
            optimizer.zero_grad()
            for game in self.recipe.games:
                if game.discriminator in phase.players:
                    game.lipschitz.after(self.accelerator.unwrap_model(self.nets[game.discriminator]))
        self.update += 1
        self.latest |= logged
        if self.speaks():
            self.latest |= self.recipe.slopes(steps[-1])
            self.findings = self.doctor.examine(steps[-1], {name: float(value) for name, value in self.latest.items()})
        for name, average in self.averages.items():
            average.follow(self.accelerator.unwrap_model(self.nets[name]), self.update)
        return self.latest

    def progress(self) -> float:
        """Part of the budget that is used, 0..1: of the updates, or of the minutes over all resumed parts."""
        if self.config.updates is not None:
            return min(1.0, self.update / self.config.updates)
        return min(1.0, self.seconds / 60 / self.config.minutes)

    def schedule(self, progress: float) -> float:
        """Factor of the learning rates: 1, then a straight fall to 0."""
        return min(1.0, (1 - progress) / (1 - self.preset.flat_part))

    # --- data ---

    def batches(self) -> Iterator[dict[str, Tensor]]:
        processes = self.accelerator.num_processes
        positions = Positions(self.update, self.config.batch, self.accelerator.process_index, processes)
        size = self.config.batch // self.config.accumulate // processes
        loader = DataLoader(
            self.preset.data,
            batch_size=size,
            sampler=positions,
            num_workers=self.config.workers,
            persistent_workers=self.config.workers > 0,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        for batch in loader:
            yield self.to_device(batch)

    def first_batch(self) -> dict[str, Tensor]:
        return self.to_device(torch.utils.data.default_collate([self.preset.data[0], self.preset.data[1]]))

    def to_device(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: value.to(self.accelerator.device, non_blocking=True) for name, value in batch.items()}

    # --- what a run leaves behind ---

    def report(self, losses: dict[str, Tensor], bar: tqdm) -> None:
        config = self.config
        if config.updates is None and self.seconds:
            rate = self.update / self.seconds
            bar.total = round(self.update + max(0.0, config.minutes * 60 - self.seconds) * rate)
        bar.update(self.update - bar.n)
        # before every save too, so that a state with NaN never takes the place of a good one
        if self.speaks():
            values = {name: value.item() for name, value in losses.items()}
            for name, value in values.items():
                if value != value:
                    kept = f"the last good state is kept in {self.state_path}"
                    raise FloatingPointError(f"{name} became NaN at update {self.update}; {kept}. {self.findings.get('nan', '')}")
            self.accelerator.log(values | {f"doctor/{name}": 1.0 for name in self.findings}, step=self.update)
            shown = {"doctor": ", ".join(self.findings)} if self.findings else {}
            bar.set_postfix(shown | {name.split("/")[-1]: f"{value:.3f}" for name, value in values.items()})
            for name in self.findings.keys() - self.told:
                bar.write(f"doctor, update {self.update}: {self.findings[name]}")
            self.told |= self.findings.keys()
        if self.accelerator.is_main_process and (self.update % config.sample_every == 0 or self.update == 1):
            self.sample()

    def speaks(self) -> bool:
        """Whether this update is logged: every `log_every`, the first, and those that are saved."""
        return self.update % self.config.log_every == 0 or self.update % self.config.save_every == 0 or self.update == 1

    @torch.no_grad()
    def sample(self) -> None:
        """A grid of the step's gallery for the first samples of the stream, made by the averaged networks."""
        batch = self.to_device(torch.utils.data.default_collate([self.preset.data[i] for i in range(8)]))
        nets = self.nets | {name: average.net for name, average in self.averages.items()}
        step = self.recipe.step(nets, batch, self.progress())
        rows = torch.stack([step[name].float() for name in step.gallery], dim=1).flatten(0, 1)
        folder = self.config.out / "samples"
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.update:06d}.jpg"
        save_image(rows.clamp(-1, 1) / 2 + 0.5, path, nrow=len(step.gallery), padding=4)

    @property
    def state_path(self) -> Path:
        return self.config.out / "state.pt"

    def save(self) -> None:
        """Write the whole state beside the old one and put it in its place in one move: a crash leaves one or the other."""
        if not self.accelerator.is_main_process:
            return
        players = {name for phase in self.recipe.phases for name in phase.players}
        state = {
            "update": self.update,
            "seconds": self.seconds,
            "nets": {name: self.accelerator.unwrap_model(self.nets[name]).state_dict() for name in players},
            "averages": {name: average.net.state_dict() for name, average in self.averages.items()},
            "pools": {name: pool.images for name, pool in self.pools.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }
        part = self.state_path.with_suffix(".part")
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.state_path)

    def load(self) -> None:
        state = torch.load(self.state_path, map_location=self.accelerator.device, weights_only=True)
        for name, weights in state["nets"].items():
            self.accelerator.unwrap_model(self.nets[name]).load_state_dict(weights)
        for name, weights in state["averages"].items():
            self.averages[name].net.load_state_dict(weights)
        for name, values in state["optimizers"].items():
            self.optimizers[name].load_state_dict(values)
        for name, images in state["pools"].items():
            self.pools[name].images = images
        self.update, self.seconds = state["update"], state["seconds"]


class Average:
    """Exponential moving average of a network, faster at first: decay min(decay, (1 + n) / (10 + n)). Buffers are copied."""

    def __init__(self, net: nn.Module, decay: float):
        self.net = type(net).from_config(net.config).to(next(net.parameters()).device)
        self.net.load_state_dict(net.state_dict())
        self.net.eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def follow(self, net: nn.Module, update: int) -> None:
        decay = min(self.decay, (1 + update) / (10 + update))
        torch._foreach_lerp_(list(self.net.parameters()), [p.detach() for p in net.parameters()], 1 - decay)
        for mine, theirs in zip(self.net.buffers(), net.buffers(), strict=True):
            mine.copy_(theirs)


@contextlib.contextmanager
def stopping_cleanly() -> Iterator[list[int]]:
    """Inside, the first Ctrl-C or SIGTERM is only noted in the list, so that an update can end; a second one interrupts it."""
    noted: list[int] = []

    def note(number: int, frame: object) -> None:
        noted.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def training_only(nets: dict[str, nn.Module], players: tuple[str, ...]) -> Iterator[None]:
    """Inside, only the players take gradients."""
    before = {name: [p.requires_grad for p in net.parameters()] for name, net in nets.items()}
    for name, net in nets.items():
        net.requires_grad_(name in players)
    try:
        yield
    finally:
        for name, net in nets.items():
            for parameter, flag in zip(net.parameters(), before[name], strict=True):
                parameter.requires_grad_(flag)


def fast_precision(config: Run) -> str:
    if config.precision != "auto":
        return config.precision
    if config.device != "cpu" and torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    return "bf16" if torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported() else "no"
