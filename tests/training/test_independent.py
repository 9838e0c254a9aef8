"""Features that no loss sees: the network against slow loops, the scores against values by hand, the headline end to end."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

from benchmarks import against_magenta
from tests.conftest import picture
from training.__main__ import main
from training.data.folders import held_paintings, picture_files
from training.evaluate import independent
from training.evaluate.metrics.independent import IndependentFeatures, Seen, as_input, see
from training.evaluate.metrics.vision_transformer import VisionTransformer, load_vision_transformer
from training.evaluate.report import Score, by_style
from training.evaluate.scores import choose
from training.evaluate.subjects import subject
from training.options import Features


@pytest.fixture(scope="module")
def network() -> VisionTransformer:
    """Ten blocks of 16 channels with random weights."""
    network = VisionTransformer(width=16, depth=10, positions=6)
    random = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        parameter.normal_(generator=random).mul_(0.3)
    return network


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "transformer.safetensors"
    save_file({name: tensor.half() for name, tensor in network.state_dict().items()}, path)
    return path


# --- the network ---


def norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / np.sqrt(x.var() + 1e-6) * weight + bias


def test_a_block_matches_a_slow_loop():
    network = VisionTransformer(width=128, depth=1, positions=2)
    random = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        parameter.normal_(generator=random).mul_(0.1)
    block = network.layers[0]
    tokens = torch.randn(1, 5, 128, generator=random)
    p = {name: value.double().numpy() for name, value in block.state_dict().items()}
    x = tokens[0].double().numpy()
    normed = np.stack([norm(row, p["norm1.weight"], p["norm1.bias"]) for row in x])
    q, k, v = (normed @ p[f"{name}.weight"].T + p[f"{name}.bias"] for name in "qkv")
    attended = np.zeros_like(x)
    for channels in (slice(0, 64), slice(64, 128)):  # two heads
        for token in range(5):
            scores = [q[token, channels] @ k[other, channels] / 8 for other in range(5)]
            shares = np.exp(scores) / np.exp(scores).sum()
            attended[token, channels] = sum(share * v[other, channels] for other, share in enumerate(shares))
    x = x + p["ls1"] * (attended @ p["o.weight"].T + p["o.bias"])
    normed = np.stack([norm(row, p["norm2.weight"], p["norm2.bias"]) for row in x])
    hidden = F.gelu(torch.from_numpy(normed @ p["fc1.weight"].T + p["fc1.bias"])).numpy()
    x = x + p["ls2"] * (hidden @ p["fc2.weight"].T + p["fc2.bias"])
    np.testing.assert_allclose(block(tokens)[0].numpy(), x, atol=1e-4)


def test_patches_have_their_places(network):
    """Without blocks that mix them, each token is its own patch and position; at the learned size positions are as learned."""
    image = torch.rand(1, 3, 84, 84, generator=torch.Generator().manual_seed(0)) * 2 - 1
    still = VisionTransformer(width=16, depth=1, positions=6)
    still.load_state_dict({name: tensor for name, tensor in network.state_dict().items() if name in still.state_dict()})
    for scale in (still.layers[0].ls1, still.layers[0].ls2):
        scale.zero_()
    tokens = still(image, blocks=(0,))[0]
    assert tokens.shape == (1, 16, 6, 6)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    patch = ((image[0, :, 28:42, 56:70] + 1) / 2 - mean) / deviation  # row 2, column 4
    by_hand = (still.patch.weight * patch).sum(dim=(1, 2, 3)) + still.patch.bias + still.pos[0, 1 + 2 * 6 + 4]
    torch.testing.assert_close(tokens[0, :, 2, 4], by_hand, atol=1e-4, rtol=1e-4)
    assert still(image[..., :70, :], blocks=(0,))[0].shape == (1, 16, 5, 6)
    with pytest.raises(ValueError, match=r"multiples of 14, got \(65, 70\)"):
        still(torch.zeros(1, 3, 65, 70), blocks=(0,))


def test_a_file_gives_the_network_that_was_saved(network, weights):
    loaded = load_vision_transformer(weights)
    assert len(loaded.layers) == 10 and loaded.positions == 6 and not any(p.requires_grad for p in loaded.parameters())
    image = torch.rand(2, 3, 70, 98, generator=torch.Generator().manual_seed(0)) * 2 - 1
    a, b = (net(image, blocks=(2, 9)) for net in (network, loaded))
    assert a.keys() == {2, 9} and torch.allclose(a[9], b[9], atol=0.05)


def test_a_file_of_the_hub_has_other_names(network, tmp_path):
    """As transformers' Dinov2Model saves it."""
    longer = {"q": "attention.attention.query", "k": "attention.attention.key", "v": "attention.attention.value"}
    longer |= {"o": "attention.output.dense", "fc1": "mlp.fc1", "fc2": "mlp.fc2", "norm1": "norm1", "norm2": "norm2"}
    longer |= {"ls1": "layer_scale1.lambda1", "ls2": "layer_scale2.lambda1"}
    first = {"cls": "cls_token", "pos": "position_embeddings", "patch": "patch_embeddings.projection"}
    hub = {"embeddings.mask_token": torch.zeros(1, 16), "layernorm.weight": torch.ones(16)}
    for name, tensor in network.state_dict().items():
        parts = name.split(".")
        if parts[0] == "layers":
            renamed = ["encoder.layer", parts[1], longer[parts[2]], *parts[3:]]
        else:
            renamed = ["embeddings", first[parts[0]], *parts[1:]]
        hub[".".join(renamed)] = tensor
    save_file(hub, tmp_path / "model.safetensors")
    loaded = load_vision_transformer(tmp_path / "model.safetensors").state_dict()
    assert all(torch.equal(tensor, loaded[name]) for name, tensor in network.state_dict().items())


