import pytest
import torch
from safetensors.torch import save_file

from styletransfer.color import LUMA, Palette
from styletransfer.images import to_tensor
from styletransfer.models.style_adapter import StyleAdapter
from styletransfer.models.style_generator import StyleGenerator
from styletransfer.styles import FORMAT, Style, keep_color, mix, unit
from tests.conftest import picture, unit_codes


def luma(image: torch.Tensor) -> torch.Tensor:
    return sum(weight * image[:, i] for i, weight in enumerate(LUMA))


def chroma(image: torch.Tensor) -> torch.Tensor:
    """Cb and Cr of BT.601, the usual way."""
    red, _, blue = image.unbind(1)
    return torch.stack([(blue - luma(image)) / 1.772, (red - luma(image)) / 1.402], dim=1)


def palettes(count: int) -> tuple[Palette, ...]:
    return tuple(Palette.of(to_tensor(picture(seed=seed))) for seed in range(count))


def test_a_style_file_comes_back(tmp_path):
    adapter = {"out.weight.up": torch.randn(12, 2).half().float(), "norm.affine.bias": torch.zeros(8)}
    about = {"title": "Guernica", "artist": "Pablo Picasso", "year": "1937", "source": "nowhere", "licence": "none"}
    style = Style(unit_codes(5, seed=0, size=192), "Guernica (1937)", palettes(5), adapter, about)
    style.save(tmp_path / "new" / "style.safetensors")
    loaded = Style.load(tmp_path / "new" / "style.safetensors")
    assert torch.equal(loaded.codes, style.codes) and loaded.name == style.name and loaded.about == about
    for ours, theirs in zip(style.palettes, loaded.palettes, strict=True):
        assert torch.equal(ours.mean, theirs.mean) and torch.equal(ours.covariance, theirs.covariance)
    assert loaded.adapter.keys() == adapter.keys()
    assert all(torch.equal(loaded.adapter[name], factor) for name, factor in adapter.items())
    renamed = loaded.named("other")
    assert renamed.name == "other" and renamed.about == about and renamed.palettes == loaded.palettes


def test_a_style_without_colours_or_adapter_comes_back(tmp_path):
    Style(unit_codes(1, seed=0), "x").save(tmp_path / "x.safetensors")
    loaded = Style.load(tmp_path / "x.safetensors")
    assert loaded.palettes == () and loaded.adapter == {} and loaded.about == {}


def test_the_style_of_the_full_generator_takes_at_most_600_kb(tmp_path):
    stylizer = StyleGenerator()
    codes = unit_codes(4, seed=0, size=stylizer.config.code_size)
    style = Style(codes, "x", palettes(4), StyleAdapter.of(stylizer).factors(), {"title": "x" * 1000})
    style.save(tmp_path / "x.safetensors")
    assert (tmp_path / "x.safetensors").stat().st_size <= 600_000
    assert len(Style.load(tmp_path / "x.safetensors").about["title"]) == 300


def test_a_photo_takes_the_nearest_palette():
    style = Style(unit_codes(4, seed=0), "x", palettes(4))
    for number in range(4):
        near = picture(seed=number).resize((35, 32))
        assert style.nearest(Palette.of(to_tensor(near))) == number
    assert Style(unit_codes(1, seed=0), "x").nearest(palettes(1)[0]) == 0


