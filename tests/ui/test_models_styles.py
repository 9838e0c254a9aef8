"""Looks become style files that do the same, and style files become styles."""

import numpy as np
import pytest
import torch

from styletransfer.styles import Style
from styletransfer.ui.look import Look
from styletransfer.ui.style_files import MAX_STYLE_BYTES, fold, free_name, read_style
from styletransfer.ui.visitor import Visitor
from tests.conftest import picture, unit_codes


def painted(pipe, style, strength, photo=None) -> np.ndarray:
    return pipe(photo or picture(), style, strength=strength, output_type="np").images[0]


@pytest.fixture
def photo(tmp_path) -> str:
    picture().save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(styles=(Style(unit_codes(1, seed=5), "gamma"),))


@pytest.mark.parametrize("strength", [0.4, 1.3])
def test_a_style_alone_keeps_its_exemplars_for_every_photo(tiny_pipe, strength):
    style, mixed = fold(tiny_pipe, Look("tiny", "alpha"), Visitor(), None, "mine")
    assert not mixed and style.name == "mine" and len(style.codes) == 3
    for seed in range(3):
        shown = picture(seed=seed)
        np.testing.assert_array_equal(painted(tiny_pipe, style, strength, shown), painted(tiny_pipe, "alpha", strength, shown))


def test_a_mixture_of_single_exemplars_is_one_code_for_every_photo(tiny_pipe, visitor, photo):
    tiny_pipe.add_style(visitor.styles[0])
    look = Look("tiny", "beta", second="gamma", mix=0.3)
    style, mixed = fold(tiny_pipe, look, visitor, photo, "mine")
    assert not mixed and len(style.codes) == 1
    for seed in range(3):
        expected = painted(tiny_pipe, {"beta": 0.7, "gamma": 0.3}, 0.8, picture(seed=seed))
        np.testing.assert_allclose(painted(tiny_pipe, style, 0.8, picture(seed=seed)), expected, atol=1e-5)


def test_a_mixture_of_several_exemplars_is_that_of_the_photo(tiny_pipe, photo):
    look = Look("tiny", "alpha", second="beta", mix=0.4)
    style, mixed = fold(tiny_pipe, look, Visitor(), photo, "mine")
    assert mixed
    np.testing.assert_allclose(painted(tiny_pipe, style, 1.2), painted(tiny_pipe, {"alpha": 0.6, "beta": 0.4}, 1.2), atol=1e-5)
    without, mixed = fold(tiny_pipe, look, Visitor(), None, "mine")
    assert mixed and not torch.allclose(without.codes, style.codes)


@pytest.mark.parametrize(("mix", "one"), [(0.0, "alpha"), (1.0, "beta")])
def test_the_ends_of_the_mixture_are_the_styles(tiny_pipe, mix, one):
    style, mixed = fold(tiny_pipe, Look("tiny", "alpha", second="beta", mix=mix), Visitor(), None, "mine")
    assert not mixed and torch.equal(style.codes, tiny_pipe.named[one].codes)


def test_a_look_of_what_is_gone_is_refused(tiny_pipe):
    for look in (Look("tiny", "own painting"), Look("tiny", "alpha", second="gone")):
        with pytest.raises(ValueError, match="cannot be saved"):
            fold(tiny_pipe, look, Visitor(), None, "mine")
    with pytest.raises(ValueError, match="must be 1 to 64 characters"):
        fold(tiny_pipe, Look("tiny", "alpha"), Visitor(), None, "a/b")


def test_a_style_file_is_read_and_renamed_where_the_name_is_taken(tiny_pipe, tmp_path):
    path = tmp_path / "x.safetensors"
    Style(unit_codes(2, seed=3), "alpha").save(path)
    style = read_style(str(path), tiny_pipe, "tiny", ["alpha", "alpha 2"])
    assert style.name == "alpha 3" and torch.equal(style.codes, unit_codes(2, seed=3))
    assert free_name("n" * 64, {"n" * 64}) == "n" * 58 + " 2" and free_name("new", set()) == "new"


@pytest.mark.parametrize("content", [b"", b"<html>", b"x" * (MAX_STYLE_BYTES + 1), b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_no_style_file_is_refused_by_its_name_alone(tiny_pipe, tmp_path, content):
    path = tmp_path / "evil.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^evil\.safetensors is not a style file\.$"):
        read_style(str(path), tiny_pipe, "tiny", [])


def test_a_style_of_another_size_is_refused(tiny_pipe, tmp_path):
    Style(unit_codes(1, seed=3, size=6), "small").save(tmp_path / "x.safetensors")
    with pytest.raises(ValueError, match="small has codes of 6 numbers; tiny takes 8"):
        read_style(str(tmp_path / "x.safetensors"), tiny_pipe, "tiny", [])


@pytest.fixture(scope="module")
def client(url):
    from gradio_client import Client

    return Client(url, verbose=False, analytics_enabled=False)


def test_the_endpoint_saves_what_the_pipeline_encodes_and_loads_it(client, photo, tiny_pipe):
    from gradio_client import handle_file

    saved = client.predict("brick", handle_file(photo), "tiny", api_name="/save_style")
    saved = saved["value"] if isinstance(saved, dict) else saved
    style = Style.load(saved)
    torch.testing.assert_close(style.codes, tiny_pipe.encode_style(picture()).codes)
    assert style.name == "brick"
    assert client.predict(handle_file(saved), "tiny", api_name="/load_style") == "brick"
    assert client.predict(handle_file(saved), "tiny", api_name="/load_style") == "brick 2"


def test_the_endpoints_refuse_in_a_sentence(client, photo, tmp_path):
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match="must be 1 to 64 characters"):
        client.predict("a/b", handle_file(photo), "tiny", api_name="/save_style")
    (tmp_path / "evil.safetensors").write_text("<b>")
    with pytest.raises(AppError, match=r"^evil\.safetensors is not a style file\.$"):
        client.predict(handle_file(tmp_path / "evil.safetensors"), "tiny", api_name="/load_style")
