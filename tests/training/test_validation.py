"""The weights with the best score ship; patience ends a training; both survive a stop. And what the scorers measure."""

import copy
import dataclasses
import json
import re
import signal
from collections.abc import Iterable
from functools import partial
from itertools import repeat
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from styletransfer.models.features import FeaturePyramid
from tests.tiny_presets import CONFIGS, TINY
from tests.training.conftest import save_picture
from tests.training.test_resume import assert_same
from training.data.folders import folders_of, held_out, held_paintings, scored_on
from training.data.streams import labelled, pairs
from training.data.streams import pictures as pictures_of
from training.engine.curves import draw
from training.engine.preset import Preset
from training.engine.recipe import Recipe, Term
from training.engine.trainer import Trainer
from training.engine.validation import Validation
from training.evaluate.held_out import AgainstCrowd, AgainstTruth, Held, by_network, without_pairs
from training.evaluate.metrics.truth import color_distance
from training.losses.matching import feature_l1
from training.losses.neighbors import nearest_neighbor_distance
from training.options import Data, Labelled, Pairs, Pictures, Run, Unpaired
from training.presets import build
from training.presets.cut import Cut
from training.presets.stargan import InTurn, Stargan
from training.presets.stargan import scorer as stargan_scorer
from training.presets.superres import on_features
from training.steps.painting import Painting


@pytest.fixture
def config(tmp_path: Path, pictures: Path) -> Run:
    run = {"device": "cpu", "precision": "no", "tracker": "none", "log_every": 2, "save_every": 4, "validate_every": 2}
    return CONFIGS["pix2pix"](pictures, batch=2, updates=8, out=tmp_path / "run", **run)


def scored(config: Run, scores: list[float]) -> Preset:
    """pix2pix with a scorer that has its scores from a list, of the untrained networks first."""
    given = iter(scores)
    return dataclasses.replace(build(config), scorer=lambda nets: {"given": next(given)}, export=lambda nets, folder: None)


def remember(trainer: Trainer) -> dict[int, dict[str, Tensor]]:
    """The averaged weights of each update, filled while it trains."""
    seen, train_one = {}, trainer.train_one

    def one(batches):
        losses = train_one(batches)
        seen[trainer.update] = copy.deepcopy(trainer.averages["g"].net.state_dict())
        return losses

    trainer.train_one = one
    return seen


def test_the_best_weights_ship_and_not_the_last(config, monkeypatch, capsys):
    monkeypatch.setattr("training.engine.trainer.draw", draw)  # the curves of a real run
    shipped = {}
    preset = scored(config, [0.1, 0.9, 0.5, 0.8, 0.7])
    preset = dataclasses.replace(preset, export=lambda nets, folder: shipped.update(copy.deepcopy(nets["g"].state_dict())))
    trainer = Trainer(preset, config)
    seen = remember(trainer)
    trainer.train()
    assert_same(dict(shipped), dict(seen[4]))
    assert not torch.equal(next(iter(seen[8].values())), next(iter(seen[4].values())))
    state = torch.load(trainer.state_path, weights_only=True)
    assert_same(dict(state["averages"]["g"]), dict(seen[8]))  # a training that goes on does so from the last
    (told,) = [line for line in capsys.readouterr().out.splitlines() if "ships" in line]
    assert re.findall(r"\d\.?\d*", told) == ["4", "0.5", "4", "8", "0.7"]  # update, score, validations; the last
    history = json.loads((config.out / "history.json").read_text())
    assert [(row["update"], row["given"]) for row in history["scores"]] == [(0, 0.1), (2, 0.9), (4, 0.5), (6, 0.8), (8, 0.7)]
    assert history["chosen"] == 4
    assert [row["update"] for row in history["losses"]] == [1, 2, 4, 6, 8]
    assert "generator/l1" in history["losses"][0]
    with Image.open(config.out / "curves.png") as curves:
        assert curves.format == "PNG" and curves.width > 1000


def test_patience_ends_a_training_also_when_it_is_resumed(config, capsys):
    impatient = dataclasses.replace(config, patience=2, updates=20)
    trainer = Trainer(scored(config, [1, 0.5, 0.3, 0.4, 0.3, 0.1]), impatient)
    trainer.train()
    assert trainer.update == 8
    assert "stopped at update 8" in capsys.readouterr().out
    again = Trainer(scored(config, []), dataclasses.replace(impatient, resume=True))
    again.train()
    assert again.update == 8
    patient = Trainer(scored(config, [0.35, 0.2] + [0.3] * 4), dataclasses.replace(impatient, resume=True, patience=4))
    patient.train()
    assert (patient.update, patient.validation.chosen) == (20, 12)


