"""Looks become style files that do the same, and style files become styles."""

import numpy as np
import pytest
import torch

from styletransfer.catalog import read_package
from styletransfer.color import Palette
from styletransfer.images import to_tensor
from styletransfer.models.style_adapter import StyleAdapter, changes
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.styles import Style, unit
from styletransfer.ui import style_files
from styletransfer.ui.look import Look
from styletransfer.ui.style_files import MAX_STYLE_BYTES, fold, free_name, mix_adapters, mix_palettes, read_style
from styletransfer.ui.visitor import Choice, Visitor
from tests.conftest import picture, tiny_styles, unit_codes


def painted(pipe, style, strength, photo=None) -> np.ndarray:
    return pipe(photo or picture(), style, strength=strength, output_type="np").images[0]


@pytest.fixture
def photo(tmp_path) -> str:
    picture().save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def own(name: str, pipe, seed: int = 5, about=None) -> Style:
    """A style of one painting, with an adapter."""
    learned = tiny_styles(pipe.stylizer)[0].adapter
    bent = {key: factor.roll(seed).clone() for key, factor in learned.items()}
    return Style(unit_codes(1, seed=seed), name, palettes_of(seed), bent, about or {})


def palettes_of(*seeds: int) -> tuple[Palette, ...]:
    return tuple(Palette.of(to_tensor(picture(seed=seed))) for seed in seeds)


@pytest.fixture
def visitor(tiny_package, tiny_pipe) -> Visitor:
    return Visitor(styles=(Choice(read_package(tiny_package), own("gamma", tiny_pipe)),))


@pytest.mark.parametrize("strength", [0.4, 1.3])
def test_a_style_alone_keeps_all_its_paintings(tiny_pipe, strength):
    style, mixed = fold(tiny_pipe, Look("tiny", "alpha"), Visitor(), None, "mine")
    assert not mixed and style.name == "mine" and len(style.codes) == 3 and style.about["title"] == "The Bridge"
    for seed in range(3):
        shown = picture(seed=seed)
        np.testing.assert_array_equal(painted(tiny_pipe, style, strength, shown), painted(tiny_pipe, "alpha", strength, shown))


def test_a_mixture_is_one_style_that_paints_the_same(tiny_pipe, visitor, photo, tmp_path):
    """But for its colours, which are those of a palette between the two; the file rounds the adapter."""
    look = Look("tiny", "beta", second="gamma", mix=0.3)
    style, mixed = fold(tiny_pipe, look, visitor, photo, "mine")
    assert not mixed and len(style.codes) == len(style.palettes) == 1 and style.adapter
    style.save(tmp_path / "mine.safetensors")
    read = Style.load(tmp_path / "mine.safetensors")
    gamma = visitor.styles[0].style
    for seed in range(3):
        shown = picture(seed=seed)
        strokes = {"tone": 0, "color": 0}  # these alone
        expected = tiny_pipe(shown, {"beta": 0.7, gamma: 0.3}, strength=0.8, output_type="np", **strokes).images[0]
        found = tiny_pipe(shown, read, strength=0.8, output_type="np", **strokes).images[0]
        assert np.abs(found - expected).max() <= 1 / 255 + 1e-6
        other = tiny_pipe(shown, "beta", strength=0.8, output_type="np", **strokes).images[0]
        assert np.abs(found - other).mean() > 4 * np.abs(found - expected).mean()
        assert (
            np.abs(painted(tiny_pipe, read, 0.8, shown) - painted(tiny_pipe, {"beta": 0.7, gamma: 0.3}, 0.8, shown)).mean() < 0.02
        )


def test_a_mixture_of_several_paintings_is_that_of_the_photo(tiny_pipe, photo):
    look = Look("tiny", "alpha", second="beta", mix=0.4)
    alpha, beta = tiny_pipe.named["alpha"], tiny_pipe.named["beta"]
    style, mixed = fold(tiny_pipe, look, Visitor(), photo, "mine")
    nearest = alpha.nearest(Palette.of(to_tensor(picture())))
    assert mixed and torch.allclose(style.codes[0], unit(0.6 * alpha.codes[nearest] + 0.4 * beta.codes[0]))
    without, mixed = fold(tiny_pipe, look, Visitor(), None, "mine")
    assert mixed and torch.allclose(without.codes[0], unit(0.6 * alpha.codes[0] + 0.4 * beta.codes[0]))


