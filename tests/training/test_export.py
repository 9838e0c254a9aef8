"""A training leaves a package that loads, paints, and explains itself."""

import dataclasses

import torch
from PIL import Image

from styletransfer import load_pipeline
from styletransfer.catalog import read_package
from training.export import exemplars
from training.trainer import Trainer


def test_package_of_a_run(tiny_painter, config, pictures):
    data = tiny_painter.data
    trainer = Trainer(tiny_painter, dataclasses.replace(config, updates=2))
    trainer.train()
    folder = config.out / "pipeline"
    package = read_package(folder)
    assert package.styles == ("dots", "lines")
    assert package.thumbnail("dots").is_file()
    card = (folder / "README.md").read_text()
    assert "dots (2), lines (2)" in card and "--updates" in card and "$" not in card
    assert str(pictures) not in card  # no path of the machine that trained it

    pipe = load_pipeline(folder)
    for name, style in pipe.style_codes.items():
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
