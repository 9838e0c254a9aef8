"""The training loop: exact resume, frozen players, accumulation, budgets, what a run leaves behind."""

import copy
import dataclasses
import signal

import pytest
import torch

from training.engine.state import read_state
from training.engine.trainer import Trainer, training_only
from training.losses.adversarial import LSGAN
from training.losses.lipschitz import Lipschitz


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {f"{name}.{key}": value for name, net in trainer.nets.items() for key, value in net.state_dict().items()}


def assert_equal(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def run(preset, config) -> Trainer:
    trainer = Trainer(copy.deepcopy(preset), config)
    trainer.train()
    return trainer


def test_resume_is_exact(tiny_painter, config, tmp_path):
    straight = run(tiny_painter, dataclasses.replace(config, updates=8, out=tmp_path / "straight"))

    halves = dataclasses.replace(config, updates=8, out=tmp_path / "halves", save_every=4)
    first = Trainer(copy.deepcopy(tiny_painter), halves)
    report = first.report

    def interrupt(losses, bar):
        report(losses, bar)
        if first.update == 4:
            signal.raise_signal(signal.SIGINT)

    first.report = interrupt
    first.train()  # a Ctrl-C is no error: it saves
    assert first.update == 4
    torch.manual_seed(99)  # what happened in between must not matter
    second = run(tiny_painter, dataclasses.replace(halves, resume=True))
    assert second.update == 8
    assert_equal(weights(straight), weights(second))
    for name, average in straight.averages.items():
        assert_equal(average.net.state_dict(), second.averages[name].net.state_dict())


def test_every_player_learns_everywhere_and_the_frozen_stay(tiny_painter, config):
    # the hinge gives a bias no gradient at first
    games = tuple(dataclasses.replace(game, loss=LSGAN) for game in tiny_painter.recipe.games)
    preset = dataclasses.replace(tiny_painter, recipe=dataclasses.replace(tiny_painter.recipe, games=games))
    trainer = Trainer(preset, config)
    parameters = {f"{name}.{key}": p for name, net in trainer.nets.items() for key, p in net.named_parameters()}
    before = {name: parameter.clone() for name, parameter in parameters.items()}
    trainer.train_one([next(trainer.batches())])
    moved = {name for name, parameter in parameters.items() if not torch.equal(parameter, before[name])}
    assert {name for name in parameters if name not in moved} == {name for name in parameters if name.startswith("features.")}


def test_generator_phase_leaves_no_gradient_in_the_discriminator(tiny_painter, config):
    trainer = Trainer(tiny_painter, config)
    step = trainer.recipe.step(trainer.nets, next(trainer.batches()))
    generator, discriminator = trainer.recipe.phases
    with training_only(trainer.nets, generator.players):
        sum(trainer.recipe.losses(step, generator).values()).backward()
    assert all(p.grad is None for p in trainer.nets["discriminator"].parameters())
    trainer.optimizers["generator"].zero_grad()
    with training_only(trainer.nets, discriminator.players):
        sum(trainer.recipe.losses(step, discriminator).values()).backward()
    # the fake is detached for the discriminator: its step reaches no generator
    assert all(p.grad is None for p in trainer.nets["stylizer"].parameters())
    assert all(p.grad is not None for p in trainer.nets["discriminator"].parameters() if p.requires_grad)


def test_accumulation_gives_the_same_update(tiny_painter, config):
    # the same strengths in both: they are drawn once for each part of the batch otherwise
    step = type("Full", (tiny_painter.recipe.step,), {"strength": property(lambda self: torch.ones(len(self["photo"])))})
    # the palette draws random directions, and codes are kept apart within a part
    terms = tuple(term for term in tiny_painter.recipe.terms if term.name not in ("palette", "apart"))
    # spectral normalisation takes one power iteration for each forward
    games = tuple(dataclasses.replace(game, loss=LSGAN, lipschitz=Lipschitz()) for game in tiny_painter.recipe.games)
    recipe = dataclasses.replace(tiny_painter.recipe, step=step, terms=terms, games=games)
    preset = dataclasses.replace(tiny_painter, recipe=recipe)
    preset.nets["stylizer"].eval()  # noise that moves does so for each part
    config = dataclasses.replace(config, batch=4)

    def after_one_update(accumulate: int) -> dict[str, torch.Tensor]:
        trainer = Trainer(copy.deepcopy(preset), dataclasses.replace(config, accumulate=accumulate))
        for phase in recipe.phases:  # plain gradient descent: Adam would turn rounding errors into whole steps
            players = [p for name in phase.players for p in trainer.nets[name].parameters()]
            trainer.optimizers[phase.name] = torch.optim.SGD([{"params": players, "net": phase.players[0]}])
        batches = trainer.batches()
        trainer.train_one([next(batches) for _ in range(accumulate)])
        return weights(trainer)

    whole, parts, before = after_one_update(1), after_one_update(2), weights(Trainer(copy.deepcopy(preset), config))
    for name, value in whole.items():
        torch.testing.assert_close(parts[name] - before[name], value - before[name], rtol=1e-3, atol=1e-6)
    assert any(not torch.equal(value, before[name]) for name, value in whole.items())


def test_budget_in_minutes_ends(tiny_painter, config):
    trainer = run(tiny_painter, dataclasses.replace(config, updates=None, minutes=0.02))
    assert trainer.update > 0
    assert trainer.seconds >= 1.2


def test_the_rates_of_each_network_fall_to_zero(tiny_painter, config):
    trainer = Trainer(tiny_painter, dataclasses.replace(config, updates=4))
    batches, rates = trainer.batches(), []
    for _ in range(4):
        trainer.train_one([next(batches)])
        groups = [group for optimizer in trainer.optimizers.values() for group in optimizer.param_groups]
        rates.append({group["net"]: group["lr"] for group in groups})
    first = {"stylizer": 1e-3, "encoder": 1e-4, "discriminator": 4e-4}
    assert rates == [pytest.approx({name: rate * part for name, rate in first.items()}) for part in (1, 1, 1, 0.5)]
    assert tiny_painter.rate("generator", "stylizer", 1.0) == 0


def test_a_run_leaves_state_samples_and_package(tiny_painter, config):
    run(tiny_painter, config)
    assert (config.out / "state.pt").is_file()
    assert not list(config.out.glob(".*.part*"))
    assert list((config.out / "samples").glob("*.jpg"))
    assert (config.out / "pipeline" / "stylizer" / "config.json").is_file()


def test_nan_stops_with_a_sentence(tiny_painter, config):
    trainer = Trainer(tiny_painter, config)
    with torch.no_grad():
        next(trainer.nets["stylizer"].parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="must be one finite number"):
        trainer.train()


def test_a_state_with_nan_is_never_saved(tiny_painter, config):
    trainer = Trainer(tiny_painter, dataclasses.replace(config, updates=6, log_every=100, save_every=3))
    train_one = trainer.train_one

    def spoil(batches):
        if trainer.update == 2:
            with torch.no_grad():
                next(trainer.nets["stylizer"].parameters()).fill_(float("nan"))
        return train_one(batches)

    trainer.train_one = spoil
    with pytest.raises(FloatingPointError, match="NaN at update 3"):
        trainer.train()
    assert not trainer.state_path.exists()


def test_nan_after_the_last_log_line_does_not_ship(tiny_painter, config):
    """The last good state stays, and no package is written."""
    trainer = Trainer(tiny_painter, dataclasses.replace(config, updates=5, log_every=100, save_every=3))
    train_one = trainer.train_one

    def spoil(batches):
        losses = train_one(batches)
        if trainer.update == 5:
            with torch.no_grad():
                next(trainer.nets["stylizer"].parameters()).fill_(float("nan"))
        return losses

    trainer.train_one = spoil
    with pytest.raises(FloatingPointError, match="stylizer at update 5; the last good state is in"):
        trainer.train()
    assert read_state(trainer.state_path)["update"] == 3 and not (config.out / "pipeline").exists()


def test_looking_changes_nothing(tiny_painter, config, tmp_path):
    often, seldom = (
        run(tiny_painter, dataclasses.replace(config, out=tmp_path / str(every), log_every=every)) for every in (1, 1000)
    )
    assert_equal(weights(often), weights(seldom))
