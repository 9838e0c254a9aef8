"""What every preset must do, whatever paper it is. The tiny trainings come from tests/tiny_presets.py."""

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from styletransfer import load_pipeline
from tests.tiny_presets import CONFIGS
from tests.training.conftest import save_pictures
from training.engine.preset import Preset
from training.engine.recipe import Term
from training.engine.trainer import Trainer, training_only
from training.options import Run
from training.presets import PRESETS, build


@pytest.fixture(scope="module", params=PRESETS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Preset]:
    """Each preset once for all tests, whose trainings have copies of its networks."""
    shared = {"device": "cpu", "precision": "no", "tracker": "none"}
    pictures = save_pictures(tmp_path_factory.mktemp("data"))
    config = CONFIGS[request.param](pictures, batch=2, updates=2, log_every=1, **shared)
    torch.manual_seed(0)
    return config, build(config)


@pytest.fixture
def config(built: tuple[Run, Preset], tmp_path: Path) -> Run:
    return dataclasses.replace(built[0], out=tmp_path / "run")


@pytest.fixture
def start(built: tuple[Run, Preset], config: Run) -> Callable[[], Trainer]:
    """A trainer as a run begins it, the same at each call."""
    preset = built[1]

    def begin() -> Trainer:
        nets = copy.deepcopy(preset.nets)
        torch.manual_seed(0)
        trainer = Trainer(dataclasses.replace(preset, nets=nets), config)
        trainer.recipe.check(trainer.nets, trainer.first_batch())
        return trainer

    return begin


@pytest.fixture
def trainer(start: Callable[[], Trainer]) -> Trainer:
    return start()


def update(trainer: Trainer) -> dict[str, Tensor]:
    return trainer.train_one([next(trainer.batches())])


def state(trainer: Trainer) -> dict[str, Tensor]:
    nets = trainer.nets | {f"average of {name}": average.net for name, average in trainer.averages.items()}
    values = {f"{name}.{key}": value.clone() for name, net in nets.items() for key, value in net.state_dict().items()}
    pools = {f"pool {name}.{i}": image for name, pool in trainer.pools.items() for i, image in enumerate(pool.images)}
    return values | pools


def differ(one: dict[str, Tensor], other: dict[str, Tensor]) -> set[str]:
    assert one.keys() == other.keys()
    return {name for name in one if not torch.equal(one[name], other[name])}


def test_two_updates_move_the_players_and_no_one_else(trainer):
    parameters = {f"{name}.{key}": p for name, net in trainer.nets.items() for key, p in net.named_parameters()}
    before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    logged = update(trainer) | update(trainer)
    assert all(value.isfinite() for value in logged.values()), logged
    moved = {name.split(".")[0] for name in differ(before, parameters)}
    assert moved == {name for phase in trainer.recipe.phases for name in phase.players}
    assert {"generator", "discriminator"} <= {name.split("/")[0] for name in logged}


def test_phases_keep_to_their_players(trainer):
    """Nothing of the generator's phase reaches a discriminator, and the fakes are detached in the discriminator's."""
    step = trainer.recipe.step(trainer.nets, next(trainer.batches()), progress=1.0, pools=trainer.pools)
    assert [phase.name for phase in trainer.recipe.phases] == ["generator", "discriminator"]
    for phase in trainer.recipe.phases:
        with training_only(trainer.nets, phase.players):
            sum(trainer.recipe.losses(step, phase).values()).backward()
        reached = {name for name, net in trainer.nets.items() if any(p.grad is not None for p in net.parameters())}
        assert reached == set(phase.players), phase.name
        trainer.optimizers[phase.name].zero_grad()


def test_one_and_one_update_with_a_stop_between_are_two(start, config):
    straight, first = start(), start()
    update(straight)
    update(straight)
    update(first)
    config.out.mkdir()
    first.save()
    second = start()
    second.load()
    torch.manual_seed(99)  # what happened in between must not matter
    before = state(second)
    update(second)
    assert differ(state(straight), state(second)) == set()
    assert any(not torch.equal(value, before[name]) for name, value in state(second).items() if name in before)


def test_a_misspelt_name_fails_at_the_start(trainer):
    recipe, batch = trainer.recipe, trainer.first_batch()
    faults = [{"terms": (*recipe.terms, Term("typo", torch.mean, ("faek",)))}]
    faults += [
        {"games": tuple(dataclasses.replace(game, **{role: f"{getattr(game, role)}_"}) for game in recipe.games)}
        for role in ("real", "fake", "discriminator")
    ]
    for fault in faults:
        with pytest.raises((KeyError, ValueError), match=r"_'|faek"):
            dataclasses.replace(recipe, **fault).check(trainer.nets, batch)


def test_a_run_leaves_samples_and_a_package_that_opens(trainer, config):
    trainer.train()
    assert list((config.out / "samples").glob("*.jpg"))
    folder = config.out / "pipeline"
    assert (folder / "README.md").read_text().startswith("---")
    pipeline = load_pipeline(folder)
    parts = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    averages = [average.net for average in trainer.averages.values()]
    assert len(parts) == len(averages)
    for part in parts:  # the package holds the averaged networks
        (net,) = (net for net in averages if type(net) is type(part))
        assert differ(dict(net.state_dict()), dict(part.state_dict())) == set()


def test_every_preset_has_a_row():
    assert CONFIGS.keys() == PRESETS.keys()
