"""The benchmarks compare what they say, and the README shows what they measured."""

import json

import pytest
import torch

from benchmarks import games, inference, learning
from styletransfer.models.transformer_net import TransformerNet
from training.engine.preset import Preset
from training.engine.recipe import Phase, Recipe
from training.losses.lipschitz import GradientNorm, SpectralNorm
from training.presets import PRESETS
from training.presets.painter import game
from training.steps.painting import Painting


def test_peers_have_their_published_sizes():
    with torch.device("meta"):
        # the published 1,679,235 less the 1,600 biases before instance norms, which do nothing
        assert sum(parameter.numel() for parameter in TransformerNet().parameters()) == 1_677_635
        assert sum(parameter.numel() for parameter in inference.NETWORKS["CycleGAN ResNet-9"]().parameters()) // 10_000 == 1137
    assert TransformerNet()(torch.zeros(1, 3, 32, 48)).shape == (1, 3, 32, 48)


def test_table_divides_by_our_own_numbers():
    rows = [("StyleGenerator", 20.0, 10.0), ("TransformerNet", 110.0, 45.0)]
    results = [{"size": 64, "network": name, "milliseconds": time, "peak_mib": peak} for name, time, peak in rows]
    assert inference.table(results).splitlines()[-1] == "| 64 | TransformerNet | 110 | 5.5 | 45 | 4.5 |"


def test_every_network_is_timed():
    assert inference.milliseconds(32, repeats=1).keys() == inference.NETWORKS.keys()


def test_every_preset_has_a_task():
    assert learning.TASKS.keys() | {"painter"} == PRESETS.keys()


def test_the_gap_is_closed_from_the_anchor_to_the_truth():
    assert learning.closed("pix2pix", {"copy": 0.4, "before": 0.5, "after": 0.1}) == pytest.approx(0.75)
    assert learning.closed("dcgan", {"copy": 20.0, "before": 120.0, "after": 45.0}) == pytest.approx(0.75)


def test_the_truth_itself_scores_nothing_and_a_copy_the_anchor():
    config = PRESETS["pix2pix"](**learning.TASKS["pix2pix"].options, updates=1)
    pairs = learning.held_pairs(config)[None]
    truths = [pair["target"] for pair in pairs]
    assert learning.distance([(truth + 1) / 2 for truth in truths], truths) == pytest.approx(0, abs=1e-7)
    assert learning.copied(config) > 0.1


def test_the_readme_shows_the_scores_that_were_measured():
    rows = json.loads(learning.RESULTS.read_text())["presets"]
    assert list(rows) == list(learning.TASKS)
    assert learning.table(rows) in (learning.RESULTS.parents[2] / "README.md").read_text()


def test_each_game_is_put_into_the_painter():
    phases = (Phase("generator", ("stylizer",)), Phase("discriminator", ("discriminator",)))
    preset = Preset({}, Recipe(Painting, phases, (game(2.0),)), [], {}, (), lambda nets, folder: None)
    recipes = {name: games.with_game(preset, name).recipe for name in games.COMPARED}
    assert recipes["none"].games == () and recipes["none"].phases == phases[:1]
    played = {name: recipe.games[0] for name, recipe in recipes.items() if recipe.games}
    assert {name: one.loss.name for name, one in played.items()} == {name: name for name in played}
    assert all(one.weight == 2.0 and one.emphasis == "strength" for one in played.values())
    kinds = {name: type(one.lipschitz) for name, one in played.items()}
    assert kinds == {"hinge": SpectralNorm, "lsgan": SpectralNorm, "relativistic": GradientNorm}
