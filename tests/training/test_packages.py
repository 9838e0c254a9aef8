"""What the presets train becomes packages that load, work, and explain themselves."""

import dataclasses
import json
import shlex
from pathlib import Path

import pytest
import torch
import tyro
from PIL import Image

from styletransfer import load_pipeline
from styletransfer.catalog import read_front_matter, read_package
from styletransfer.models.dcgan_generator import DCGANGenerator
from styletransfer.models.domain_generator import DomainGenerator
from styletransfer.models.resnet_generator import ResnetGenerator
from styletransfer.models.upscale_generator import UpscaleGenerator
from training.options import Data, Features, Hub, Labelled, Pairs, Pictures, Unpaired
from training.packaging.cards import write_card
from training.packaging.command import describe, flat
from training.packaging.export import generator, translator
from training.presets import PRESETS
from training.presets.cut import Cut
from training.presets.cyclegan import Cyclegan
from training.presets.dcgan import Dcgan
from training.presets.painter import Painter
from training.presets.pix2pix import Pix2pix
from training.presets.stargan import Stargan
from training.presets.superres import Superres

RESNET = {"base_channels": 4, "num_blocks": 1}
DRAWN = {
    "unpaired": (Cyclegan(updates=1, data=Unpaired(world="palette", crop=32)), ResnetGenerator, RESNET, None),
    "pairs": (Pix2pix(updates=1, data=Pairs(world="ink", crop=32)), ResnetGenerator, RESNET, None),
    "labelled": (
        Stargan(updates=1, data=Labelled(worlds=("ink",), crop=32)),
        DomainGenerator,
        {**RESNET, "num_domains": 2},
        ["plain", "ink"],
    ),
    "pictures": (Superres(updates=1, data=Pictures(crop=64)), UpscaleGenerator, {**RESNET, "scale": 4}, None),
}


@pytest.fixture(params=DRAWN)
def exported(request, tmp_path):
    """A run's package folder, its config, and the network that it was made from."""
    config, network, arguments, domains = DRAWN[request.param]
    torch.manual_seed(0)
    net = network(**arguments).eval()
    folder = tmp_path / "run" / "pipeline"
    translator(config, "g", domains)({"g": net, "other": torch.nn.Identity()}, folder)
    return folder, config, net


def test_a_translator_loads_with_its_weights(exported):
    folder, _, net = exported
    pipe = load_pipeline(folder)
    assert all(torch.equal(value, pipe.translator.state_dict()[name]) for name, value in net.state_dict().items())
    photo = Image.new("RGB", (20, 17), "teal")
    assert pipe(photo, pipe.looks[0]).images[0].size == (20 * pipe.scale, 17 * pipe.scale)


