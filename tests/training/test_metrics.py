"""Metrics against slow loops and hand-computed values."""

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.contact_sheet import main as contact_sheet_main
from styletransfer.models.features import FeaturePyramid
from tests.conftest import picture
from training.evaluate.metrics.intervals import bootstrap_mean, proportion
from training.evaluate.metrics.pictures import as_jpeg, batches, standard
from training.evaluate.metrics.statistics import network_statistics, rgb_to_lab


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


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


def test_intervals():
    five_of_ten = proportion(torch.arange(10) < 5)  # Wilson 1927; values of R's binom.confint
    assert (five_of_ten.value, five_of_ten.low, five_of_ten.high) == pytest.approx((0.5, 0.2366, 0.7634), abs=1e-4)
    certain = proportion(torch.ones(6))
    assert certain.value == 1 and certain.low == pytest.approx(0.6097, abs=1e-4) and certain.high == 1
    mean = bootstrap_mean(torch.randn(400, generator=torch.Generator().manual_seed(0)) + 3)
    error = 1.96 / 20
    assert mean.value - mean.low == pytest.approx(error, rel=0.15) and mean.high - mean.value == pytest.approx(error, rel=0.15)


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