def test_what_is_no_transformer_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no weights of a vision transformer"):
        load_vision_transformer(tmp_path / "nothing")
    save_file({"layers.0.q.weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    (tmp_path / "noise.safetensors").write_bytes(b"12345678901")
    for name in ("other", "noise"):
        with pytest.raises(ValueError, match=f"{name}.safetensors holds no vision transformer"):
            load_vision_transformer(tmp_path / f"{name}.safetensors")


# --- the scores ---


def test_pictures_are_seen_at_one_size_and_in_their_order(network):
    assert as_input(picture((300, 200))).shape == (3, 224, 336)
    assert as_input(picture((2000, 200))).shape == (3, 224, 672)  # a handscroll
    pictures = [picture((90, 60), seed=1), picture((60, 90), seed=2), picture((90, 60), seed=3)]
    seen = see(network, pictures)
    assert seen.sizes == [(336, 224), (224, 336), (336, 224)] and seen.style.shape == (3, 6 * 16)
    for number, one in enumerate(pictures):
        alone = see(network, [one])
        torch.testing.assert_close(alone.style[0], seen.style[number], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(alone.content[0], seen.content[number], atol=1e-4, rtol=1e-4)


def test_statistics_match_a_slow_loop(network):
    one = picture((90, 60))
    kept = network(as_input(one)[None], blocks=(2, 5, 8))
    slow = []
    for block in (2, 5, 8):
        channels = [channel.numpy() for channel in kept[block][0]]
        slow += [np.mean(channel) for channel in channels] + [np.std(channel) for channel in channels]
    np.testing.assert_allclose(see(network, [one]).style[0], slow, rtol=1e-4, atol=1e-5)


def seen(*style: tuple[float, float], content: float = 0.0) -> Seen:
    """Made-up statistics, and patches that lie at an angle to (1, 0)."""
    patches = torch.tensor([np.cos(content), np.sin(content)]).float().view(2, 1, 1).expand(2, 2, 3)
    return Seen(torch.tensor(style), tuple(patches for _ in style))


def test_scores_by_hand(network):
    # mean (1, 2), deviations 2 and 4: standardised, four points on the axes
    paintings = torch.tensor([[1 + 6**0.5, 2], [1 - 6**0.5, 2], [1, 2 + 24**0.5], [1, 2 - 24**0.5]])
    features = IndependentFeatures(network, paintings)
    torch.testing.assert_close(features.paintings, torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]))
    results = seen((1 + 2, 2 + 4), (1 + 2, 2), (1 - 2, 2), content=np.pi / 3)  # at 45, 0 and 180 degrees
    values = features.compare(results, seen(*[(0, 0)] * 3), paintings[:1])
    torch.testing.assert_close(values["style"], torch.tensor([0.5**0.5, 1, -1]))
    torch.testing.assert_close(values["content"], torch.full((3,), 0.5))
    each = features.compare(results, seen(*[(0, 0)] * 3), paintings[[2, 0, 1]])
    torch.testing.assert_close(each["style"], torch.tensor([0.5**0.5, 1, 1]))


def test_the_painting_must_be_among_the_five_nearest(network):
    angles = torch.arange(12) * torch.pi / 6
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    features = IndependentFeatures(network, circle)
    result = seen((1.0, 0.01))  # nearest are 0, 30, -30, 60, -60, 90 degrees ...
    top = [bool(features.compare(result, seen((0, 0)), circle[[number]])["top5"]) for number in range(12)]
    assert top == [True, True, True, False, False, False, False, False, False, False, True, True]
    stranger = torch.tensor([[0.5, -0.85]])  # at -60 degrees as well, but not held out: 0, 30, -30 and 60 are nearer
    assert bool(features.compare(result, seen((0, 0)), stranger)["top5"])
    stranger = torch.tensor([[0.3, -0.95]])  # -60, too
    assert not bool(features.compare(result, seen((0, 0)), stranger)["top5"])
    again = torch.tensor([[np.cos(np.radians(60.5)), -np.sin(np.radians(60.5))]]).float()  # the one at -60 degrees, and no rival
    assert bool(features.compare(result, seen((0, 0)), again)["top5"])


def test_a_copy_and_the_painting_itself(network):
    features = IndependentFeatures(network, [picture(seed=seed) for seed in range(12)])
    photo, painting = picture((300, 200), seed=50), picture((250, 200), seed=3)
    # results of another size than their photo are seen at that of the photo
    photos = features.see([photo, photo])
    results = features.see([photo.resize((450, 301)), painting.resize((300, 200))], photos.sizes)
    scores = features.compare(results, photos, features.see([painting]).style)
    assert scores["content"][0] > 0.99 > scores["content"][1] and scores["style"][1] > 0.8 > scores["style"][0]
    assert scores["top5"].tolist()[1]
    exact = features.compare(photos, photos, photos.style)
    assert [float(exact[name][0]) for name in ("style", "top5", "content")] == pytest.approx([1, 1, 1], abs=1e-5)
    with pytest.raises(ValueError, match="two paintings or more, got 1"):
        IndependentFeatures(network, [photo])


# --- the headline ---


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Twenty photos, and paintings in folders of two, twelve and sixty, among them those of the tiny package's styles."""
    root = tmp_path_factory.mktemp("data")
    names = {
        "photos": [f"{number:02}" for number in range(20)],
        "paintings/masters": ["alpha-painting", "beta", *(f"m{number:02}" for number in range(10))],
        "paintings/others": [f"{number:02}" for number in range(60)],
        "paintings/few": ["x", "y"],
    }
    for kind, (folder, stems) in enumerate(names.items()):
        (root / folder).mkdir(parents=True)
        for number, stem in enumerate(stems):
            picture((270, 260), seed=100 * kind + number).save(root / folder / f"{stem}.jpg", quality=90)
    (root / "names.json").write_text(json.dumps({"alpha": "alpha-painting"}))
    (root / "artists.csv").write_text("file,artist\nalpha-painting.jpg,A\nm03.jpg,A\nbeta.jpg,B\ngone.jpg,B\n")
    return root


def test_every_tenth_picture_is_held_out(data):
    assert [path.stem for path in picture_files(data / "photos", "held")] == ["09", "19"]
    assert len(picture_files(data / "photos", "train")) == 18
    # of each folder of its own, and of two paintings none
    assert [path.relative_to(data / "paintings").as_posix() for path in held_paintings(data / "paintings")] == [
        "masters/m07.jpg",
        *(f"others/{number}9.jpg" for number in ("0", *"12345")),
    ]


def test_paintings_are_found_by_name_and_by_artist(data):
    found = independent.named_paintings(["alpha", "beta", "gamma"], data / "paintings", data / "names.json")
    assert {style: path.name for style, path in found.items()} == {"alpha": "alpha-painting.jpg", "beta": "beta.jpg"}
    assert independent.named_paintings(["alpha", "beta"], data / "paintings").keys() == {"beta"}
    others = {style: independent.other_paintings(path, data / "artists.csv") for style, path in found.items()}
    assert [path.name for path in others["alpha"]] == ["m03.jpg"] and others["beta"] == []


def command(data: Path, package: Path, *options: str) -> list[str]:
    folders = ["--photos", str(data / "photos"), "--paintings", str(data / "paintings")]
    return [str(package), *folders, "--names", str(data / "names.json"), "--artists", str(data / "artists.csv"), *options]


def test_evaluation_opens_on_what_no_loss_sees(data, tiny_package, weights, tmp_path, capsys):
    out, cache = tmp_path / "report.json", tmp_path / "cache.safetensors"
    options = ["--held", "--independent.weights", str(weights), "--independent.cache", str(cache), "--json", str(out)]
    options += ["--features.weights", "random", "--metrics", "style_cosine", "content", "gram", "swd"]
    assert main(["evaluate", *command(data, tiny_package, *options)]) == 0
    report = json.loads(out.read_text())
    rows = {(row["metric"], row["style"]): row for row in report["scores"]}
    assert [row["metric"] for row in report["scores"][:3]] == list(independent.METRICS)
    style = rows["style_cosine", "alpha"]
    assert style["samples"] == 2 and style["low"] <= style["value"] <= style["high"] and style["note"] is None
    assert rows["style_cosine", "alpha"]["anchors"]["another painting"] is not None
    assert rows["style_cosine", "beta"]["anchors"]["another painting"] is None
    assert rows["content_cosine", "beta"]["anchors"]["photo"] == pytest.approx(1, abs=1e-5)
    # there is one painting, so no distance of sets; the others are marked
    assert ("swd", "alpha") not in rows and rows["content", "alpha"]["note"] == rows["gram", "alpha"]["note"]
    assert rows["gram", "alpha"]["note"] == "seen by the losses" and rows["gram", "alpha"]["anchors"]["real"] is None
    assert "7 held-out paintings" in report["protocol"]
    shown = capsys.readouterr().out
    assert shown.index("| alpha |") < shown.index("**mean**") < shown.index("; seen by the losses)")
    before = cache.stat().st_mtime_ns
    assert (
        main(["evaluate", *command(data, tiny_package, *options)]) == 0
    )  # what was seen of the held-out paintings is taken from the file
    assert cache.stat().st_mtime_ns == before and json.loads(out.read_text()) == report


def test_without_the_network_a_sentence_says_so(data, tiny_package, tiny_pipe, capsys):
    options = ["--held", "--features.weights", "random", "--metrics", "style_cosine"]
    assert main(["evaluate", *command(data, tiny_package, *options)]) == 2
    assert "no style_cosine: it needs a network that no loss sees: --independent.weights FILE" in capsys.readouterr().err
    pictures = subject(tiny_pipe, data / "photos", data / "paintings", 200, True, data / "names.json")
    chosen, _, warnings = choose((), tiny_pipe, Features(weights="random"), pictures)
    assert not {*independent.METRICS} & {*chosen} and {"gram", "content"} <= {*chosen}
    assert (
        "no style_cosine, style_top5, content_cosine: it needs a network that no loss sees: --independent.weights FILE"
        in warnings
    )


def test_means_are_over_the_styles():
    def score(style: str | None, value: float, another: float | None) -> Score:
        anchors = {"photo": 0.1, "another painting": another}
        return Score("style_cosine", "Style", style, value, value - 0.1, value + 0.1, anchors, "higher", 9)

    rows = [score("wave", 0.4, 0.5), score("night", 0.6, None), score(None, 0.9, None)]
    rows += [
        Score(metric, "", row.style, 0.5, 0.4, 0.6, {}, "higher", 9)
        for row in rows
        for metric in ("style_top5", "content_cosine")
    ]
    lines = by_style({"ours": rows}).splitlines()
    assert lines[2] == "| wave | 0.10 | 0.50 | 0.40 ±0.10 | 0.50 ±0.10 | 0.50 ±0.10 |"
    assert lines[4].startswith("| unseen | 0.10 | - | 0.90")
    assert lines[5].startswith("| **mean** | 0.10 | 0.50 | 0.50 ±0.10 | 0.50 ±0.00 |")


# --- beside Magenta's network ---


def test_both_networks_are_scored_on_the_same_pictures(data, tiny_package, weights, tmp_path, monkeypatch, capsys):
    made = []

    def paint(photo: Image.Image, style: str, painting: Path) -> Image.Image:
        made.append((photo.size, style, painting.name))
        return Image.open(painting).resize(photo.size)

    monkeypatch.setattr(against_magenta, "find_spec", lambda name: True)
    monkeypatch.setattr(against_magenta, "of_magenta", lambda: paint)
    out = tmp_path / "new" / "results.json"
    options = ["--independent.weights", str(weights), "--count", "2", "--references", "2", "--side", "128", "--json", str(out)]
    against_magenta.main(command(data, tiny_package, *options))
    assert {size for size, *_ in made} == {(133, 128)} and len(made) == 2 * 2 + 2
    assert [row[1:] for row in made[4:]] == [("", "m07.jpg"), ("", "59.jpg")]
    content = json.loads(out.read_text())
    theirs = {(row["style"], row["metric"]): row["value"] for row in content["scores"]["Magenta"]}
    assert theirs["alpha", "style_cosine"] > 0.9 and theirs[None, "style_cosine"] > 0.9  # it copies the painting
    shown = capsys.readouterr().out
    assert content["scores"]["painter"] and "style above Magenta's in 0 of 2 styles" in shown
    assert "| alpha |" in shown and "| unseen |" in shown
    made.clear()
    against_magenta.main(command(data, tiny_package, *options))  # the same pictures: Magenta's scores are known
    assert not made and json.loads(out.read_text())["scores"] == content["scores"]
    content["settings"]["styles"] = {"bridge": "alpha-painting.jpg"}  # under another name, and without beta
    content["scores"]["Magenta"] = [row | {"style": "bridge"} for row in content["scores"]["Magenta"] if row["style"] == "alpha"]
    out.write_text(json.dumps(content))
    against_magenta.main(command(data, tiny_package, *options))
    assert {row[2] for row in made} == {"beta.jpg", "m07.jpg", "59.jpg"}
    again = {(row["style"], row["metric"]): row["value"] for row in json.loads(out.read_text())["scores"]["Magenta"]}
    assert again == theirs
    made.clear()
    against_magenta.main(command(data, tiny_package, *options[:3], "1", *options[4:]))
    assert len(made) == 2 * 1 + 2


def test_without_magenta_the_painter_is_scored_alone(data, tiny_package, weights, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(against_magenta, "find_spec", lambda name: None)
    options = ["--independent.weights", str(weights), "--count", "2", "--references", "0", "--side", "128"]
    against_magenta.main(command(data, tiny_package, *options, "--styles", "beta", "--json", str(tmp_path / "results.json")))
    assert json.loads((tmp_path / "results.json").read_text())["scores"].keys() == {"painter"}
    assert "the painter alone" in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"--independent\.weights FILE"):
        against_magenta.main(command(data, tiny_package))
