"""The benchmarks compare what they say, and their tables show what they measured."""

import json

import pytest
import torch

from benchmarks import games, inference, learning, tables
from styletransfer import load_pipeline
from styletransfer.models.transformer_net import TransformerNet
from tests.tiny_presets import CONFIGS
from training.engine.preset import Preset
from training.engine.recipe import Phase, Recipe
from training.losses.lipschitz import GradientNorm, SpectralNorm
from training.options import Features
from training.presets import PRESETS, build
from training.presets.painter import game
from training.steps.painting import Painting

MEASURED = json.loads(learning.RESULTS.read_text())["presets"]


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
    task = learning.TASKS["pix2pix"]
    scorer = build(PRESETS["pix2pix"](**task.options, updates=1)).scorer
    assert learning.score(scorer, task.count, lambda nets, batch: batch["target"]) == pytest.approx(0, abs=1e-7)
    assert learning.score(scorer, task.count, task.copy(scorer)) == pytest.approx(MEASURED["pix2pix"]["copy"], rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan", "superres", "stargan", "reference"])
def test_packages_are_scored_as_they_were(name, tmp_path):
    """Of noise, enlargements, several domains and a painter: the anchor is that of the results, and the package is scored."""
    task = learning.TASKS[name]
    more = {"features": Features(weights="random")} if name in ("superres", "reference") else {}
    preset = build(PRESETS[name](**task.options, **more, updates=1, device="cpu"))
    preset.export({net: preset.nets[net] for net in preset.averaged}, tmp_path / "pipeline")
    assert learning.score(preset.scorer, task.count, task.copy(preset.scorer)) == pytest.approx(MEASURED[name]["copy"], rel=1e-3)
    score = learning.score(preset.scorer, 9, task.by_package(load_pipeline(tmp_path / "pipeline")))
    assert 0 < score < float("inf")


@pytest.mark.parametrize("name", ["cut", "stargan"])
def test_a_package_of_one_look_or_of_domains_is_scored(name, tmp_path):
    preset = build(CONFIGS[name](None, updates=1))
    preset.export({net: preset.nets[net] for net in preset.averaged}, tmp_path / "package")
    assert 0.05 < learning.score(preset.scorer, 2, learning.translated(load_pipeline(tmp_path / "package"))) < 0.95


def test_every_task_was_measured():
    assert list(json.loads(learning.RESULTS.read_text())["presets"]) == list(learning.TASKS)


def test_tables_are_put_between_their_marks(monkeypatch, tmp_path):
    found = {"machine": {"cpu": "x", "threads": 2, "torch": "3", "repeats": 1}}
    found["results"] = [{"megapixels": 12.0, "network": "painter", "seconds": 3.456, "peak_mib": 700.2}]
    (tmp_path / "megapixels.json").write_text(json.dumps(found))
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    new = tables.refreshed("Before.\n\n<!-- table: megapixels -->\n\n| old |\n\n<!-- end -->\n\nAfter.\n")
    assert new.startswith("Before.\n\n<!-- table: megapixels -->\n\n") and new.endswith("\n\n<!-- end -->\n\nAfter.\n")
    assert "| 12 | painter | 3.46 | 700 |" in new and "old" not in new
    assert tables.refreshed(new) == new
    with pytest.raises(KeyError, match="unknown"):
        tables.refreshed("<!-- table: unknown -->\n<!-- end -->\n")


def test_only_styles_with_another_painting_of_their_artist_are_compared():
    row = {"metric": "style_cosine", "name": "Style", "low": 0.0, "high": 1.0, "better": "higher", "samples": 12}
    rows = [
        row | {"style": "a", "value": 0.5, "anchors": {"photo": 0.0, "another painting": 0.25}},
        row | {"style": "b", "value": 0.9, "anchors": {"photo": 0.0, "another painting": None}},
    ]
    rows += [one | {"metric": metric} for metric in ("style_top5", "content_cosine") for one in rows[:2]]
    assert "the results have a mean style of 0.50, those paintings of 0.25" in tables.quality({"scores": rows})
    assert "mean style" not in tables.quality({"scores": [one for one in rows if one["style"] == "b"]})


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
