"""The comparison of objectives and Lipschitz methods: what it counts, and that every kind of run goes through."""

import dataclasses
import json
from typing import get_args

import pytest
import torch

from benchmarks import modes
from training.options import Loss, Smoothness


def test_coverage_by_hand():
    centres = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    points = torch.cat(
        [
            torch.tensor([[0.1, 0.0]]).expand(60, 2),  # good: two deviations off
            torch.tensor([[2.0, 0.0]]).expand(9, 2),  # good; the fair share is 25, a tenth of it 2.5
            torch.tensor([[0.0, 2.0]]).expand(2, 2),  # good, but too few to cover the mode
            torch.tensor([[2.0, 1.8]]).expand(29, 2),  # four deviations off
        ]
    )
    assert modes.coverage(points, centres) == {"modes": 2, "good": pytest.approx(0.71)}


@pytest.mark.parametrize("task", modes.CENTRES)
def test_the_data_covers_all_modes(task):
    data = modes.Gaussians(modes.CENTRES[task])
    assert data[3]["block"].equal(data[3]["block"]) and not data[3]["block"].equal(data[4]["block"])
    points = torch.cat([data[position]["block"] for position in range(10)])
    score = modes.coverage(points, modes.CENTRES[task])
    assert score["modes"] == int(task)
    assert score["good"] == pytest.approx(1 - 2.718281828**-4.5, abs=0.01)  # a Gaussian in the plane within three deviations


def test_the_way_by_hand():
    noise, real = {32: 1000.0, 16: 100.0}, {32: 10.0, 16: 1.0}
    assert modes.way(real, noise, real) == pytest.approx(1) and modes.way(noise, noise, real) == 0
    assert modes.way({32: 100.0, 16: 1.0}, noise, real) == pytest.approx(0.75)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(modes, "PICTURES", 16)
    monkeypatch.setattr(modes, "IMAGE", modes.IMAGE | {"width": 4, "batch": 4})
    yield
    modes.scenes.cache_clear()
    modes.anchors.cache_clear()


@pytest.mark.parametrize("name", ["8/hinge/clip", "25/relativistic/r1r2", "images/wasserstein/gp"])
def test_runs(small, name):
    task, *_ = name.split("/")
    result = modes.train(*name.split("/"), minutes=0.005)
    assert result["updates"] > 0
    if task in modes.CENTRES:
        assert 0 <= result["modes"] <= int(task) and 0 <= result["good"] <= 1
    else:
        assert result["swd"].keys() == {32, 16} and result["way"] < 1


def test_a_run_that_breaks_says_so(monkeypatch):
    preset = modes.point_preset("8", "logistic", "none")
    torch.nn.init.constant_(preset.nets["d"].layers[0].weight, float("nan"))
    sound = dataclasses.replace(preset.recipe, games=())  # the check before the first update would see it too
    monkeypatch.setattr(type(sound), "check", lambda *_: None)
    monkeypatch.setattr(modes, "point_preset", lambda *_: preset)
    result = modes.train("8", "logistic", "none", minutes=0.01)
    assert "NaN" in result["broke"] and modes.cell("8", result) == "NaN"


def test_every_combination_has_a_preset():
    assert set(modes.POINT_LIPSCHITZ) == set(get_args(Smoothness))
    assert set(modes.GAMES) == set(get_args(Loss))


def test_the_table_by_hand():
    results = {"8/hinge/gp": {"modes": 7}, "25/hinge/gp": {"broke": "NaN"}, "images/hinge/gp": {"way": 0.523}}
    lines = modes.table(results).splitlines()
    assert lines[0] == "| objective | none | clip | gp | spectral | r1 | r2 | r1r2 |"
    assert "| hinge | - · - · - | - · - · - | 7 · NaN · 52% | - · - · - |" in lines[4]


def test_every_combination_was_measured():
    assert len(json.loads(modes.RESULTS.read_text())) == 105
