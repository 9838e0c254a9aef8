"""A training leaves a package that loads, paints, and explains itself."""

import dataclasses
import json

import torch
from huggingface_hub import ModelCard
from PIL import Image

from styletransfer import load_pipeline
from styletransfer.catalog import read_package
from styletransfer.models.resnet_generator import ResnetGenerator
from training.config import Cyclegan, Unpaired
from training.export import exemplars, main
from training.packages import TranslatorExport
from training.trainer import Trainer


def test_package_of_a_run(tiny_painter, config, pictures):
    data = tiny_painter.data
    trainer = Trainer(tiny_painter, dataclasses.replace(config, updates=2, validate_every=2))
    trainer.train()
    folder = config.out / "pipeline"
    package = read_package(folder)
    assert package.styles == ("dots", "lines")
    assert package.thumbnail("dots").is_file()
    card = (folder / "README.md").read_text()
    assert "dots (2), lines (2)" in card and "$" not in card
    assert "* photos: 4 files, `" in card and "* paintings: 4 files, `" in card
    assert "python -m training painter --updates 4 --batch 2 --precision no" in card
    assert "--data.photos photos --data.paintings paintings --data.crop 64" in card
    assert "](curves.png)" in card and (folder / "curves.png").is_file() and "The averaged weights of update 2" in card
    assert str(pictures) not in card  # no path of the machine that trained it

    pipe = load_pipeline(folder)
    for name, style in pipe.named.items():
        assert 1 <= len(style.codes) <= len(data.paintings[data.styles.index(name)])
    # what ships is the average, not the last state
    for name, average in trainer.averages.items():
        for key, value in average.net.state_dict().items():
            assert torch.equal(getattr(pipe, name).state_dict()[key], value)
    photo = Image.new("RGB", (50, 37), "teal")
    assert pipe(photo, style="dots").images[0].size == photo.size


def test_exemplars_leave_out_the_odd_and_spread():
    around = torch.nn.functional.normalize(torch.randn(19, 8, generator=torch.Generator().manual_seed(0)) * 0.1 + 1, dim=1)
    codes = torch.cat([around, -around[:1]])  # the last is unlike all others
    picked = exemplars(codes, most=4)
    assert picked.shape == (4, 8)
    assert not (picked == codes[-1]).all(dim=1).any()
    assert len({tuple(code.tolist()) for code in picked}) == 4
    spread = torch.pdist(picked).min()
    assert spread >= torch.pdist(around[:4]).min()
    assert torch.equal(exemplars(codes[:1]), codes[:1])


def test_publish(tiny_painter, config, tmp_path):
    Trainer(tiny_painter, dataclasses.replace(config, updates=1)).train()
    interval = {"value": 0.5, "low": 0.25, "high": 0.75}
    scores = dict.fromkeys(("photos", "results", "paintings"), interval) | {"rises": True}
    report = {
        "protocol": "as it is",
        "pictures": {"held photo": 20},
        "deception": {"network": {"statistics": "means", "styles": {"dots": scores, "lines": scores}}},
        "content_similarity": dict.fromkeys(("dots", "lines", "another photo"), interval),
    }
    (tmp_path / "report.json").write_text(json.dumps(report))
    (tmp_path / "sources.md").write_text("From a friend.")
    Image.effect_mandelbrot((90, 70), (-2, -1.5, 1, 1.5), 20).save(tmp_path / "photo.png")
    options = ["--photos", str(tmp_path / "photo.png"), "--sources", str(tmp_path / "sources.md")]
    options += ["--evaluation", str(tmp_path / "report.json"), "--title", "Our Painter"]
    out = tmp_path / "package"
    for _ in range(2):  # a package is replaced
        assert main([str(config.out), "--out", str(out), *options]) == 0
    card = (out / "README.md").read_text()
    assert "# Our Painter" in card and "From a friend." in card
    assert "| dots | 0.50 (0.25 to 0.75) | 0.50 (0.25 to 0.75) | **0.50 (0.25 to 0.75)** | 20 |" in card
    assert [entry.metric_value for entry in ModelCard(card).data.eval_results] == [0.5] * 4
    assert Image.open(out / "samples" / "photo-1.jpg").size == (90, 70)
    assert load_pipeline(out).styles == ["dots", "lines"]


def test_publish_spares_other_folders(tiny_painter, config, tmp_path, capsys):
    Trainer(tiny_painter, dataclasses.replace(config, updates=1)).train()
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("keep me")
    assert main([str(config.out), "--out", str(tmp_path / "letters")]) == 2
    assert (tmp_path / "letters" / "dear.txt").exists()
    assert main([str(tmp_path / "nothing"), "--out", str(tmp_path / "x")]) == 2
    assert "no finished package" in capsys.readouterr().err


def test_photos_are_for_painters_only(tmp_path, capsys):
    torch.manual_seed(0)
    TranslatorExport(Cyclegan(updates=1, data=Unpaired(world="ink", crop=32)), "g")(
        {"g": ResnetGenerator(base_channels=4, num_blocks=1)}, tmp_path / "run" / "pipeline"
    )
    assert main([str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--photos", "photo.jpg"]) == 2
    assert "--photos are for painters" in capsys.readouterr().err
    assert main([str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--title", "Ink"]) == 0
    assert "# Ink" in (tmp_path / "out" / "README.md").read_text()
