"""Two processes give the result of one, and so do parts of a batch; penalties in fp32 and compiled networks under the trainer."""

import dataclasses
import multiprocessing
import os
import signal
import socket
from contextlib import redirect_stdout
from functools import cached_property, partialmethod
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from torch import Tensor

from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.progressive_discriminator import ProgressiveDiscriminator
from styletransfer.models.unet_generator import UNetGenerator
from tests.tiny_presets import CONFIGS
from training.engine.trainer import Preset, Trainer
from training.losses.lipschitz import GradientNorm
from training.options import Run
from training.presets import build

UPDATES = 6


def exact(config: Run) -> Preset:
    """A preset without what depends on the split: random numbers of a process, and comparisons of the samples of a batch."""
    preset = build(config)
    nets, recipe = dict(preset.nets), preset.recipe
    if type(config).__name__ == "Pix2pix":
        nets["g"] = UNetGenerator(base_channels=4, num_downs=5, dropout=0.0)
        nets["d"] = PatchDiscriminator(in_channels=6, base_channels=4, norm="none")
    if type(config).__name__ == "Cyclegan":
        recipe = dataclasses.replace(recipe, games=tuple(dataclasses.replace(game, pool=3) for game in recipe.games))
    if type(config).__name__ == "Progressive":
        nets["d"] = ProgressiveDiscriminator(base_channels=4, image_size=32, group=1)
        games = tuple(dataclasses.replace(game, lipschitz=GradientNorm(every=2)) for game in recipe.games)
        recipe = dataclasses.replace(recipe, games=games, step=type("Given", (recipe.step,), {"z": noise_of_sample}))
    return dataclasses.replace(preset, nets=nets, recipe=recipe, export=lambda nets, folder: None)


@cached_property
def noise_of_sample(step) -> Tensor:
    """Noise (B, Z) that follows from the picture beside it, not from the process."""
    return 40 * step["real"][:, 0, 0, : step.nets["g"].config.z_size]


noise_of_sample.__set_name__(None, "z")


class Plain(Trainer):
    """By gradient descent: Adam turns rounding errors of small gradients into whole steps."""

    def __init__(self, preset: Preset, config: Run):
        super().__init__(dataclasses.replace(preset, rates=dict.fromkeys(preset.rates, 0.01)), config)
        for phase in self.recipe.phases:
            players = [p for name in phase.players for p in self.nets[name].parameters()]
            descent = torch.optim.SGD([{"params": players, "net": phase.players[0]}])
            self.optimizers[phase.name] = self.accelerator.prepare_optimizer(descent)


def train(config: Run, rank: int, processes: int, port: int, stop_at: int | None) -> None:
    """A training as one of the processes that torchrun would start; the last one is interrupted, if any."""
    if processes > 1:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    trainer = (Trainer if type(config).__name__ == "Cyclegan" else Plain)(exact(config), config)
    report = trainer.report

    def interrupt(losses, bar) -> None:
        report(losses, bar)
        if trainer.update == stop_at and rank == processes - 1:
            signal.raise_signal(signal.SIGINT)

    trainer.report = interrupt
    with Path(f"{config.out}-{rank}.txt").open("w") as told, redirect_stdout(told):
        trainer.train()


def launch(config: Run, processes: int, stop_at: int | None = None) -> dict[str, Tensor]:
    """Train in new processes. Returns the tensors of the state that they leave."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.training.test_scale", "training.packaging.export"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = [context.Process(target=train, args=(config, rank, processes, port, stop_at)) for rank in range(processes)]
    for process in group:
        process.start()
    for process in group:
        process.join(240)
        process.kill()
    assert [process.exitcode for process in group] == [0] * processes
    return flat(torch.load(config.out / "state.pt", weights_only=True))


def flat(value, name: str = "") -> dict[str, Tensor]:
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        return {key: tensor for part in value for key, tensor in flat(value[part], f"{name}/{part}").items()}
    return {name: value} if isinstance(value, Tensor) else {}


def distance(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The largest difference of any number."""
    assert one.keys() == other.keys()
    return max((one[name] - other[name]).abs().max().item() for name in one)


