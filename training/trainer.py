"""The only training loop."""

import contextlib
import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, set_seed
from torch import Tensor, distributed, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.utils import save_image
from tqdm import tqdm

from training.config import Run
from training.doctor import Doctor
from training.push import Pusher
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
    """Trains a preset within the budget of a `Run` and leaves state, samples, logs and the finished package in its folder.

    Several processes share each batch. Their gradients are averaged once a phase, after its last backward pass, as StyleGAN2 and
    EDM do: parts of a network may then rest (progressive growing), run several times or take second derivatives, none of which
    `DistributedDataParallel` has to know. The result is that of one process, up to what looks at the other samples of a batch
    (batch norm, comparisons between samples) and random numbers, which each process draws for itself.
    """

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
        optimizers = {
            phase.name: torch.optim.Adam(
                [{"params": list(preset.nets[name].parameters()), "pace": preset.paces.get(name, 1.0)} for name in phase.players],
                lr=preset.rates[phase.name],
                betas=preset.betas,
            )
            for phase in self.recipe.phases
        }
        # evaluation_mode: in the wanted precision and place, but not wrapped
        self.nets = {name: self.accelerator.prepare_model(net, evaluation_mode=True) for name, net in preset.nets.items()}
        if config.compile:
            for net in self.nets.values():
                net.compile()  # in place, so that its weights keep their names
        self.optimizers = {name: self.accelerator.prepare_optimizer(optimizer) for name, optimizer in optimizers.items()}
        self.averages = {name: Average(preset.nets[name], preset.average_decay) for name in preset.averaged}
        self.pusher = Pusher(config, preset.export) if config.hub.repo and self.accelerator.is_main_process else None

    # --- the loop ---

    def train(self) -> None:
        """Train until the budget is used, or until Ctrl-C; either way the state and the package are saved."""
        config = self.config
        config.out.mkdir(parents=True, exist_ok=True)
        self.recipe.check(self.nets, self.first_batch())  # before loading: a forward pass moves spectral norm's power iteration
        if config.resume and self.state_path.exists():
            self.load()
        self.begin_together()
        if config.tracker != "none":
            self.accelerator.init_trackers("training")
        batches = self.batches()
        bar = tqdm(initial=self.update, total=config.updates, unit="update", disable=not self.accelerator.is_main_process)
        begun, stop = time.monotonic() - self.seconds, False
        with closing(bar), stopping_cleanly() as noted:
            while self.progress() < 1 and not stop:
                losses = self.train_one([next(batches) for _ in range(config.accumulate)])
                self.report(losses, bar)
                self.seconds = time.monotonic() - begun
                stop = self.agree(bool(noted))
                if self.update % config.save_every == 0:
                    self.save()
                    if self.pusher:
                        self.pusher.offer(self.update, {name: average.net for name, average in self.averages.items()})
        if stop and self.accelerator.is_main_process:
            print(f"stopped at update {self.update}; go on with --resume --out {config.out}")
        self.save()
        if self.accelerator.is_main_process:
            self.preset.export({name: average.net for name, average in self.averages.items()}, config.out / "pipeline")
        self.accelerator.end_training()
        if self.pusher:
            self.pusher.finish(config.out / "pipeline")

    def train_one(self, micro_batches: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """One update of every phase. Each phase sees all parts of the batch before its players move."""
        # randomness depends on the position in the training, never on history: resume is exact
        seed = self.config.seed * 1_000_003 + self.update * self.accelerator.num_processes + self.accelerator.process_index
        set_seed(seed % 2**32)
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
                for step in steps:
                    losses = self.recipe.losses(step, phase, self.update)
                    if not losses:  # nothing for these players in this part of the training
                        continue
                    self.accelerator.backward(sum(losses.values()) / len(steps))
                    for name, loss in losses.items():
                        logged[f"{phase.name}/{name}"] = logged.get(f"{phase.name}/{name}", 0) + loss.detach() / len(steps)
            if not losses:
                continue
            parameters = [p for name in phase.players for p in self.nets[name].parameters()]
            self.average_gradients(parameters)
            norm = self.accelerator.clip_grad_norm_(parameters, self.preset.clip_norm)
            logged[f"{phase.name}/gradient_norm"] = norm.detach()
            optimizer.step()
            optimizer.zero_grad()
            for game in self.recipe.games:
                if game.discriminator in phase.players:
                    game.lipschitz.after(self.nets[game.discriminator])
        self.update += 1
        self.latest |= logged
        if self.speaks():
            self.latest = self.mean_of_processes(self.latest | self.recipe.slopes(steps[-1]))
            self.findings = self.doctor.examine(steps[-1], {name: float(value) for name, value in self.latest.items()})
        for name, average in self.averages.items():
            average.follow(self.nets[name], self.update)
        return self.latest

    def progress(self) -> float:
        """Part of the budget that is used, 0..1: of the updates, or of the minutes over all resumed parts."""
        if self.config.updates is not None:
            return min(1.0, self.update / self.config.updates)
        return min(1.0, self.seconds / 60 / self.config.minutes)

    def schedule(self, progress: float) -> float:
        """Factor of the learning rates: 1, then a straight fall to 0."""
        return min(1.0, (1 - progress) / (1 - self.preset.flat_part))

    # --- several processes ---

    def begin_together(self) -> None:
        """Say what trains; every process starts from the weights of the first."""
        accelerator = self.accelerator
        count = accelerator.num_processes
        if accelerator.is_main_process:
            precision = {"no": "fp32"}.get(accelerator.mixed_precision, accelerator.mixed_precision)
            print(f"training in {count} process{'es' if count > 1 else ''} on {accelerator.device.type}, in {precision}")
        if count == 1:
            return
        if len(set(gather_object([self.update]))) > 1:
            raise ValueError(f"--resume: some processes see no {self.state_path}; --out must be a folder that all of them share")
        for net in self.nets.values():
            for value in net.state_dict().values():
                distributed.broadcast(value, src=0)

    def average_gradients(self, parameters: list[nn.Parameter]) -> None:
        """Replace the gradients by their means over the processes, in one message."""
        gradients = [p.grad for p in parameters if p.grad is not None]  # what rests, rests everywhere
        if self.accelerator.num_processes == 1 or not gradients:
            return
        mean = self.accelerator.reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
        for gradient, part in zip(gradients, mean.split([gradient.numel() for gradient in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def mean_of_processes(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        if self.accelerator.num_processes == 1:
            return values
        means = self.accelerator.reduce(torch.stack([value.float() for value in values.values()]), "mean")
        return dict(zip(values, means, strict=True))

    def agree(self, stop: bool) -> bool:
        """Whether any process was asked to stop; the clock becomes that of the slowest, so that a budget ends for all at once."""
        if self.accelerator.num_processes == 1:
            return stop
        word = torch.tensor([self.seconds, stop], device=self.accelerator.device, dtype=torch.float64)
        distributed.all_reduce(word, distributed.ReduceOp.MAX)
        self.seconds, stop = word.tolist()
        return bool(stop)

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
            with disk_permitting(f"the samples of update {self.update}"):
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
        """Write the whole state beside the old one and put it in its place in one move: a crash leaves one or the other.

        A disk that is full costs this state only, and a sentence.
        """
        pools = {name: gather_object([image.cpu() for image in pool.images]) for name, pool in self.pools.items()}
        if not self.accelerator.is_main_process:
            return
        players = {name for phase in self.recipe.phases for name in phase.players}
        state = {
            "update": self.update,
            "seconds": self.seconds,
            "nets": {name: self.nets[name].state_dict() for name in players},
            "averages": {name: average.net.state_dict() for name, average in self.averages.items()},
            "pools": pools,  # of one process after the other
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }
        if self.accelerator.scaler is not None:  # of fp16
            state["scaler"] = self.accelerator.scaler.state_dict()
        memory = io.BytesIO()  # a disk that fills up under torch.save raises RuntimeErrors that do not say so
        torch.save(state, memory)
        part = self.state_path.with_suffix(".part")
        kept = f"; {self.state_path} stays as it was" if self.state_path.exists() else ""
        with disk_permitting(f"the state of update {self.update}", kept):
            try:
                with part.open("wb") as file:
                    file.write(memory.getbuffer())
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self.state_path)
            finally:
                part.unlink(missing_ok=True)

    def load(self) -> None:
        state = torch.load(self.state_path, map_location="cpu", weights_only=True)  # it may come from another machine
        for name, weights in state["nets"].items():
            self.nets[name].load_state_dict(weights)
        for name, weights in state["averages"].items():
            self.averages[name].net.load_state_dict(weights)
        for name, values in state["optimizers"].items():
            self.optimizers[name].load_state_dict(values)
        for name, images in state["pools"].items():
            share = len(images) // self.accelerator.num_processes
            first = share * self.accelerator.process_index
            mine = images[first : first + min(share, self.pools[name].size)]
            self.pools[name].images = [image.to(self.accelerator.device) for image in mine]
        if "scaler" in state and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(state["scaler"])
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
def disk_permitting(what: str, consolation: str = "") -> Iterator[None]:
    """Inside, a disk that does not take `what` costs a sentence, not the training."""
    try:
        yield
    except OSError as error:
        tqdm.write(f"{what} could not be written ({error.strerror or error}){consolation}")


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