def test_a_stop_between_changes_nothing(config):
    """Of what is validated, of the choice, of the weights that ship."""
    config = dataclasses.replace(config, updates=10, validate_every=3)
    straight = Trainer(build(config), config)
    straight.train()
    halves = dataclasses.replace(config, out=config.out.with_name("halves"))
    first = Trainer(build(config), halves)
    report = first.report

    def interrupt(losses, bar):
        report(losses, bar)
        if first.update == 5:
            signal.raise_signal(signal.SIGINT)

    first.report = interrupt
    first.train()
    assert (halves.out / "pipeline" / "model_index.json").is_file()  # Ctrl-C keeps everything
    torch.manual_seed(99)
    second = Trainer(build(config), dataclasses.replace(halves, resume=True))
    second.train()
    states = [torch.load(run.out / "state.pt", weights_only=True) for run in (config, halves)]
    assert all(state.pop("seconds") > 0 for state in states)
    assert states[0]["validation"]["best"]["weights"]["g"]
    assert_same(*states)
    one, other = (json.loads((run.out / "history.json").read_text())["scores"] for run in (config, halves))
    assert [row["update"] for row in one] == [0, 3, 6, 9, 10]
    assert [row | {"seconds": 0} for row in one] == [row | {"seconds": 0} for row in other]


def test_what_was_logged_after_the_last_save_is_told_again(config):
    trainer = Trainer(scored(config, [1.0] * 5), dataclasses.replace(config, updates=5, save_every=100))
    trainer.train()
    history = json.loads((config.out / "history.json").read_text())
    (config.out / "history.json").write_text(json.dumps(history | {"losses": [*history["losses"], {"update": 6, "lost": 1.0}]}))
    again = Trainer(scored(config, [0.5] * 5), dataclasses.replace(config, resume=True))
    again.train()
    rows = json.loads((config.out / "history.json").read_text())["losses"]
    assert [row["update"] for row in rows] == [1, 2, 4, 6, 8] and not any("lost" in row for row in rows)


def validation(scores: Iterable[float], *parts: tuple[float, float], **options) -> Validation:
    """Of a recipe that is complete when the last of `parts` has begun."""
    scores, terms = iter(scores), tuple(Term("t", torch.mean, (), during=part) for part in parts)
    recipe = Recipe(step=None, phases=(), terms=terms)
    preset = Preset({}, recipe, None, {}, (), None, scorer=lambda nets: {"score": next(scores)})
    return Validation(preset, Run(**options))


def validated(updates: int, every: int | None = None) -> list[int]:
    each = validation(repeat(1.0), updates=updates, validate_every=every)
    return [u for u in range(1, updates + 1) if each.due(u, u / updates) and each.score(u, u / updates, {})]


def test_when_it_validates():
    assert validated(5000) == list(range(500, 5001, 500))
    assert validated(500) == [100, 200, 300, 400, 500]
    assert validated(150) == [100, 150]  # always the last
    assert validated(60) == []  # too few to choose from
    assert validated(1000, every=300) == [300, 600, 900, 1000]
    assert validated(1000, every=0) == []


def test_weights_of_an_incomplete_recipe_never_ship():
    growing = validation([0.1, 0.2, 0.9, 0.8], (0.0, 1.0), (0.6, 1.0), updates=4)
    for update in range(1, 5):
        growing.score(update, update / 4, {"g": nn.Linear(1, 1)})
    assert growing.chosen == 4


