"""The evaluation end to end: a copier, a painter, translators, enlargement, pictures from noise; and what it refuses."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from PIL import Image

from styletransfer import open_image
from styletransfer.models.dcgan_generator import DCGANGenerator
from styletransfer.models.transformer_net import TransformerNet
from styletransfer.models.upscale_generator import UpscaleGenerator
from styletransfer.pipelines.generation import GenerationPipeline
from styletransfer.pipelines.translation import TranslationPipeline
from tests.conftest import picture
from training.__main__ import main
from training.data.folders import picture_files
from training.evaluate import describe, inception, measures, report, scores
from training.evaluate.measures import METRICS
from training.evaluate.metrics.intervals import Interval
from training.evaluate.report import Score
from training.evaluate.scores import score
from training.evaluate.subjects import Subject, evenly, subject
from training.options import Features

RANDOM = Features(weights="random")


@pytest.fixture(autouse=True)
def few_repetitions(monkeypatch):
    monkeypatch.setattr(measures, "DRAWS", 5)
    monkeypatch.setattr(measures, "TESTED", 2)


# --- scores between anchors ---


@pytest.fixture(scope="module")
def held(tmp_path_factory) -> Path:
    """Five photos of all colours, and six red `alpha` and six green `beta` paintings."""
    root = tmp_path_factory.mktemp("held")
    tints = {"photos": None, "paintings/alpha": (200, 30, 20), "paintings/beta": (20, 160, 40)}
    for kind, (folder, tint) in enumerate(tints.items()):
        (root / folder).mkdir(parents=True)
        for i in range(6 if tint else 5):
            image = picture((270, 260), seed=100 * kind + i)
            image = image if tint is None else Image.blend(image, Image.new("RGB", image.size, tint), 0.8)
            image.save(root / folder / f"{i}.jpg", quality=90)
    return root


def translator() -> TranslationPipeline:
    torch.manual_seed(0)
    return TranslationPipeline(TransformerNet(base_channels=4, num_blocks=1).eval())


@pytest.mark.slow
def test_what_does_nothing_scores_as_the_copy_and_other_paintings_score_as_real(held):
    photos = [open_image(path) for path in picture_files(held / "photos")]
    paintings = picture_files(held / "paintings" / "alpha")
    red = [Image.blend(photo, Image.new("RGB", photo.size, (200, 30, 20)), 0.8) for photo in photos]
    names = ("swd", "color", "gram", "pyramid_kernel", "pyramid_frechet", "content", "checkerboard")

    def judge(results: list[Image.Image]) -> dict:
        judged = Subject(photos, photos, {None: paintings}, lambda look: results, "", jpeg=True)
        return {row.metric: row for row in score(translator(), judged, RANDOM, names)[0]}

    copied, painted = judge(photos), judge(red)
    assert copied.keys() == {*names}
    for name, row in copied.items():
        assert row.value == pytest.approx(row.anchors["copy"], rel=1e-5), name
        assert row.low <= row.value <= row.high and row.samples == 5
    for name in ("swd", "color", "gram", "pyramid_kernel", "pyramid_frechet"):
        copy, real = painted[name].anchors["copy"], painted[name].anchors["real"]
        assert real < copy and painted[name].value < (copy + real) / 2, name
    assert copied["content"].value < painted["content"].value < 1.01


@pytest.mark.slow
def test_command_scores_a_painter(held, tiny_package, tmp_path, capsys):
    out = tmp_path / "report.json"
    folders = ["--photos", str(held / "photos"), "--paintings", str(held / "paintings")]
    assert main(["evaluate", str(tiny_package), *folders, "--features.weights", "random", "--json", str(out)]) == 0
    report = json.loads(out.read_text())
    default = {name for name, metric in METRICS.items() if scores.DOWNLOADED.isdisjoint(metric.needs)}
    if not any(row["metric"] == "ssim" for row in report["scores"]):  # torchmetrics is optional
        default -= {"ssim", "psnr"}
    assert {(row["metric"], row["style"]) for row in report["scores"]} == {(m, s) for m in default for s in ("alpha", "beta")}
    for row in report["scores"]:
        keys = {"metric", "name", "style", "value", "low", "high", "anchors", "better", "samples", "note"}
        assert row.keys() == keys and row["anchors"].keys() == {"copy", "real"}
        assert row["low"] <= row["value"] <= row["high"] and row["better"] in ("lower", "higher")
    rows = {(row["metric"], row["style"]): row for row in report["scores"]}
    assert rows["adversarial_gain", "alpha"]["anchors"] == {"copy": pytest.approx(1), "real": None}
    assert any("few pictures" in warning for warning in report["warnings"]) and "half samples" in report["protocol"]
    shown = capsys.readouterr().out
    assert "Gram distance" in shown and "alpha" in shown and "careful: " in shown and max(map(len, shown.splitlines())) < 260


def test_a_translator_of_one_look_takes_a_flat_folder(held):
    pipe = translator()
    judged = subject(pipe, held / "photos", held / "paintings" / "alpha", limit=4)
    rows, _ = score(pipe, judged, RANDOM, ("color", "content", "rise_with_strength"))
    assert [(row.metric, row.style, row.samples) for row in rows] == [
        ("color", None, 4),
        ("content", None, 4),
        ("rise_with_strength", None, 2),
    ]
    assert rows[-1].value == 1  # it fades from the one to the other


def test_a_network_that_enlarges_is_compared_with_what_was_shrunk(held):
    torch.manual_seed(0)
    pipe = TranslationPipeline(UpscaleGenerator(base_channels=4, num_blocks=1, scale=2).eval())
    judged = subject(pipe, held / "photos", None)
    assert {image.size for image in [*judged.copies, *judged.make(None)]} == {(256, 256)}
    rows, _ = score(pipe, judged, RANDOM, ("content", "color"))
    content, color = ({row.metric: row for row in rows}[name] for name in ("content", "color"))
    assert 0 < content.anchors["copy"] < 0.05 < content.anchors["real"]  # bicubic enlargement; another photo
    assert content.value < 0.05 and content.value != content.anchors["copy"]  # the network starts as an enlargement, too
    assert color.anchors["copy"] > 0
    with pytest.raises(ValueError, match="no flicker: a network that enlarges"):
        score(pipe, judged, RANDOM, ("flicker",))


def test_pictures_from_noise_are_compared_at_their_own_size(held):
    torch.manual_seed(0)
    pipe = GenerationPipeline(DCGANGenerator(z_size=8, base_channels=4, image_size=32).eval())
    judged = subject(pipe, None, held / "paintings" / "alpha")
    rows, warnings = score(pipe, judged, RANDOM)
    assert {row.metric for row in rows} == {"swd", "color", "gram", "pyramid_kernel", "pyramid_frechet", "checkerboard"}
    assert judged.side == 32 and "seeds 0 to 5" in judged.protocol and any("few pictures" in text for text in warnings)
    one = next(row for row in rows if row.metric == "swd")
    assert one.anchors["real"] < one.anchors["copy"]  # a single picture again and again is worse than other pictures
    assert one.anchors["real"] < one.value  # noise is worse, too
    with pytest.raises(ValueError, match="no content: pictures from noise have no photo"):
        score(pipe, judged, RANDOM, ("content",))


def test_small_pictures_from_noise_leave_the_feature_networks_out(held):
    pipe = GenerationPipeline(DCGANGenerator(z_size=8, base_channels=4, image_size=16).eval())
    rows, _ = score(pipe, subject(pipe, None, held / "paintings" / "alpha"), RANDOM)
    assert {row.metric for row in rows} == {"swd", "color", "checkerboard"}


# --- what cannot be had ---


def test_without_feature_weights_the_rest_is_measured(held, tiny_pipe, monkeypatch):
    def dead(*_):
        raise OSError("could not download torchvision's squeezenet1_1 weights")

    monkeypatch.setattr(describe, "FeaturePyramid", dead)
    judged = subject(tiny_pipe, held / "photos", held / "paintings", limit=4)
    chosen, extractors, warnings = scores.choose((), tiny_pipe, Features(), judged)
    assert {"swd", "color", "checkerboard"} <= {*chosen} and not {"gram", "content"} & {*chosen} and len(extractors) == 1
    assert any(text.startswith("no gram, pyramid_kernel, pyramid_frechet, content: could not download") for text in warnings)
    with pytest.raises(OSError, match="could not download"):
        scores.choose(("gram",), tiny_pipe, Features(), judged)


def test_fid_and_kid_compare_the_rows_of_inception(held, monkeypatch):
    def channels(picture: torch.Tensor) -> tuple:
        assert picture.dtype == torch.uint8
        return (picture.float().mean(dim=(2, 3)) / 255,)

    monkeypatch.setattr(inception, "inception", lambda: channels)
    monkeypatch.setattr(scores, "inception", lambda: channels)
    pipe = translator()
    rows, _ = score(pipe, subject(pipe, held / "photos", held / "paintings" / "alpha"), RANDOM, ("fid", "kid"))
    fid = rows[0]
    assert [row.metric for row in rows] == ["fid", "kid"] and fid.anchors["real"] < 0.01 < fid.anchors["copy"]


def test_artfid_by_hand(monkeypatch):
    monkeypatch.setitem(METRICS, "lpips", METRICS["lpips"].__class__("", lambda look: (Interval(0.5, 0.4, 0.6), 0.0, 0.8)))
    monkeypatch.setitem(METRICS, "fid", METRICS["fid"].__class__("", lambda look: (Interval(3, 2, 4), 9.0, 1.0)))
    value, copy, real = METRICS["artfid"].measure(None)
    assert (value.value, value.low, value.high) == pytest.approx((1.5 * 4, 1.4 * 3, 1.6 * 5))
    assert (copy, real) == pytest.approx((1 * 10, 1.8 * 2))


def test_weights_that_cannot_be_downloaded():
    def build():
        raise URLError("no network")

    with pytest.raises(OSError, match=r"could not download the weights of Inception .*no network.*need no download"):
        inception.fetched("Inception", build)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["PACKAGE", "--photos", "PHOTOS"], "give real paintings"),
        (["PACKAGE", "--paintings", "PAINTINGS"], "give photos to judge by"),
        (
            ["PACKAGE", "--photos", "PHOTOS", "--paintings", "PHOTOS"],
            "a painting of its name, or two pictures or more in a folder for each of alpha, beta",
        ),
        (["PACKAGE", "--photos", "ONE", "--paintings", "PAINTINGS"], "at least two photos are needed"),
        (["PACKAGE"], "give --photos DIR and --paintings DIR"),
        (["--photos", "PHOTOS", "--paintings", "PAINTINGS"], "Hub id. (required)"),
        (
            ["PACKAGE", "--photos", "PHOTOS", "--paintings", "PAINTINGS", "--features.network", "vgg16"],
            "defined on squeezenet1_1",
        ),
        (["PACKAGE", "--photos", "PHOTOS", "--paintings", "PAINTINGS", "--limit", "1"], "must be at least two"),
    ],
)
def test_what_the_command_refuses(held, tiny_package, capsys, arguments, message):
    places = {"PACKAGE": str(tiny_package), "PHOTOS": str(held / "photos"), "PAINTINGS": str(held / "paintings")}
    places["ONE"] = str(held / "photos" / "0.jpg")
    try:
        assert main(["evaluate", *(places.get(argument, argument) for argument in arguments)]) == 2
    except SystemExit as stop:  # of the parser
        assert stop.code == 2
    shown = capsys.readouterr()
    assert message in " ".join((shown.out + shown.err).replace("│", " ").split())


def test_a_style_without_paintings_is_left_out_with_a_warning(held, tiny_pipe, tmp_path):
    (tmp_path / "paintings").mkdir()
    (tmp_path / "paintings" / "beta").symlink_to(held / "paintings" / "beta")
    judged = subject(tiny_pipe, held / "photos", tmp_path / "paintings")
    assert [*judged.looks] == ["beta"] and "no score for alpha" in judged.warnings[0]


def test_a_limit_takes_pictures_from_the_whole_folder(held):
    names = [path.stem for path in evenly(picture_files(held / "photos"), 3)]
    assert names == ["0", "2", "4"]


def test_table_shows_values_with_their_half_width_and_means_of_the_anchors():
    anchors = [{"copy": 500.0, "real": None}, {"copy": 300.0, "real": None}]
    rows = [
        Score("swd", "Distance", style, 407.6, 96.4, 718.8, anchor, "lower", 9)
        for style, anchor in zip(("ink", "monet"), anchors, strict=True)
    ]
    assert report.tables(rows).splitlines() == [
        "| metric | copy of the photo | random real picture | ink | monet | samples |",
        "|---|---:|---:|---:|---:|---:|",
        "| Distance (lower is better) | 400 | - | 408 ±311 | 408 ±311 | 9 |",
    ]
    many = [replace(rows[0], style=str(number), value=number) for number in range(9)]  # too many for columns of their own
    head, _, line = report.tables(many).splitlines()
    assert "| mean | lowest | highest |" in head and line.endswith("| 4 | 0 | 8 | 9 |")
    assert [report.short(value) for value in (0.04567, 1234.5, 12.34, 0, None)] == ["0.0457", "1234", "12.3", "0", "-"]