def test_changes_of_a_mixture_are_the_sum(tiny_pipe):
    one, two = own("a", tiny_pipe, 5).adapter, own("b", tiny_pipe, 6).adapter
    bias = next(name for name in one if not name.endswith((".up", ".down")))
    without = {name: factor for name, factor in two.items() if name != bias}
    mixed = changes(mix_adapters([one, {}, without], [0.5, 0.2, 0.3]))
    for name, change in changes(one).items():
        expected = 0.5 * change + (0.3 * changes(without)[name] if name in changes(without) else 0)
        torch.testing.assert_close(mixed[name], expected)
    assert mix_adapters([{}, {}], [0.5, 0.5]) == {}


def test_mixtures_of_mixtures_do_not_outgrow_a_file(tiny_pipe, monkeypatch):
    monkeypatch.setattr(style_files, "MAX_RANK", 3)
    adapters = [own(str(seed), tiny_pipe, seed).adapter for seed in (5, 6)]
    mixed = mix_adapters(adapters, [0.5, 0.5])
    assert max(factor.shape[1] for name, factor in mixed.items() if name.endswith(".up")) == 3
    name = max((name for name in mixed if name.endswith(".up")), key=lambda name: mixed[name].shape[0]).removesuffix(".up")
    whole = sum(0.5 * changes(adapter)[name] for adapter in adapters)
    left = torch.linalg.svdvals(whole - changes(mixed)[name])
    torch.testing.assert_close(left.square().sum(), torch.linalg.svdvals(whole)[3:].square().sum())  # the nearest of that rank


def test_a_palette_between_palettes():
    one, two = palettes_of(1, 2)
    (same,) = mix_palettes([one, one, None], [0.3, 0.3, 0.4])
    torch.testing.assert_close((same.mean, same.covariance), (one.mean, one.covariance), atol=1e-5, rtol=1e-4)
    (middle,) = mix_palettes([one, two], [0.5, 0.5])
    assert middle.distance(one) < one.distance(two) / 2 and middle.distance(two) < one.distance(two) / 2
    assert mix_palettes([None, None], [0.5, 0.5]) == ()


def test_a_style_file_of_a_mixture_can_be_loaded_again(tmp_path):
    """At the size of the networks that ship."""
    stylizer = StyleGenerator()
    learned = [StyleAdapter.of(stylizer).factors() for _ in range(2)]
    code = torch.ones(1, stylizer.config.code_size)
    for count in (1, 2, 3):
        mixed = mix_adapters([learned[0]] * count, [1 / count] * count)
        Style(code, "mine", palettes_of(1), mixed).save(tmp_path / "x.safetensors")
        assert (tmp_path / "x.safetensors").stat().st_size < MAX_STYLE_BYTES


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
    Style(unit_codes(2, seed=3), "alpha", palettes_of(1, 2)).save(path)
    style = read_style(str(path), tiny_pipe, "tiny", ["alpha", "alpha 2"])
    assert style.name == "alpha 3" and torch.equal(style.codes, unit_codes(2, seed=3))
    assert free_name("n" * 64, {"n" * 64}) == "n" * 58 + " 2" and free_name("new", set()) == "new"


@pytest.mark.parametrize("content", [b"", b"<html>", b"x" * (MAX_STYLE_BYTES + 1), b"\x08\0\0\0\0\0\0\0{}      "])
def test_what_is_no_style_file_is_refused_by_its_name_alone(tiny_pipe, tmp_path, content):
    path = tmp_path / "evil.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^evil\.safetensors is not a style file\.$"):
        read_style(str(path), tiny_pipe, "tiny", [])


def test_a_style_of_another_model_is_refused(tiny_pipe, tmp_path):
    wide = StyleGenerator(code_size=8, base_channels=16, trunk_channels=8, num_blocks=1)
    learned = StyleAdapter.of(wide, rank=2).factors()
    for style in (Style(unit_codes(1, seed=3, size=6), "x"), Style(unit_codes(1, seed=3), "x", adapter=learned)):
        style.save(tmp_path / "x.safetensors")
        with pytest.raises(ValueError, match="x was made for another model than tiny"):
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