def test_no_number_is_never_the_best():
    broken = validation([float("nan"), 0.5, float("nan")], updates=4)
    for update in (1, 2, 3):
        broken.score(update, update / 4, {"g": nn.Linear(1, 1)})
    assert broken.chosen == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validate_every": -1}, "--validate-every cannot be negative, got -1"),
        ({"patience": -2}, "--patience cannot be negative, got -2"),
        ({"patience": 2, "validate_every": 0}, "--patience counts validations"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        Run(updates=1, **options)


def test_without_a_scorer_there_is_nothing_to_validate(config):
    with pytest.raises(ValueError, match="no score to validate by"):
        Trainer(dataclasses.replace(build(config), scorer=None), config)


# --- held out, and said so only then ---


def folder_of(path: Path, count: int) -> Path:
    for number in range(count):
        save_picture(path / f"{number}.png", number)
    return path


@pytest.mark.parametrize(
    ("photos", "paintings", "words"), [(10, 10, "held-out data"), (10, 9, "partly held-out data"), (9, 9, "training data")]
)
def test_scores_are_called_held_out_only_if_they_are(photos, paintings, words, tmp_path, capsys):
    a, b = folder_of(tmp_path / "a", photos), folder_of(tmp_path / "b", paintings)
    run = {"device": "cpu", "precision": "no", "tracker": "none", "updates": 1, "validate_every": 1, "out": tmp_path / "run"}
    config = Cut(**TINY["cut"] | {"data": Unpaired(a=a, b=b, crop=32)}, **run)
    trainer = Trainer(build(config), config)
    trainer.train()
    assert trainer.preset.scored_on == words
    assert json.loads((config.out / "history.json").read_text())["scored_on"] == words
    card, said = (config.out / "pipeline" / "README.md").read_text(), capsys.readouterr().out
    assert f" on {words}, the best" in card and f" on {words}, the only" in said
    if words != "held-out data":
        everything = card.replace(words, "") + said.replace(words, "")
        assert not re.search(r"held.?out|not trained on", everything, re.IGNORECASE)


@pytest.mark.parametrize("name", CONFIGS)
def test_pictures_that_are_scored_on_are_in_no_training_sample_if_they_are_held_out(name, pictures, tmp_path):
    """Of drawn scenes they are; the painter's folders in these tests hold four pictures, and `few` has but one."""
    preset = build(CONFIGS[name](pictures, updates=2, device="cpu", tracker="none", out=tmp_path))
    wanted = {"painter": "training data", "few": "other crops of the training data"}.get(name, "held-out data")
    assert preset.scored_on == wanted


def test_which_folders_a_training_parts(tmp_path):
    photos, few, many = (folder_of(tmp_path / name, count) for name, count in (("photos", 10), ("p/few", 2), ("p/many", 10)))
    data = Data(photos=photos, paintings=tmp_path / "p")
    assert folders_of(data) == [photos, few, many] and scored_on(folders_of(data)) == "partly held-out data"
    assert held_paintings(tmp_path / "p") == [many / "9.png"]
    assert held_out(few) == [] and held_out(photos) == [photos / "9.png"]
    assert folders_of(Labelled(folder=tmp_path / "p")) == [few, many]
    assert folders_of(Unpaired(a=photos, world="ink")) == [photos]
    assert folders_of(Pictures(world="ink")) == [] and scored_on([]) == "held-out data"  # drawn scenes


# --- scorers ---


class Oracle(nn.Module):
    """Does `what` to pictures."""

    def __init__(self, what):
        super().__init__()
        self.what, self.weight = what, nn.Parameter(torch.zeros(1))

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.what(*inputs)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_preset_is_scored_the_same_each_time(name, pictures, tmp_path):
    preset = build(CONFIGS[name](pictures, updates=2, device="cpu", tracker="none", out=tmp_path))
    nets = {net: preset.nets[net].eval() for net in preset.averaged}
    before = torch.random.get_rng_state()
    scores = preset.scorer(nets)
    torch.manual_seed(99)
    assert preset.scorer(nets) == scores
    assert all(0 < score < float("inf") for score in scores.values())
    with torch.no_grad():
        for net in nets.values():
            for parameter in net.parameters():
                parameter.mul_(1.5)
    assert preset.scorer(nets) != scores
    torch.random.set_rng_state(before)


def test_color_distance_by_hand():
    result, truth = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4, 4)
    truth[0] += 1
    truth[1, 0] -= 0.5
    assert color_distance(result, truth).tolist() == pytest.approx([0.5, 0.25 / 3])


def test_the_truth_scores_zero_and_a_copy_does_not():
    held = Held(partial(pairs, Pairs(world="palette", crop=32), 0, "held"), 10)
    truths = iter(held["target"].split(8))
    assert AgainstTruth(held, by_network("g"))({"g": Oracle(lambda image: next(truths))}) == {"color_distance": 0.0}
    copy_distance = AgainstTruth(held, by_network("g"))({"g": Oracle(lambda image: image)})["color_distance"]
    slow = sum((sample["source"] - sample["target"]).abs().mean().item() for sample in held.samples) / 10 / 2
    assert copy_distance == pytest.approx(slow, rel=1e-5) and slow > 0.05


