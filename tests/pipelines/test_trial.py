"""What a package of a stranger would take is known before it takes it."""

import json
import resource
import shutil
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from styletransfer import GenerationPipeline, ProgressiveGenerator, ResnetGenerator, TranslationPipeline, load_pipeline
from styletransfer.catalog import MODEL_CARDS, REPOSITORY
from styletransfer.pipelines import loading
from styletransfer.pipelines.trial import examine, largest_calls, peak_bytes
from tests.tiny import NETWORKS


def test_the_peak_of_a_chain_is_that_of_two_neighbours():
    chain = nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 16, 1), nn.Conv2d(16, 2, 1))
    pixels = 50 * 40
    # the input, which its owner keeps, and 8 and 16 channels of 4 bytes. A view takes nothing
    assert peak_bytes(chain, torch.empty(1, 3, 50, 40, device="meta")) == 4 * pixels * (3 + 8 + 16)
    assert peak_bytes(nn.Flatten(), torch.empty(1, 3, 50, 40, device="meta")) == 4 * pixels * 3


def test_the_estimate_is_what_a_translator_takes():
    def take(side: int) -> int:
        return peak_bytes(ResnetGenerator(base_channels=8, num_blocks=1), torch.empty(1, 3, side, side, device="meta"))

    assert take(400) == pytest.approx(4 * take(200), rel=0.05)
    assert take(200) > 4 * 200 * 200 * 8  # one layer of the first width, at the least


@pytest.mark.parametrize("name", ["painter", "impressions"])
def test_what_ships_is_let_in(name):
    examine(REPOSITORY / MODEL_CARDS / name)


def test_networks_of_the_papers_sizes_are_let_in(tmp_path):
    TranslationPipeline(ResnetGenerator()).save_pretrained(tmp_path / "resnet")
    GenerationPipeline(ProgressiveGenerator(image_size=512)).save_pretrained(tmp_path / "progressive")
    for package in ("resnet", "progressive"):
        examine(tmp_path / package)


def test_what_would_take_too_much_is_refused_in_a_second(tmp_path):
    GenerationPipeline(ProgressiveGenerator(z_size=8, base_channels=512, image_size=1024)).save_pretrained(tmp_path / "wide")
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=r"^its noise_generator would take [0-9.]+ GB of memory for one call, and at most 4 GB"):
        examine(tmp_path / "wide")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kilobytes
    assert time.process_time() - start < 5


def test_a_small_file_of_a_giant_network_is_refused_before_its_weights_are_read(tmp_path, monkeypatch):
    package = tmp_path / "giant"
    GenerationPipeline(ProgressiveGenerator(z_size=8, base_channels=8, image_size=8)).save_pretrained(package)
    config = package / "noise_generator" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"image_size": 4096}))
    monkeypatch.setattr(loading, "read_tensors", lambda path: pytest.fail("they were read"))
    with pytest.raises(ValueError, match=r"config\.json gives image_size a number above 1024$"):
        load_pipeline(package)


def test_every_number_of_a_network_has_a_limit():
    """Those that are no width or count of classes are named."""
    wide = {"base_channels", "trunk_channels", "code_size", "z_size", "channels", "in_channels", "num_domains", "num_labels"}
    others = {"scale", "group", "dropout", "num_stages"}  # one of a few numbers, or of no account
    numbers = {name for tiny in NETWORKS.values() for name, value in tiny.build().config.items() if loading.largest(value)}
    assert {name for name in numbers if not name.startswith("_")} <= wide | others | loading.LIMITS.keys()


def test_every_network_of_a_package_is_tried(tiny_package, tmp_path: Path):
    assert [name for name, *_ in largest_calls(load_pipeline(tiny_package))] == ["stylizer", "encoder"]
    assert [name for name, *_ in largest_calls(load_pipeline(REPOSITORY / MODEL_CARDS / "painter"))][-1] == "enlarger"
    shutil.copytree(tiny_package, tmp_path / "tiny")
    (tmp_path / "tiny" / "README.md").write_text("---\n[\n---\n")
    with pytest.raises(ValueError, match="front matter"):
        examine(tmp_path / "tiny")
