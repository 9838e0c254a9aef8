"""The only training loop."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import torch
from accelerate.utils import set_seed
from torch import Tensor, nn
from torch.utils.data import default_collate
from tqdm import tqdm

from styletransfer.images import to_pil
from styletransfer.sheet import contact_sheet
from training.engine import processes
from training.engine.average import Average
from training.engine.curves import draw
from training.engine.doctor import ADVICE, Doctor
from training.engine.history import History
from training.engine.players import buffers_restored, training_only
from training.engine.preset import Preset
from training.engine.push import Pusher
from training.engine.run_folder import STATE
from training.engine.signals import stopping_cleanly
from training.engine.state import State, disk_permitting, read_state, write_state
from training.engine.trackers import begin_tracking, check_tracker, log_grid
from training.engine.validation import Validation
from training.options import Run, save_config


class Trainer:
    """Trains a preset within the budget of a `Run` and leaves state, samples, curves, logs and the package in its folder.

    The result of several processes is that of one, up to what depends on the other samples of a batch (batch norm, comparisons
    between samples) and random numbers, which each process draws for itself.
    """

    def __init__(self, preset: Preset, config: Run):
        config = config.resolved()
        self.preset, self.config, self.recipe = preset, config, preset.recipe
        check_tracker(config.tracker)
        self.accelerator = processes.accelerator_of(config)
        self.update, self.seconds = 0, 0.0
        self.latest: dict[str, Tensor] = {}  # each loss when it was last computed: not every phase plays at every update
        self.findings: dict[str, str] = {}  # of the doctor, at the last examination
        self.reported: set[str] = set()
        self.pools = self.recipe.make_pools()
        self.doctor = Doctor(self.recipe)
        self.history = History(preset.scored_on)
        self.validation = Validation(preset, config)
        set_seed(config.seed)  # spectral norm starts from random vectors
        for game in self.recipe.games:
            game.lipschitz.prepare(preset.nets[game.discriminator])
        optimizers = {
            phase.name: torch.optim.Adam(
                [{"params": list(preset.nets[name].parameters()), "net": name} for name in phase.players],
                lr=0.0,  # each update sets it by the schedule
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
        players = {name: self.nets[name] for phase in self.recipe.phases for name in phase.players}
        self.state = State(self.accelerator, players, self.averages, self.optimizers, self.pools, self.validation)
        self.pusher = Pusher(config, preset.export) if config.hub.repo and self.accelerator.is_main_process else None

    # --- the loop ---

    def train(self) -> None:
        """Train until the budget is used, patience ends, or Ctrl-C; each time the state and the package are saved."""
        config, accelerator = self.config, self.accelerator
        config.out.mkdir(parents=True, exist_ok=True)
        self.recipe.check(self.nets, self.first_batch())  # before loading: a forward pass moves spectral norm's power iteration
        if config.resume and self.state_path.exists():
            self.load()
        if accelerator.is_main_process:
            save_config(config, config.out / "config.json")  # not before a state of other options is refused
        processes.begin_together(accelerator, self.nets, self.update, self.state_path)
        begin_tracking(accelerator, config)
        batches = self.batches()
        bar = tqdm(initial=self.update, total=config.updates, unit="update", disable=not accelerator.is_main_process)
        begun, stop = time.monotonic() - self.seconds, self.validation.exhausted
        with closing(bar), stopping_cleanly() as noted:
            if self.update == 0:
                self.validate()  # where it starts from, and pictures that are missing are missed now
            while self.progress() < 1 and not stop:
                losses = self.train_one([next(batches) for _ in range(config.accumulate)])
                self.report(losses, bar)
                self.seconds = time.monotonic() - begun
                if self.progress() < 1 and self.validation.due(self.update, self.progress()):
                    self.validate()
                stop = self.synchronize(bool(noted) or self.validation.exhausted)
                if self.update % config.save_every == 0:
                    self.save()
                    if self.pusher:
                        self.pusher.offer(self.update, self.averaged_nets())
            if not stop and self.validation.due(self.update, 1.0):
                self.validate()
        if stop and accelerator.is_main_process:
            print(self.stop_message())
        self.save()
        if accelerator.is_main_process:
            self.finish()
        accelerator.end_training()
        if self.pusher:
            self.pusher.finish(config.out / "pipeline")

    def train_one(self, micro_batches: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """One update of every phase. Each phase sees all parts of the batch before its players move."""
        # randomness depends on the position in the training, never on history: resume is exact
        seed = self.config.seed * 1_000_003 + self.update * self.accelerator.num_processes + self.accelerator.process_index
        set_seed(seed % 2**32)
        progress = self.progress()
        steps = [self.recipe.step(self.nets, batch, progress, self.pools) for batch in micro_batches]
        logged: dict[str, Tensor] = {}
        for phase in self.recipe.phases:
            if self.update % phase.every:
                continue
            optimizer = self.optimizers[phase.name]
            for group in optimizer.param_groups:
                group["lr"] = self.preset.rate(phase.name, group["net"], progress)
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
            processes.average_gradients(self.accelerator, parameters)
            norm = self.accelerator.clip_grad_norm_(parameters, self.preset.clip_norm)
            logged[f"{phase.name}/gradient_norm"] = norm.detach()
            optimizer.step()
            optimizer.zero_grad()
            for game in self.recipe.games:
                if game.discriminator in phase.players:
                    game.lipschitz.after(self.nets[game.discriminator])
        self.update += 1
        self.latest |= logged
        if self.is_logged():
            with buffers_restored(self.nets):  # how often it is logged must not change what is learned
                self.latest = processes.mean_of_processes(self.accelerator, self.latest | self.recipe.slopes(steps[-1]))
                self.findings = self.doctor.examine(steps[-1], {name: float(value) for name, value in self.latest.items()})
        for name, average in self.averages.items():
            average.follow(self.nets[name], self.update)
        return self.latest

    def progress(self) -> float:
        """Part of the budget that is used, 0..1: of the updates, or of the minutes over all resumed parts."""
        if self.config.updates is not None:
            return min(1.0, self.update / self.config.updates)
        return min(1.0, self.seconds / 60 / self.config.minutes)

    def averaged_nets(self) -> dict[str, nn.Module]:
        """The averaged networks."""
        return {name: average.net for name, average in self.averages.items()}

    def synchronize(self, stop: bool) -> bool:
        self.seconds, stop = processes.synchronize(self.accelerator, self.seconds, stop)
        return stop

    def validate(self) -> None:
        """Score the averaged networks, in the first process; the others wait for it at the next synchronization."""
        if self.validation.scorer is None or not self.accelerator.is_main_process:
            return
        scores = self.validation.score(self.update, self.progress(), self.averaged_nets())
        self.history.add(self.history.scores, self.update, self.seconds, scores)
        self.accelerator.log({f"validation/{name}": value for name, value in scores.items()}, step=self.update)

    def batches(self) -> Iterator[dict[str, Tensor]]:
        return processes.batches(self.accelerator, self.config, self.preset.data, self.update)

    def first_batch(self) -> dict[str, Tensor]:
        return self.samples(2)

    def samples(self, count: int) -> dict[str, Tensor]:
        """The first samples of the stream as a batch."""
        return processes.to_device(self.accelerator, default_collate([self.preset.data[position] for position in range(count)]))

    # --- what a run leaves behind ---

    def report(self, losses: dict[str, Tensor], bar: tqdm) -> None:
        config = self.config
        if config.updates is None and self.seconds:
            rate = self.update / self.seconds
            bar.total = round(self.update + max(0.0, config.minutes * 60 - self.seconds) * rate)
        bar.update(self.update - bar.n)
        if self.is_logged():
            values = {name: value.item() for name, value in losses.items()}
            for name, value in values.items():
                if value != value:
                    raise self.nan_error(f"{name} became NaN at update {self.update}")
            signals = {f"doctor/{name}": float(name in self.findings) for name in ADVICE}
            self.accelerator.log(values | signals, step=self.update)
            self.history.add(self.history.losses, self.update, self.seconds, values)
            shown = {"doctor": ", ".join(self.findings)} if self.findings else {}
            bar.set_postfix(shown | {name.split("/")[-1]: f"{value:.3f}" for name, value in values.items()})
            for name in self.findings.keys() - self.reported:
                bar.write(f"doctor, update {self.update}: {self.findings[name]}")
            self.reported |= self.findings.keys()
        if self.accelerator.is_main_process and (self.update % config.sample_every == 0 or self.update == 1):
            with disk_permitting(f"the samples of update {self.update}"):
                self.sample()

    def is_logged(self) -> bool:
        """Whether this update is logged: every `log_every`, the first, and those that are saved."""
        return self.update % self.config.log_every == 0 or self.update % self.config.save_every == 0 or self.update == 1

    @torch.no_grad()
    def sample(self) -> None:
        """A grid of the step's gallery for the first samples of the stream, made by the averaged networks."""
        step = self.recipe.step(self.nets | self.averaged_nets(), self.samples(8), self.progress())
        rows = [[("", to_pil(picture)) for picture in row] for row in zip(*(step[name] for name in step.gallery), strict=True)]
        grid = contact_sheet(rows, max(rows[0][0][1].size))
        folder = self.config.out / "samples"
        folder.mkdir(exist_ok=True)
        grid.save(folder / f"{self.update:06d}.jpg")
        log_grid(self.accelerator, grid, self.update)

    @property
    def state_path(self) -> Path:
        return self.config.out / STATE

    @property
    def history_path(self) -> Path:
        return self.config.out / "history.json"

    def nan_error(self, what: str) -> FloatingPointError:
        kept = f"the last good state is in {self.state_path}" if self.state_path.exists() else "no state was saved before"
        return FloatingPointError(f"{what}; {kept}. {self.findings.get('nan', '')}".rstrip())

    def save(self) -> None:
        # NaN may have come after the last log line, and must not take the place of a good state, or ship
        broken = [name for name in self.state.players if not all(p.isfinite().all() for p in self.nets[name].parameters())]
        if broken:
            raise self.nan_error(f"NaN in the weights of {', '.join(broken)} at update {self.update}")
        parts = self.state.gather()
        if not self.accelerator.is_main_process:
            return
        self.history.chosen = self.validation.chosen
        with disk_permitting("the history of the run"):
            self.history.write(self.history_path)  # before the state, which it then is never behind
        write_state({"update": self.update, "seconds": self.seconds} | parts, self.state_path)

    def load(self) -> None:
        state = read_state(self.state_path)
        self.update, self.seconds = state["update"], state["seconds"]
        self.state.restore(state)
        self.history.read(self.history_path, self.update)

    def stop_message(self) -> str:
        if self.validation.exhausted:
            return f"stopped at update {self.update}: {self.config.patience} validations in a row were no better"
        return f"stopped at update {self.update}; go on with --resume --out {self.config.out}"

    def finish(self) -> None:
        """Draw the curves and write the package, of the weights that ship."""
        out = self.config.out
        if self.validation.scorer is not None:
            print(self.validation.verdict())
        if self.validation.best is not None:
            for name, weights in self.validation.best["weights"].items():
                self.averages[name].net.load_state_dict(weights)
        if self.history.losses or self.history.scores:
            with disk_permitting("curves.png"):
                draw(self.history.values(), out / "curves.png")
        self.preset.export(self.averaged_nets(), out / "pipeline")