def test_folders_are_scored_by_other_pictures_of_the_target(pictures):
    """Drawn in its colours, results are nearer to it than the photo is."""
    config = Unpaired(a=pictures / "photos", b=pictures / "paintings" / "dots", crop=48)
    scorer = without_pairs(config, 0, lambda source, _: by_network("g", source))
    assert isinstance(scorer, AgainstCrowd)
    real = scorer.held["b"]
    others = iter(real.flip(0).split(8))
    perfect = scorer({"g": Oracle(lambda image: next(others))})["sliced_wasserstein"]
    assert perfect < 0.5 * scorer({"g": Oracle(lambda image: image)})["sliced_wasserstein"]


def test_stargan_by_domains(pictures):
    """In each domain for itself: a copy of the picture is in the wrong one."""
    folder = Labelled(folder=pictures / "paintings", crop=48)
    scorer = stargan_scorer(folder, seed=0, domains=2)
    stream = labelled(folder, 0, "held")

    def right(image: Tensor, target: Tensor) -> Tensor:
        options = [[sample["image"] for sample in map(stream.__getitem__, range(60)) if sample["label"] == d] for d in (0, 1)]
        return torch.stack([options[int(kind)][number] for number, kind in enumerate(target)])

    copied = scorer({"g": Oracle(lambda image, target: image)})["sliced_wasserstein"]
    assert scorer({"g": Oracle(right)})["sliced_wasserstein"] < copied
    worlds = stargan_scorer(Labelled(worlds=("palette", "ink"), crop=32), seed=0, domains=3)
    assert set(worlds.held["label"].tolist()) == {1, 2}
    for name, label in (("palette", 1), ("ink", 2)):
        stream = pairs(Pairs(world=name, crop=32), 0, "held")
        truths = worlds.held["target"][worlds.held["label"] == label]
        assert torch.equal(truths[0], stream[0]["target"])


def test_restored_pictures_that_are_the_pictures_score_zero():
    held = Held(lambda: pictures_of(Pictures(crop=64), 0, "held"), 9)
    features = FeaturePyramid(layers=(1, 4), weights="random")
    distances = {"feature_distance": on_features(features, feature_l1), "color_distance": color_distance}
    exact = AgainstTruth(held, lambda nets, batch: batch["real"], "real", distances)
    assert exact({"g": Oracle(None)}) == {"feature_distance": 0, "color_distance": 0}
    darker = AgainstTruth(held, lambda nets, batch: batch["real"] * 0.5, "real", distances)({"g": Oracle(None)})
    slow = [sample["real"].abs().mean().item() / 4 for sample in held.samples]
    assert darker["color_distance"] == pytest.approx(sum(slow) / 9, rel=1e-5)  # the last one is a batch of its own
    assert darker["feature_distance"] > 0


def test_a_painter_that_paints_nothing(pictures, tmp_path):
    """Keeps all of the content, and its style is that of the recoloured photo."""
    preset = build(CONFIGS["painter"](pictures, updates=2, device="cpu", tracker="none", out=tmp_path))
    scorer = dataclasses.replace(preset.scorer, held=dataclasses.replace(preset.scorer.held, count=4))
    scores = scorer({"stylizer": Oracle(lambda photo, code: photo), "encoder": Oracle(lambda painting: painting.mean((2, 3)))})
    recolored, painting = (scorer.features(scorer.held[name]) for name in ("recolored", "painting"))
    style = nearest_neighbor_distance(recolored, {layer: painting[layer] for layer in Painting.style_layers}).item()
    assert scores["content_distance"] == pytest.approx(0, abs=1e-6)
    assert scores["neighbor_distance"] == pytest.approx(style, rel=1e-4)
    assert scores["style_and_content"] == pytest.approx(20 * style / 30, rel=1e-4)  # the painter's weights


def test_in_turn():
    turns = InTurn(([{"x": 1}, {"x": 2}], [{"x": 3}, {"x": 4}]), first=5)
    assert [(turns[i]["x"], turns[i]["label"].item()) for i in range(4)] == [(1, 5), (3, 6), (2, 5), (4, 6)]


def test_the_command_line_knows_the_options():
    import tyro

    parsed = tyro.cli(Stargan, args=["--updates", "5", "--validate-every", "3", "--patience", "2"])
    assert (parsed.validate_every, parsed.patience) == (3, 2)
    assert tyro.cli(Stargan, args=["--updates", "5"]).validate_every is None