def test_its_samples_are_held_out_pictures_and_their_translations(exported):
    folder, config, _ = exported
    pipe = load_pipeline(folder)
    photos = sorted((folder / "samples").glob("photo-*.jpg"))
    assert len(photos) == 4
    assert Image.open(photos[0]).size == (config.data.crop // pipe.scale,) * 2
    columns = 1 + len(pipe.looks)
    captions = 28 * (len(pipe.looks) > 1)
    assert Image.open(folder / "samples" / "sheet.jpg").size == (
        columns * (config.data.crop + 8) + 8,
        4 * (config.data.crop + 8) + 8 + captions,
    )


def test_its_card_names_everything(exported):
    folder, config, net = exported
    package = read_package(folder)
    assert package.title == "run" and package.kind == "TranslationPipeline"
    assert read_front_matter(folder / "README.md")["pipeline_tag"] == "image-to-image"
    card = (folder / "README.md").read_text()
    assert f"`{type(net).__name__}`" in card and "--updates 1" in card and "$" not in card
    assert "Nobody's pictures" in card and ("worlds.py" in card)
    assert ("Its domains are plain, ink." in card and 'style="ink"' in card) == isinstance(config, Stargan)
    fields = json.loads((folder / "card.json").read_text())
    write_card(folder, fields | {"title": "Zebras", "results": "Very good."})
    assert "# Zebras" in (folder / "README.md").read_text() and "Very good." in (folder / "README.md").read_text()


def test_pictures_from_noise(tmp_path):
    net = DCGANGenerator(z_size=8, base_channels=4, image_size=16).eval()
    folder = tmp_path / "noise" / "pipeline"
    generator(Dcgan(updates=1, data=Pictures(crop=16, world="ink")), "g")({"g": net}, folder)
    assert load_pipeline(folder)(seeds=[3]).images[0].size == (16, 16)
    assert Image.open(folder / "samples" / "sheet.jpg").size == (104, 104)
    card = (folder / "README.md").read_text()
    assert read_front_matter(folder / "README.md")["pipeline_tag"] == "unconditional-image-generation"
    assert "# noise" in card and "rendered as ink." in card and "$" not in card


def test_folders_are_named_without_their_paths(pictures, tmp_path):
    config = Cyclegan(updates=1, data=Unpaired(a=pictures / "photos", b=pictures / "paintings" / "dots", crop=32))
    folder = tmp_path / "run" / "pipeline"
    translator(config, "g")({"g": ResnetGenerator(**RESNET)}, folder)
    card = (folder / "README.md").read_text() + (folder / "card.json").read_text()
    assert "Folders of pictures: a (photos), b (dots)." in card and "those of whoever trained" in card
    assert "--data.crop 32 --data.a photos --data.b dots" in card
    assert "* a: 4 files, `" in card and "* b: 2 files, `" in card
    assert str(tmp_path) not in card


@pytest.mark.parametrize(
    "config",
    [
        Cyclegan(updates=7, data=Unpaired(world="mosaic")),
        Cut(minutes=1.5, identity=False, patches=64, data=Unpaired(a=Path("a b"), b=Path("c"))),
        Stargan(updates=1, seed=3, data=Labelled(worlds=("ink", "mosaic"))),
        Superres(updates=1, features=Features(weights="x.safetensors", normalization="caffe")),
        Dcgan(updates=1, augment=True, rate=1e-5),
        Painter(minutes=2, data=Data(photos=Path("p"), paintings=Path("q")), pretrained="user/painter"),
        Painter(updates=9, data=Data(photos=Path("a b"), paintings=Path("q"), crop=64), style=30.0),
    ],
    ids=lambda config: type(config).__name__,
)
def test_the_command_of_the_card_gives_the_same_options(config):
    command = describe(config).splitlines()[1]
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "training"]
    parsed = tyro.cli(PRESETS[words[3]], args=words[4:])
    assert type(parsed) is type(config) and flat(parsed.resolved()) == flat(config.resolved())
    assert dataclasses.replace(parsed, out=config.out).resolved() == config.resolved()


def test_options_that_change_no_result_are_left_out():
    assert not {"out", "resume", "log_every", "tracker", "hub.repo"} & flat(Cyclegan(updates=1)).keys()
    assert {"seed", "batch", "data.crop", "cycle"} <= flat(Cyclegan(updates=1)).keys()


def test_where_a_training_starts_from_is_named_without_its_path(tmp_path):
    config = Painter(updates=1, data=Data(photos=Path("p"), paintings=Path("q")), pretrained=str(tmp_path / "stage-2"))
    assert flat(config)["pretrained"] == "stage-2" and str(tmp_path) not in describe(config)
    assert flat(dataclasses.replace(config, pretrained="user/painter"))["pretrained"] == "user/painter"


def test_a_package_that_is_pushed_names_its_repository(tmp_path):
    folder = tmp_path / "noise" / "pipeline"
    config = Dcgan(updates=1, data=Pictures(crop=16), hub=Hub(repo="me/scenes"))
    generator(config, "g")({"g": DCGANGenerator(z_size=8, base_channels=4, image_size=16).eval()}, folder)
    assert 'load_pipeline("me/scenes")' in (folder / "README.md").read_text()
