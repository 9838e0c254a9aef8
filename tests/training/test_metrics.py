"""Metrics against slow loops and hand-computed values; the judge tells styles apart."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.contact_sheet import main as contact_sheet_main
from styletransfer.models.features import FeaturePyramid
from tests.conftest import picture
from training.metrics.content import content_similarity
from training.metrics.deception import DeceptionRate, rises
from training.metrics.intervals import bootstrap_mean, proportion
from training.metrics.pictures import as_jpeg, batches, standard
from training.metrics.probe import LinearProbe, regress
from training.metrics.statistics import color_statistics, gradient_statistics, network_statistics, rgb_to_lab


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def normal(count: int, centre: float, seed: int, size: int = 4) -> torch.Tensor:
    """Points (count, size) about (centre, ..., centre)."""
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed)) + centre


def test_standard_picture_is_the_middle_of_a_shrunk_one():
    wide = Image.new("RGB", (1024, 512), "red")
    wide.paste((0, 0, 255), (256, 0, 768, 512))
    shown = standard(wide)
    assert shown.shape == (3, 256, 256)
    assert torch.equal(shown[:, 5:-5, 5:-5], torch.tensor([-1.0, -1.0, 1.0]).view(3, 1, 1).expand(3, 246, 246))
    with pytest.raises(ValueError, match="at least 256 pixels on its shorter side, got 300 x 255"):
        standard(Image.new("RGB", (300, 255)))


def test_batches_keep_every_picture_in_order():
    images = [Image.new("RGB", (256, 256), (value, 0, 0)) for value in range(5)]
    parts = list(batches(images, size=2))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert ((torch.cat(parts)[:, 0, 0, 0] + 1) * 127.5).round().tolist() == [0, 1, 2, 3, 4]


def test_network_statistics_match_a_slow_loop():
    features = FeaturePyramid(layers=(1, 4), weights="random")(noise(2, 3, 65, 70))
    rows = network_statistics(features).numpy()
    for image in range(2):
        slow = []
        for layer in features.values():
            channels = layer[image].numpy()
            slow += [[np.mean(channel) for channel in channels], [np.std(channel) for channel in channels]]
        np.testing.assert_allclose(rows[image], np.concatenate(slow), rtol=1e-3, atol=1e-5)


def test_lab_of_known_colours():
    colours = torch.tensor([[255, 0, 0], [0, 0, 255], [255, 255, 255], [128, 128, 128], [0, 0, 0]]) / 127.5 - 1
    lab = rgb_to_lab(colours.T.reshape(1, 3, 1, 5))[0, :, 0].T
    known = [[53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [100, 0, 0], [53.59, 0, 0], [0, 0, 0]]
    torch.testing.assert_close(lab, torch.tensor(known), atol=0.05, rtol=0)


def test_color_histograms_match_a_slow_loop():
    image = noise(1, 3, 9, 7)
    lightness, a, b = rgb_to_lab(image)[0].flatten(1).tolist()
    slow = np.zeros(48 + 64)
    for pixel in range(63):
        cells = [math.floor(lightness[pixel] / 100 * 16)] + [math.floor((x[pixel] + 100) / 200 * 16) for x in (a, b)]
        light, green_red, blue_yellow = (min(max(cell, 0), 15) for cell in cells)
        for index in (light, 16 + green_red, 32 + blue_yellow, 48 + green_red // 2 * 8 + blue_yellow // 2):
            slow[index] += 1 / 63
    np.testing.assert_allclose(color_statistics(image)[0].square(), slow, atol=1e-5)


def test_gradients_of_a_ramp():
    ramp = torch.linspace(-1, 1, 65).expand(1, 3, 64, 65)  # luminance rises by 1/64 a pixel, to the right
    parts = gradient_statistics(ramp).square().reshape(3, 17)
    for scale, part in enumerate(parts):
        step = 2**scale / 64
        edges = [0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256]
        magnitude = sum(edge < step for edge in edges)
        assert part[magnitude] == pytest.approx(1) and part[9] == pytest.approx(1)
        assert part.sum() == pytest.approx(2)
    upright = gradient_statistics(ramp.mT).square().reshape(3, 17)
    assert torch.allclose(upright[:, :9], parts[:, :9]) and torch.allclose(upright[:, 13], torch.ones(3))


def test_gradients_see_no_colour_that_has_the_same_luminance():
    gray = torch.zeros(1, 3, 64, 64)
    blue = gray.clone()
    blue[:, 2, :, 32:] = 0.8
    blue[:, 1, :, 32:] = -0.8 * 0.114 / 0.587
    assert torch.allclose(gradient_statistics(gray)[:, :9], gradient_statistics(blue)[:, :9])
    assert (color_statistics(gray) - color_statistics(blue)).norm() > 0.5


def test_content_similarity_matches_a_slow_loop_and_knows_copies():
    x, y = noise(2, 3, 4, 5, seed=1), noise(2, 3, 4, 5, seed=2)
    slow = [float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(x.flatten(1), y.flatten(1), strict=True)]
    torch.testing.assert_close(content_similarity(x, y), torch.tensor(slow))
    torch.testing.assert_close(content_similarity(x, x), torch.ones(2))


def test_intervals():
    five_of_ten = proportion(torch.arange(10) < 5)  # Wilson 1927; values of R's binom.confint
    assert (five_of_ten.value, five_of_ten.low, five_of_ten.high) == pytest.approx((0.5, 0.2366, 0.7634), abs=1e-4)
    certain = proportion(torch.ones(6))
    assert certain.value == 1 and certain.low == pytest.approx(0.6097, abs=1e-4) and certain.high == 1
    mean = bootstrap_mean(normal(400, 3, seed=0, size=1).flatten())
    error = 1.96 / 20
    assert mean.value - mean.low == pytest.approx(error, rel=0.15) and mean.high - mean.value == pytest.approx(error, rel=0.15)


def test_regression_is_a_minimum_and_balances_the_classes():
    x = torch.cat([normal(30, 0, 1), normal(6, 1, 2)]).double()
    labels = torch.tensor([0] * 30 + [1] * 6)
    weight = regress(x, labels, 2, penalty=0.1)

    def slow(weight: torch.Tensor) -> float:
        logits = (x @ weight).numpy()
        losses = [-row[label] + math.log(np.exp(row).sum()) for row, label in zip(logits, labels, strict=True)]
        return np.mean(losses[:30]) / 2 + np.mean(losses[30:]) / 2 + 0.05 * float(weight[:-1].square().sum())

    least = slow(weight)
    for row, column in [(0, 0), (1, 1), (3, 0)]:
        for step in (-0.01, 0.01):
            moved = weight.clone()
            moved[row, column] += step
            assert slow(moved) > least


def test_probe_separates_what_differs_and_nothing_else():
    apart = LinearProbe.fit({"photo": normal(40, 0, 1), "monet": normal(15, 3, 2)})
    assert apart.taken_for(normal(200, 3, 3), "monet").double().mean() > 0.95
    assert apart.taken_for(normal(200, 0, 4), "monet").double().mean() < 0.05
    assert apart.probabilities(normal(5, 1, 5)).sum(dim=1).tolist() == pytest.approx([1] * 5)
    same = LinearProbe.fit({"photo": normal(40, 0, 1), "monet": normal(15, 0, 2)})
    assert same.penalty > apart.penalty
    assert 0.2 < same.taken_for(normal(400, 0, 3), "monet").double().mean() < 0.8
    assert same.recall["monet"] < apart.recall["monet"]


def test_probe_needs_enough_examples():
    with pytest.raises(ValueError, match="at least 5 examples, but 'monet' has 4"):
        LinearProbe.fit({"photo": normal(40, 0, 1), "monet": normal(4, 1, 2)})


@pytest.fixture(scope="module")
def metric() -> DeceptionRate:
    """Photos about 0, Monets about 2 and ink about -2."""
    probe = LinearProbe.fit({"photo": normal(60, 0, 1), "monet": normal(30, 2, 2), "ink": normal(30, -2, 3)})
    return DeceptionRate(probe, normal(100, 0, 4), {"monet": normal(100, 2, 5), "ink": normal(100, -2, 6)})


def test_anchors_and_rates(metric):
    for step in range(5):
        metric.update("monet", step / 4, normal(100, step / 2, 7))
        metric.update("ink", step / 4, normal(100, 0, 7))  # a package that does nothing
    report = metric.compute()
    monet, ink = report["monet"], report["ink"]
    assert abs(monet["paintings"].value - monet["paintings_cross_validated"]) < 0.1
    assert monet["paintings"].value > 0.9 > 0.1 > monet["photos"].value
    assert monet["results"].value > 0.9 and monet["part_of_paintings"] == monet["results"].value / monet["paintings"].value
    assert monet["rises"] and list(monet["probability"]) == [0, 0.25, 0.5, 0.75, 1]
    assert ink["results"].value < 0.1 and not ink["rises"]
    by_hand = sum(row.argmax() == 1 for row in metric.probe.probabilities(normal(100, 2, 7))) / 100
    assert monet["results"].value == pytest.approx(float(by_hand))


def test_rises():
    assert rises([0.1, 0.2, 0.5]) and not rises([0.1, 0.1, 0.5]) and not rises([0.3, 0.2, 0.5])


@pytest.mark.parametrize("options", [[], ["--style", "beta", "--strengths", "0", "1"]])
def test_contact_sheet_command(tiny_package, tmp_path, options):
    picture().save(tmp_path / "photo.png")
    out = tmp_path / "sheet.png"
    assert contact_sheet_main([str(tiny_package), str(tmp_path / "photo.png"), "-o", str(out), *options]) == 0
    sheet = Image.open(out)
    assert sheet.size == (3 * 70 + 4 * 8, 40 + 65 + 2 * 8)
    if options:  # strength 0 returns the photo
        photo, zero = (sheet.crop((x, 48, x + 70, 113)) for x in (8, 86))
        assert photo.tobytes() == zero.tobytes()


def test_contact_sheet_names_an_unknown_style(tiny_package, tmp_path, capsys):
    picture().save(tmp_path / "photo.png")
    out = ["-o", str(tmp_path / "sheet.png"), "--style", "gamma"]
    assert contact_sheet_main([str(tiny_package), str(tmp_path / "photo.png"), *out]) == 2
    assert "gamma" in capsys.readouterr().err


def test_as_jpeg_leaves_its_mark():
    image = Image.blend(picture((256, 256)), Image.new("RGB", (256, 256), "gray"), 0.5)
    change = np.abs(np.asarray(as_jpeg(image)).astype(int) - np.asarray(image)).mean()
    assert 0 < change < 6
    assert as_jpeg(image.convert("RGBA")).size == image.size
