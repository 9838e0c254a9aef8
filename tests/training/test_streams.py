"""Streams: a sample follows from seed and position, held-out pictures are others, and pairs match."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from tests.training.conftest import save_picture
from training.data.folders import to_tensor
from training.data.streams import enlargements, labelled, pairs, pictures, unpaired
from training.data.worlds import RENDERERS
from training.options import Labelled, Pairs, Pictures, Unpaired

STREAMS = {
    "pictures": lambda seed=0, part="train": pictures(Pictures(crop=32), seed, part),
    "rendered": lambda seed=0, part="train": pictures(Pictures(crop=32, world="ink"), seed, part),
    "unpaired": lambda seed=0, part="train": unpaired(Unpaired(crop=32, world="palette"), seed, part),
    "pairs": lambda seed=0, part="train": pairs(Pairs(crop=32, world="mosaic"), seed, part),
    "labelled": lambda seed=0, part="train": labelled(Labelled(crop=32), seed, part),
    "enlargements": lambda seed=0, part="train": enlargements(Pictures(crop=32), 4, seed, part),
}
FIRST = {"pictures": "real", "rendered": "real", "unpaired": "a", "pairs": "source", "labelled": "image", "enlargements": "real"}


def plain_folder(root: Path, count: int) -> Path:
    """Pictures of one gray level each: 10, 20, 30 ..., so that a crop tells its file."""
    root.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (40, 36), (10 * number + 10,) * 3).save(root / f"{number:02d}.png")
    return root


def files(stream, name: str, samples: int = 80) -> set[int]:
    """Numbers of the files of a plain folder that a stream shows."""
    levels = {round((stream[position][name].mean().item() + 1) * 127.5) for position in range(samples)}
    return {level // 10 - 1 for level in levels}


@pytest.mark.parametrize("name", STREAMS)
def test_samples_follow_from_seed_and_position(name):
    stream, first = STREAMS[name](), FIRST[name]
    again = pickle.loads(pickle.dumps(STREAMS[name]()))  # as processes of a data loader get it
    backwards = {position: again[position] for position in reversed(range(4))}
    for position in range(4):
        sample = stream[position]
        assert sample.keys() == backwards[position].keys()
        for key, value in sample.items():
            assert torch.equal(value, backwards[position][key])
            if value.ndim:
                assert value.shape == ((3, 8, 8) if key == "small" else (3, 32, 32)) and value.dtype == torch.float32
                assert value.abs().max() <= 1
    others = stream[1], STREAMS[name](seed=1)[0], STREAMS[name](part="held")[0], stream[10**9]
    assert all(not torch.equal(stream[0][first], other[first]) for other in others)


@pytest.mark.parametrize("workers", [0, 1])
def test_data_loaders_take_them(workers):
    loader = DataLoader(STREAMS["labelled"](), batch_size=2, sampler=range(4), num_workers=workers)
    batches = list(loader)
    assert [batch["image"].shape for batch in batches] == [(2, 3, 32, 32)] * 2
    assert torch.equal(batches[1]["image"][1], STREAMS["labelled"]()[3]["image"])


def test_every_tenth_file_is_held_out(tmp_path):
    folder = plain_folder(tmp_path / "photos", 20)
    config = Pictures(folder=folder, crop=32)
    held = {9, 19}
    assert files(pictures(config, 0, "held"), "real") == held
    assert files(pictures(config, 0, "train"), "real", 200) == set(range(20)) - held
    few = Pictures(folder=plain_folder(tmp_path / "few", 3), crop=32)
    assert files(pictures(few, 0, "held"), "real") == files(pictures(few, 0), "real") == {0, 1, 2}


def test_no_file_serves_on_both_sides(tmp_path, monkeypatch):
    monkeypatch.setitem(RENDERERS, "palette", lambda image, rng: image)  # so that a crop tells its file
    config = Unpaired(a=plain_folder(tmp_path / "photos", 20), world="palette", crop=32)
    stream = unpaired(config, 0)
    a, b = files(stream, "a", 200), files(stream, "b", 200)
    assert not a & b
    assert a | b == set(range(20)) - {9, 19}
    assert files(pairs(config, 0, "held"), "source") == {9, 19}


def test_two_folders(tmp_path):
    a, b = plain_folder(tmp_path / "a", 2), plain_folder(tmp_path / "b", 8)
    stream = unpaired(Unpaired(a=a, b=b, crop=32), 0)
    assert (files(stream, "a"), files(stream, "b")) == ({0, 1}, set(range(8)))


def test_the_target_is_the_true_rendering(pictures):
    for config in (Pairs(crop=32, world="hatching"), Unpaired(a=pictures / "photos", crop=32, world="hatching")):
        sample = pairs(config, 0, "held")[5]
        pixels = ((sample["source"] + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
        assert torch.equal(sample["target"], to_tensor(RENDERERS["hatching"](pixels, np.random.default_rng(0))))


def test_pairs_of_two_folders_are_cut_alike(tmp_path):
    for number in range(3):
        save_picture(tmp_path / "source" / f"{number}.png", number)
        negative = 255 - np.asarray(Image.open(tmp_path / "source" / f"{number}.png"))
        (tmp_path / "target").mkdir(exist_ok=True)
        Image.fromarray(negative).save(tmp_path / "target" / f"{number}.bmp")
    stream = pairs(Pairs(source=tmp_path / "source", target=tmp_path / "target", crop=32), 0)
    crops = [stream[position] for position in range(12)]
    assert max((crop["source"] + crop["target"]).abs().max() for crop in crops) < 2.5 / 127.5  # rounded once on each side
    assert len({round(crop["source"].mean().item(), 4) for crop in crops}) > 6


def test_enlargement_learns_from_the_finest_detail_of_a_folder(tmp_path):
    """Pictures far larger than the crop are cut and not shrunk first: some crops hold stripes of one pixel as they are."""
    stripes = np.zeros((300, 320, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "stripes.png")
    config = Pictures(folder=tmp_path, crop=32)
    spread = [enlargements(config, 4, 0)[position]["real"].std().item() for position in range(20)]
    assert 5 < sum(value > 0.99 for value in spread) < 15
    assert max(pictures(config, 0)[position]["real"].std().item() for position in range(20)) < 0.5


def test_small_pictures_show_the_same(tmp_path):
    save_picture(tmp_path / "one.png", 0, size=(300, 300))
    stream = enlargements(Pictures(folder=tmp_path, crop=64), 4, 0)
    for position in range(20):
        sample = stream[position]
        shrunk = torch.nn.functional.avg_pool2d(sample["real"][None], 4)[0]
        assert (sample["small"] - shrunk).abs().mean() < 4 / 127.5


def test_labels_are_drawn_evenly_and_targets_differ():
    stream = labelled(Labelled(crop=16), 0)
    assert stream.domains == ["plain", "hatching", "mosaic", "palette"]
    labels = [(int(sample["label"]), int(sample["target"])) for sample in (stream[position] for position in range(120))]
    assert {label for label, _ in labels} == {target for _, target in labels} == {0, 1, 2, 3}
    assert all(label != target for label, target in labels)
    assert min(sum(label == each for label, _ in labels) for each in range(4)) > 15
    assert stream[0]["label"].dtype == stream[0]["target"].dtype == torch.int64


def test_domains_of_a_folder(tmp_path):
    for name, count in (("dark", 1), ("light", 4)):
        plain_folder(tmp_path / name, count)
    stream = labelled(Labelled(folder=tmp_path, crop=32), 0)
    assert stream.domains == ["dark", "light"]
    for position in range(20):
        sample = stream[position]
        assert sample["label"] == 1 or round((sample["image"].mean().item() + 1) * 127.5) == 10


def folder_of_one(root: Path) -> Path:
    return plain_folder(root / "one", 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: unpaired(Unpaired(), 0), "needs a target"),
        (lambda root: unpaired(Unpaired(b=root, world="ink"), 0), "not both"),
        (lambda root: unpaired(Unpaired(b=root), 0), "--data.b needs --data.a"),
        (lambda root: unpaired(Unpaired(a=folder_of_one(root), world="ink", crop=32), 0), "holds 1 picture"),
        (lambda root: pairs(Pairs(), 0), "pairs need a --data.world"),
        (lambda root: pairs(Pairs(target=root), 0), "--data.target needs --data.source"),
        (lambda root: pairs(Unpaired(a=root, b=root), 0), "pairs need a --data.world"),
        (lambda root: labelled(Labelled(worlds=()), 0), "two domains or more are needed, got plain"),
        (lambda root: labelled(Labelled(folder=folder_of_one(root)), 0), "got none"),
        (lambda root: pictures(Pictures(folder=root / "nowhere"), 0), "no folder of pictures"),
    ],
)
def test_wrong_input_is_named(tmp_path, make, message):
    with pytest.raises(ValueError, match=message):
        make(tmp_path)


def test_pairs_that_do_not_match_are_named(tmp_path):
    sources, targets = plain_folder(tmp_path / "source", 3), plain_folder(tmp_path / "target", 2)
    with pytest.raises(ValueError, match="02"):
        pairs(Pairs(source=sources, target=targets, crop=32), 0)
    Image.new("RGB", (40, 60)).save(targets / "02.png")
    with pytest.raises(ValueError, match="same size; these differ: 02"):
        pairs(Pairs(source=sources, target=targets, crop=32), 0)
