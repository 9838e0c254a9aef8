import inspect
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import styletransfer
from styletransfer import Style, StyleTransferPipeline
from styletransfer.__main__ import NUMBERS, main, parse_style
from styletransfer.catalog import read_package
from styletransfer.pipelines.painting import BRUSHES, SIZES
from styletransfer.pipelines.photo import MAX_STRENGTH
from tests.conftest import picture, unit_codes

ROOT = Path(styletransfer.__file__).parents[1]


@pytest.fixture
def work(tmp_path, tiny_package, monkeypatch):
    """A folder with photo.jpg, and the tiny package as the default one."""
    monkeypatch.setenv("STYLETRANSFER_PACKAGE", str(tiny_package))
    monkeypatch.chdir(tmp_path)
    picture().save("photo.png")
    return tmp_path


def python(*arguments: str, package: Path | None = None) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | ({"STYLETRANSFER_PACKAGE": str(package)} if package else {})
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment)


def refused(capsys, *arguments: str) -> str:
    """The one sentence by which the command line refuses `arguments`."""
    assert main([*arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
    return error


def test_help_list_and_mistakes_import_neither_torch_nor_diffusers(work, tiny_package):
    options = ["-o", "out.png", "-s", "alpha"]
    calls = {
        "help": ["--help"],
        "list": ["--list"],
        "list a package": ["--list", "--package", str(tiny_package)],
        "nothing": [],
        "no photo": ["none.jpg", *options],
        "no style": ["photo.png", "-o", "out.png", "-s", "alpah"],
        "no format": ["photo.png", "-o", "out.txt", "-s", "alpha"],
        "too strong": ["photo.png", *options, "--strength", "2"],
    }
    script = f"""
import sys
import styletransfer
from styletransfer.__main__ import main
for name, arguments in {calls!r}.items():
    try:
        main(arguments)
    except SystemExit:
        pass
    heavy = [module for module in ("torch", "diffusers", "gradio", "numpy", "PIL") if module in sys.modules]
    print("imported by", name, heavy)
"""
    lines = python("-c", script, package=tiny_package).stdout.splitlines()
    assert [line for line in lines if line.startswith("imported")] == [f"imported by {name} []" for name in calls]


def test_the_list_names_packages_and_styles(work, tiny_package, capsys):
    assert main(["--list", "--package", str(tiny_package)]) == 0
    assert capsys.readouterr().out == "tiny: Tiny\n  alpha  The Bridge, Nobody, 1900\n  beta\n"


@pytest.mark.slow
def test_the_command_of_the_readme(work, tiny_package):
    result = python(
        "-m", "styletransfer", "photo.png", "-o", "new/out.png", "--style", "alpha", "--strength", "0.7", package=tiny_package
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "new/out.png\n", "")
    pipe = styletransfer.load_pipeline(tiny_package)
    assert np.array_equal(Image.open("new/out.png"), pipe(picture(), style="alpha", strength=0.7).images[0])


def test_styles_by_mixture_painting_and_file(work, tiny_pipe):
    picture(seed=5).save("painting.png")
    Style(unit_codes(1, seed=4), "mine").save("mine.safetensors")
    wanted = {
        "alpha=0.5,beta=0.25": {"alpha": 0.5, "beta": 0.25},
        "painting.png": picture(seed=5),
        "mine.safetensors": Style(unit_codes(1, seed=4), "mine"),
    }
    for text, style in wanted.items():
        assert main(["photo.png", "-o", "out.png", "--style", text, "--overwrite"]) == 0
        assert np.array_equal(Image.open("out.png"), tiny_pipe(picture(), style=style).images[0])


def test_mask_colours_and_strokes(work, tiny_pipe):
    mask = Image.linear_gradient("L").resize((70, 65))
    mask.save("mask.png")
    numbers = {"tone": 0.2, "color": 0.3, "brush": 1.5, "size": 128}
    options = [word for name, value in numbers.items() for word in (f"--{name}", str(value))]
    assert main(["photo.png", "-o", "out.png", "-s", "beta", "--mask", "mask.png", *options]) == 0
    assert np.array_equal(Image.open("out.png"), tiny_pipe(picture(), "beta", mask=mask, **numbers).images[0])


def test_its_numbers_are_those_of_the_pipeline():
    signature = inspect.signature(StyleTransferPipeline.__call__).parameters
    limits = {"strength": (0, MAX_STRENGTH), "tone": (0, 1), "color": (0, 1), "brush": BRUSHES, "size": SIZES}
    assert {name: (*limits[name], signature[name].default) for name in limits} == {
        name: tuple(numbers[:3]) for name, numbers in NUMBERS.items()
    }


def test_a_big_photo_has_a_bar(work, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", io.TextIOWrapper(io.BytesIO(), write_through=True))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    picture(seed=1).save("other.png")
    assert main(["photo.png", "other.png", "-o", "out", "-s", "beta"]) == 0
    shown = sys.stderr.buffer.getvalue().decode()
    assert "painting: 100%" in shown and "2 of 2" in shown


def test_a_folder_goes_into_a_folder_and_a_broken_picture_stops_nothing(work, capsys):
    (work / "in" / "deeper").mkdir(parents=True)
    for name in ("a.png", "b.gif", "deeper/c.JPG"):
        picture().save(work / "in" / name)
    (work / "in" / "broken.jpg").write_bytes(b"nothing")
    (work / "in" / "notes.txt").write_text("nothing")
    for _ in range(2):  # the second run does not paint the paintings of the first
        assert main(["in", "-o", "in/painted", "--style", "beta", "--overwrite"]) == 1
        out, error = capsys.readouterr()
        assert out == "3 of 4 photos painted into in/painted\n"
        assert error == f"failed: {Path('in/broken.jpg')} is not a picture that can be read\n"
    painted = sorted(str(path.relative_to("in/painted")) for path in Path("in/painted").rglob("*.*"))
    assert painted == ["a.png", "b.gif.png", "deeper/c.JPG"]


def test_several_photos_go_into_a_folder_and_one_may(work, capsys):
    picture(seed=1).save("other.png")
    assert main(["photo.png", "other.png", "-o", "out", "-s", "beta"]) == 0
    assert main(["photo.png", "-o", "single/", "-s", "beta"]) == 0
    assert capsys.readouterr().out == "2 of 2 photos painted into out\nsingle/photo.png\n"
    assert np.array_equal(Image.open("out/photo.png"), Image.open("single/photo.png"))


def test_formats_keep_what_they_can(work):
    image = picture(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = bytes(16) + b"RGB " + bytes(108)
    image.save("turned.png", exif=exif, icc_profile=profile)
    for suffix in ("png", "jpg", "webp", "tiff", "bmp"):
        assert main(["turned.png", "-o", f"out.{suffix}", "-s", "beta"]) == 0
        with Image.open(f"out.{suffix}") as result:
            assert result.size == (65, 70) and result.getexif().get(0x0112, 1) == 1
            assert result.mode == ("RGB" if suffix in {"jpg", "bmp"} else "RGBA")
            if suffix != "bmp":
                assert result.info["icc_profile"] == profile
    corner = Image.open("out.jpg").getpixel((64, 0))  # transparent in the photo: white where nothing can be transparent
    assert min(corner) > 245


def test_nothing_is_overwritten_unasked(work, capsys):
    picture(seed=3).save("painting.png")
    before = Path("painting.png").read_bytes()
    assert "--overwrite" in refused(capsys, "photo.png", "-o", "painting.png", "-s", "beta")
    assert Path("painting.png").read_bytes() == before
    for asked in ([], ["--overwrite"]):
        line = refused(capsys, "photo.png", "-o", "painting.png", "-s", "painting.png", *asked)
        assert "never overwritten" in line or not asked
        line = refused(capsys, "photo.png", "-o", "painting.png", "-s", "beta", "--mask", "painting.png", *asked)
        assert "never overwritten" in line or not asked
    assert Path("painting.png").read_bytes() == before
    assert main(["photo.png", "-o", "painting.png", "-s", "beta", "--overwrite"]) == 0
    assert Path("painting.png").read_bytes() != before


def test_a_folder_goes_on_where_it_stopped(work, capsys):
    Path("in").mkdir()
    for number in range(2):
        picture(seed=number).save(f"in/{number}.png")
    Path("out").mkdir()
    Path("out/0.png").write_text("painted before")
    assert main(["in", "-o", "out", "-s", "beta"]) == 0
    assert "1 of 2 are there already" in capsys.readouterr().out
    assert Path("out/0.png").read_text() == "painted before" and Image.open("out/1.png").size == picture().size
    assert main(["in", "-o", "out", "-s", "beta"]) == 0 and main(["in", "-o", "out", "-s", "beta", "--overwrite"]) == 0
    assert Image.open("out/0.png").size == picture().size


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff", "bmp"])
def test_a_picture_that_cannot_be_written_leaves_the_one_before(work, capsys, suffix):
    resource = pytest.importorskip("resource")
    picture(seed=3).save(f"painting.{suffix}")
    before = Path(f"painting.{suffix}").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))  # the disk takes a part, as one that is full does
    try:
        line = refused(capsys, "photo.png", "-o", f"painting.{suffix}", "-s", "beta", "--overwrite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert line == f"error: painting.{suffix}: File too large\n"
    assert Path(f"painting.{suffix}").read_bytes() == before and not list(Path().glob(".*part*"))


def test_a_painting_too_long_for_its_format_is_refused_by_name(work, capsys):
    Image.new("RGB", (16500, 8)).save("long.png")
    assert "long.webp cannot be written: " in refused(capsys, "long.png", "-o", "long.webp", "-s", "beta")


def test_the_photo_is_never_overwritten(work, capsys):
    before = Path("photo.png").read_bytes()
    os.link("photo.png", "same.png")
    for output in ("photo.png", "./photo.png", "same.png", "."):
        assert "is the photo itself, which is never overwritten" in refused(capsys, "photo.png", "-o", output, "-s", "beta")
    assert Path("photo.png").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "PHOTO and -o must be given; --help shows examples"),
        (["photo.png", "-o", "out.png"], "--style must be given: alpha, beta"),
        (["photo.png", "-s", "beta"], "-o must be given"),
        (["none.png", "-o", "out.png", "-s", "beta"], "none.png does not exist"),
        (["photo.png", "-o", "out.xyz", "-s", "beta"], "out.xyz cannot be written: its name must end in one of .bmp"),
        (["photo.png", "-o", "out.png", "-s", "bta"], "there is no style 'bta', only alpha, beta; did you mean beta?"),
        (["photo.png", "-o", "out.png", "-s", "none.jpg"], "none.jpg does not exist; --style takes a picture or a style by name"),
        (["photo.png", "-o", "out.png", "-s", "text.txt"], "text.txt is not a picture that can be read"),
        (["photo.png", "-o", "out.png", "-s", "alpha=x"], "'alpha=x' must be a style and its weight, such as alpha=0.5"),
        (["photo.png", "-o", "out.png", "-s", "alpha=0.5,gamma=0.5"], "there is no style 'gamma'"),
        (["photo.png", "-o", "out.png", "-s", "alpha=1,beta=1"], "sum of the weights must be at most 1.5, got 2"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--strength", "2"], "--strength must be from 0 to 1.5, got 2"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--tone", "-1"], "--tone must be from 0 to 1, got -1"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--color", "nan"], "--color must be from 0 to 1, got nan"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--brush", "3"], "--brush must be from 0.5 to 2, got 3"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--size", "10"], "--size must be from 64 to 2048, got 10"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--mask", "none.png"], "none.png does not exist"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--mask", "small.png"], "the mask must have the size of its photo"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--package", "none"], "none does not exist, and is no Hub id"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--package", "empty"], "empty is not a style package"),
        (["photo.png", "-o", "out.png", "-s", "beta", "--device", "nonsense"], "device 'nonsense' cannot be used"),
        (["text.txt", "-o", "out.png", "-s", "beta"], "text.txt is not a picture that can be read"),
        (["empty", "-o", "out", "-s", "beta"], "there are no pictures in empty"),
        (["photo.png", "small.png", "-o", "out.png", "-s", "beta"], "out.png must be a folder to take several paintings"),
        (["photo.png", "deeper/photo.png", "-o", "out", "-s", "beta"], "would both be written to out/photo.png"),
        (["photo.png", "-o", "text.txt/out.png", "-s", "beta"], "text.txt"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_answered_in_one_sentence(work, capsys, arguments, message):
    picture((20, 20)).save("small.png")
    Path("text.txt").write_text("nothing")
    Path("empty").mkdir()
    Path("deeper").mkdir()
    shutil.copy("photo.png", "deeper")
    assert message in refused(capsys, *arguments)


def test_a_style_goes_before_a_file_of_its_name(work, tiny_package):
    Path("alpha").write_text("nothing")
    package = read_package(tiny_package)
    assert parse_style("alpha", package) == "alpha"
    assert parse_style("photo.png", package) == Path("photo.png")
    assert parse_style("alpha = 0.5, beta=1", package) == {"alpha": 0.5, "beta": 1.0}


def test_the_library_gives_its_names_without_importing_them():
    script = "import sys, styletransfer; print(dir(styletransfer)); print('torch' in sys.modules); styletransfer.nonsense"
    result = python("-c", script)
    assert "'load_pipeline'" in result.stdout and result.stdout.endswith("False\n")
    assert "module 'styletransfer' has no attribute 'nonsense'" in result.stderr
    for name in styletransfer.__all__:
        assert getattr(styletransfer, name).__name__ == name
