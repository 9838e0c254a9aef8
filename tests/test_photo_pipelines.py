"""Whatever turns a photo into a picture does so everywhere: on the command line, in the tabs, under evaluation, as ONNX."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from gradio_client import Client, handle_file
from PIL import Image

from styletransfer import TranslationPipeline, load_pipeline
from styletransfer.__main__ import main
from styletransfer.catalog import read_package
from styletransfer.convert.checkpoint import convert
from styletransfer.images import open_image
from styletransfer.pipelines.photo import PhotoPipeline
from styletransfer.sheet import GAP
from styletransfer.tasks import TASKS
from styletransfer.ui import compare
from styletransfer.ui.look import COLOR, TONE
from styletransfer.ui.page import Page
from styletransfer.ui.studio import NOBODY, NOTHING, OWN, Studio
from tests.conftest import picture
from tests.references import resnet
from tests.tiny import NETWORKS
from tests.ui.noise import serve, write_noise_package
from training.__main__ import main as train

TRANSLATORS = [name for name, row in NETWORKS.items() if row.network in TranslationPipeline.networks]
KINDS = ["tiny", "converted", *TRANSLATORS]
DOMAINS = ["plain", "ink", "haze"]
SLIDERS = (1, 1, TONE, COLOR)  # strength, brush, tone, color


@pytest.fixture(scope="module")
def packages(tiny_package, tmp_path_factory) -> dict[str, Path]:
    """The painter, a converted checkpoint, and every translator with random weights, by name."""
    root = tmp_path_factory.mktemp("photo_packages")
    for name in TRANSLATORS:
        row = NETWORKS[name]
        TranslationPipeline(row.build().eval(), DOMAINS[: row.arguments.get("num_domains", 0)]).save_pretrained(root / name)
    torch.manual_seed(0)
    torch.save(resnet.cyclegan(4, 6).state_dict(), root / "latest_net_G.pth")
    convert(root / "latest_net_G.pth", root / "converted")
    return {"tiny": tiny_package} | {name: root / name for name in KINDS[1:]}


@pytest.fixture(scope="module")
def load():
    return cache(load_pipeline)


@pytest.fixture
def photo(tmp_path) -> Path:
    picture().save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def look(package: Path) -> str | None:
    """The last of what a package offers."""
    return read_package(package).looks[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_line_writes_a_picture_of_the_photo(kind, packages, load, photo, tmp_path):
    style = look(packages[kind])
    named = ["--style", style] if style else []
    assert main([str(photo), "-o", str(tmp_path / "out.png"), "--package", str(packages[kind]), *named]) == 0
    pipe = load(packages[kind])
    assert np.array_equal(open_image(tmp_path / "out.png"), pipe(picture(), style).images[0])
    assert open_image(tmp_path / "out.png").size == (70 * pipe.scale, 65 * pipe.scale)


@pytest.mark.parametrize("kind", KINDS)
def test_the_protocol(kind, packages, load):
    pipe, package = load(packages[kind]), read_package(packages[kind])
    assert isinstance(pipe, PhotoPipeline) and pipe.task is package.task is TASKS[package.kind]
    assert {*pipe.looks} == {*package.looks} and pipe.styles == [name for name in pipe.looks if name]
    pipe.resolve(pipe.looks[0], 1.5)
    for strength in (-1, 1.6, float("nan")):
        with pytest.raises(ValueError, match="strength"):
            pipe.resolve(pipe.looks[0], strength)
    before = picture() if pipe.scale == 1 else picture().resize((70 * pipe.scale, 65 * pipe.scale), Image.Resampling.BICUBIC)
    black = Image.new("L", (70, 65))
    for options in ({"strength": 0}, {"mask": black}):
        assert np.array_equal(pipe(picture(), pipe.looks[0], **options).images[0], before)
    parts = []
    pipe(picture(), pipe.looks[0], progress=parts.append, return_dict=False)
    assert parts[-1] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_stylise_tab(kind, packages, load, photo):
    package = read_package(packages[kind])
    room = Studio(Page([package], load, None, None, None), None)
    key, choice = [*room.styles(NOBODY).items()][-1]
    wanted = load(packages[kind])(picture(), choice.style, **({"tone": 0.5} if "tone" in package.task.controls else {})).images[0]
    (_, after), seen, *_ = room.preview(str(photo), key, *SLIDERS, NOTHING, 0.5, None, NOBODY, ())
    assert np.array_equal(after, wanted) and (seen.package, seen.style) == (package.name, choice.name)
    with Image.open(room.stylise(str(photo), key, *SLIDERS, format="png")) as full:
        assert np.array_equal(full, wanted)
    assert room.thumbnail_cards(str(photo), NOBODY).count("data:image/jpeg") == len(package.looks)
    own, second, mixing, *sliders = room.follow(key, NOTHING, NOBODY)
    paints = package.task.any_painting
    assert not own["visible"] and mixing["visible"] == paints and [slider["visible"] for slider in sliders] == [paints] * 3
    assert (len(second["choices"]) > 1) == paints and (OWN in [key for _, key in room.gallery(NOBODY, key)["choices"]]) == paints
    assert room.settings(seen, NOBODY)[0]["value"] == key and room.surprise(NOBODY, None)[0]["value"] in room.styles(NOBODY)


def test_the_compare_tab_and_the_api(packages, load, photo, tmp_path):
    shown = {name: packages[name] for name in ("tiny", "converted", "domain_generator", "upscale_generator")}
    noise = write_noise_package(tmp_path / "noise")
    with serve([*shown.values(), noise], tmp_path / "gradio") as url:
        client = Client(url, verbose=False, analytics_enabled=False)
        endpoint = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/compare"]
        assert endpoint["parameters"][1]["type"]["enum"] == [*shown, compare.ALL]
        for name, folder in shown.items():
            with Image.open(client.predict(handle_file(photo), name, [1.0], api_name="/compare")) as sheet:
                cells = 1 + len(read_package(folder).looks)
                widths = 70 * cells if name != "upscale_generator" else 70 + min(compare.SIZE, 70 * load(folder).scale)
                assert sheet.width == widths + GAP * (cells + 1), name
        painted = client.predict(photo=handle_file(photo), style="converted", strength=0.5, format="png", api_name="/stylise")
        with Image.open(painted) as image:
            assert np.array_equal(image, load(packages["converted"])(picture(), strength=0.5).images[0])


def refused(capsys, *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    return capsys.readouterr().err


def test_what_a_translator_has_not_is_refused_in_a_sentence(packages, photo, tmp_path, capsys):
    one, many = ["-p", packages["converted"]], ["-p", packages["domain_generator"]]
    call = [photo, "-o", tmp_path / "out.png"]
    assert "converted has no --brush, only --strength and --mask" in refused(capsys, *call, *one, "--brush", 2)
    assert "there is no style 'alpha', only none at all" in refused(capsys, *call, *one, "-s", "alpha")
    assert "--style must be given: " in refused(capsys, *call, *many)
    assert "there is no style 'ink=1'" in refused(capsys, *call, *many, "-s", "ink=1")
    assert "--strength must be from 0 to 1.5" in refused(capsys, *call, *one, "--strength", 2)
    noise = write_noise_package(tmp_path / "noise")
    assert "noise is a GenerationPipeline, which turns no photo into a picture" in refused(capsys, *call, "-p", noise)
    assert not (tmp_path / "out.png").exists()


def test_strength_and_mask_on_the_command_line(packages, load, photo, tmp_path):
    mask = Image.linear_gradient("L").resize((70, 65))
    mask.save(tmp_path / "mask.png")
    options = ["--strength", "0.6", "--mask", str(tmp_path / "mask.png"), "-p", str(packages["converted"])]
    assert main([str(photo), "-o", str(tmp_path / "out.png"), *options]) == 0
    wanted = load(packages["converted"])(picture(), strength=0.6, mask=mask).images[0]
    assert np.array_equal(open_image(tmp_path / "out.png"), wanted)


def test_a_list_of_packages_names_the_domains(packages, capsys):
    assert main(["--list", "-p", str(packages["domain_generator"])]) == 0
    assert sorted(capsys.readouterr().out.split()) == sorted(["domain_generator", *DOMAINS])


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation(kind, packages, tmp_path):
    styles = [name for name in read_package(packages[kind]).looks if name]
    for folder in ("photos", *(f"paintings/{style}" for style in styles or ["."])):
        (tmp_path / folder).mkdir(parents=True)
        for seed in range(4):
            picture((270, 260), seed).save(tmp_path / folder / f"{seed}.png")
    out, metrics = tmp_path / "report.json", ["swd", "color"]
    if load_pipeline(packages[kind]).scale == 1:
        metrics.append("rise_with_strength")
    folders = ["--photos", str(tmp_path / "photos"), "--paintings", str(tmp_path / "paintings")]
    assert train(["evaluate", str(packages[kind]), *folders, "--metrics", *metrics, "--json", str(out)]) == 0
    rows = json.loads(out.read_text())["scores"]
    assert {(row["metric"], row["style"]) for row in rows} == {
        (metric, style) for metric in metrics for style in styles or [None]
    }
    assert all(row["value"] == 1 for row in rows if row["metric"] == "rise_with_strength")