@pytest.fixture
def config(pictures: Path, tmp_path: Path):
    def make(preset: str, out: str = "one", **options) -> Run:
        run = {"device": "cpu", "precision": "no", "tracker": "none", "log_every": 2, "updates": UPDATES, "batch": 4}
        return CONFIGS[preset](pictures, out=tmp_path / out, **(run | options))

    return make


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["pix2pix", "superres", "progressive"])
def test_two_processes_and_parts_of_a_batch_give_the_result_of_one(config, preset, tmp_path):
    """Also of networks that grow: some of their layers rest at first, and take no gradient."""
    one = launch(config(preset), 1)
    assert distance(one, launch(config(preset, "two"), 2)) < 1e-6
    assert distance(one, launch(config(preset, "parts", accumulate=2), 1)) < 1e-6
    if preset == "pix2pix":
        assert distance(one, launch(config(preset, "both", accumulate=2), 2)) < 1e-6
        assert distance(one, launch(config(preset, "other", seed=1), 1)) > 1e-3
    assert "training in 1 process on cpu, in fp32" in (tmp_path / "one-0.txt").read_text()
    assert "training in 2 processes on cpu, in fp32" in (tmp_path / "two-0.txt").read_text()
    assert (tmp_path / "two-1.txt").read_text() == ""


@pytest.mark.slow
def test_one_process_is_interrupted_and_both_stop_and_go_on_exactly(config, tmp_path):
    """With pools, of which each process has its own: all are in the state."""
    straight = launch(config("cyclegan", "straight"), 2)
    half = launch(config("cyclegan", "halves"), 2, stop_at=3)
    assert "stopped at update 3" in (tmp_path / "halves-0.txt").read_text()
    assert distance(straight, half) > 0
    assert sum("/pools/d_a" in name for name in half) == 2 * 3
    assert distance(straight, launch(config("cyclegan", "halves", resume=True), 2)) == 0


@pytest.fixture
def any_precision():
    """Accelerate keeps the precision of a process's first training; here each has its own."""
    yield AcceleratorState._reset_state
    AcceleratorState._reset_state()


def test_penalties_are_in_fp32_whatever_the_precision(config, any_precision):
    """The same discriminator and images: in bf16 the outputs differ, the penalty does not."""
    seen = []
    for precision in ("no", "bf16"):
        any_precision()
        options = config("wgan", precision=precision)
        trainer = Trainer(build(options), options)
        torch.manual_seed(0)
        images = {name: torch.rand(4, 3, 32, 32) * 2 - 1 for name in ("real", "fake")}
        step = trainer.recipe.step(trainer.nets, images)
        (game,) = trainer.recipe.games
        step.enter(trainer.recipe.phases[1])
        losses = trainer.recipe.discriminator_losses(step, game, update=0)
        seen.append((losses["d"], losses["d_penalty"]))
    (output, penalty), (rough, same) = seen
    assert not torch.equal(output, rough)
    assert rough.dtype == torch.float32
    assert torch.equal(penalty, same)


@pytest.mark.slow
def test_compiled_networks_train_alike(config, monkeypatch):
    """With a penalty, which takes second derivatives. By the back end that needs no compiler."""
    monkeypatch.setattr(torch.nn.Module, "compile", partialmethod(torch.nn.Module.compile, backend="aot_eager"))
    weights = []
    for compiled in (False, True):
        options = config("wgan", compile=compiled)
        trainer = Trainer(build(options), options)
        assert all((net._compiled_call_impl is not None) == compiled for net in trainer.nets.values())
        batches = trainer.batches()
        for _ in range(2):
            trainer.train_one([next(batches)])
        weights.append(flat({name: net.state_dict() for name, net in trainer.nets.items()}))
    assert distance(*weights) < 1e-4  # the same names too