@pytest.mark.parametrize(
    ("codes", "count", "adapter", "message"),
    [
        (2, 1, {}, "a palette for each of 2 codes, got 1"),
        (2, 0, {}, "a palette for each of 2 codes, got 0"),
        (1, 2, {}, "a palette for each of 1 codes, got 2"),
        (1, 1, {"out.bias": torch.tensor([0, torch.inf])}, "not finite in its adapter: out.bias"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(codes, count, adapter, message):
    with pytest.raises(ValueError, match=message):
        Style(unit_codes(codes, seed=0), "x", palettes(count), adapter)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (torch.ones(8), r"\(K, D\) of floats, got \(8,\)"),
        (torch.ones(0, 8), r"got \(0, 8\)"),
        (torch.ones(1, 8, dtype=torch.int64), "got .* of torch.int64"),
        ([[1.0]], "got list"),
        (torch.full((1, 8), torch.nan), "must be finite"),
        (torch.full((1, 8), 0.5), r"root mean square 1, got \[0.5\]"),
        (torch.zeros(1, 8), "root mean square 1"),
    ],
)
def test_codes_that_are_none_are_refused(codes, message):
    with pytest.raises(ValueError, match=message):
        Style(codes, "x")


@pytest.mark.parametrize("name", ["", " x", "a/b", "a\\b", "a,b", "a=1", "a\nb", "x" * 65, None])
def test_names_that_could_be_mistaken_are_refused(name):
    with pytest.raises(ValueError, match="name must be 1 to 64 characters"):
        Style(torch.ones(1, 8), name)


@pytest.mark.parametrize(
    ("tensors", "metadata"),
    [
        ({"codes": torch.ones(1, 8)}, None),
        ({"codes": torch.ones(1, 8)}, {"name": "x", "format": "styletransfer.style.v1"}),
        ({"codes": torch.ones(1, 8)}, {"format": FORMAT}),
        ({"codes": torch.ones(1, 8), "more": torch.ones(1)}, {"name": "x", "format": FORMAT}),
        ({"weight": torch.ones(1, 8)}, {"name": "x", "format": FORMAT}),
    ],
)
def test_other_safetensors_files_are_refused(tensors, metadata, tmp_path):
    save_file(tensors, tmp_path / "x.safetensors", metadata)
    with pytest.raises(ValueError, match=r"x\.safetensors is not a style file"):
        Style.load(tmp_path / "x.safetensors")


def test_files_that_are_no_safetensors_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.safetensors does not exist"):
        Style.load(tmp_path / "x.safetensors")
    for content in (b"", b"<html>", b"\xff" * 100):
        (tmp_path / "x.safetensors").write_bytes(content)
        with pytest.raises(ValueError, match="not a readable safetensors file"):
            Style.load(tmp_path / "x.safetensors")


def test_a_mixture_is_as_strong_as_its_weights_say():
    codes = unit_codes(2, seed=3)
    mixed = mix(codes, torch.tensor([0.3, 0.9]))
    assert mixed.square().mean().sqrt().item() == pytest.approx(1.2)
    torch.testing.assert_close(unit(mixed), unit(0.3 * codes[0] + 0.9 * codes[1]))
    torch.testing.assert_close(mix(codes, torch.tensor([0.0, 0.7])), 0.7 * codes[1])
    opposite = mix(torch.stack([codes[0], -codes[0]]), torch.tensor([0.5, 0.5]))
    assert opposite.isfinite().all()


def test_keep_color_keeps_the_luma_of_the_painting_and_the_chroma_of_the_photo():
    random = torch.Generator().manual_seed(0)
    painted, photo = (torch.rand(1, 3, 20, 30, generator=random) * 0.6 - 0.3 for _ in range(2))  # all colours fit
    for degree in (0.0, 0.4, 1.0):
        kept = keep_color(painted, photo, degree)
        torch.testing.assert_close(luma(kept), luma(painted))
        torch.testing.assert_close(chroma(kept), torch.lerp(chroma(painted), chroma(photo), degree))


def test_colours_that_do_not_fit_lose_chroma_but_neither_luma_nor_hue():
    random = torch.Generator().manual_seed(0)
    painted, photo = (torch.rand(1, 3, 20, 30, generator=random) * 2 - 1 for _ in range(2))
    kept = keep_color(painted, photo, 1.0)
    assert kept.abs().max() <= 1 + 1e-6
    torch.testing.assert_close(luma(kept), luma(painted))
    cosine = torch.nn.functional.cosine_similarity(chroma(kept), chroma(photo), dim=1)
    visible = chroma(kept).norm(dim=1) > 0.01
    assert visible.float().mean() > 0.9 and cosine[visible].min() > 0.999
    white = torch.ones(1, 3, 4, 4)
    torch.testing.assert_close(keep_color(white, photo[..., :4, :4], 1.0), white)


def test_a_style_of_very_many_paintings_is_refused():
    with pytest.raises(ValueError, match="is made of 1001 paintings, and at most 1000 are taken"):
        Style(torch.ones(1001, 2), "many")
