import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer import Palette, Style, StyleTransferPipeline, UpscaleGenerator, load_pipeline
from styletransfer.color import recolor, transport
from styletransfer.images import to_pil, to_tensor
from styletransfer.pipelines.painting import COLOR, TONE, Controls, working_size
from styletransfer.styles import keep_color
from tests.conftest import picture, unit_codes

SMALL = {"size": 65}  # at which a picture of 70 x 65 pixels is painted as it is


def painted(pipe, *arguments, **options) -> Image.Image:
    return pipe(*arguments, **SMALL | options).images[0]


def numbers(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), dtype=int)


def mean_difference(a: Image.Image, b: Image.Image) -> float:
    return np.abs(numbers(a) - numbers(b)).mean()


@pytest.fixture(scope="module")
def enlarging_pipe(tiny_package) -> StyleTransferPipeline:
    """The tiny package with a tiny enlarger."""
    pipe = load_pipeline(tiny_package)
    torch.manual_seed(0)
    enlarger = UpscaleGenerator(base_channels=4, num_blocks=1).eval()
    return StyleTransferPipeline(pipe.stylizer, pipe.encoder, enlarger, pipe.named.values())


@torch.no_grad()
def by_hand(pipe, photo: Image.Image, parts: dict[str, float], tone: float = TONE, color: float = COLOR) -> np.ndarray:
    """The painting of a photo that is painted at its own size, by styles of one palette each and weights of sum at most 1."""
    pixels = to_tensor(photo)
    total = sum(parts.values())
    matrix, offset, code, weights = torch.eye(3), torch.zeros(3), torch.zeros(8), copy.deepcopy(pipe.stylizer.state_dict())
    for name, weight in parts.items():
        style = pipe.named[name]
        distances = [palette.distance(Palette.of(pixels)) for palette in style.palettes]
        nearest = distances.index(min(distances))
        one, shift = transport(Palette.of(pixels), style.palettes[nearest], total * tone, total * color)
        matrix, offset = matrix + weight / total * (one - torch.eye(3)), offset + weight / total * shift
        code += weight * style.codes[nearest]
        for key, factor in style.adapter.items():
            if key.endswith(".up"):
                base = key.removesuffix(".up")
                weights[base] += weight / total * (factor @ style.adapter[base + ".down"]).view(weights[base].shape)
            elif not key.endswith(".down"):
                weights[key] += weight / total * factor
    stylizer = copy.deepcopy(pipe.stylizer)
    stylizer.load_state_dict(weights)
    base = recolor(pixels, matrix, offset)
    strokes = stylizer(base, total * code[None] / code.square().mean().sqrt()) - base
    painting = keep_color(base + strokes / total, base, 1 - color).clamp(-1, 1)
    return np.asarray(to_pil(torch.lerp(base, painting, total)), dtype=int)


@pytest.mark.parametrize("parts", [{"alpha": 1.0}, {"beta": 0.7}, {"alpha": 0.3, "beta": 0.5}])
def test_a_painting_is_colours_then_strokes(tiny_pipe, parts):
    photo = picture()
    want = by_hand(tiny_pipe, photo, parts)
    assert np.abs(numbers(painted(tiny_pipe, photo, style=parts)) - want).max() <= 2  # roundings
    assert np.abs(want - numbers(photo)).mean() > 5


def test_two_visitors_at_once_get_what_each_would_get_alone(tiny_package):
    """The adapter of one painting is not in the weights of another, then or later."""
    pipe = load_pipeline(tiny_package)
    photos = [picture(seed=number) for number in range(2)]
    asked = [(photo, style) for photo in photos for style in ("alpha", "beta")]
    alone = [numbers(painted(pipe, photo, style)) for photo, style in asked]
    before = copy.deepcopy(pipe.stylizer.state_dict())
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            together = list(pool.map(lambda one: numbers(painted(pipe, *one)), asked))
            assert all(map(np.array_equal, alone, together))
    assert all(torch.equal(value, before[name]) for name, value in pipe.stylizer.state_dict().items())


def test_strength_is_the_weight_of_a_style(tiny_pipe):
    photo = picture()
    for style in tiny_pipe.styles:
        by_strength, by_weight = painted(tiny_pipe, photo, style, strength=0.7), painted(tiny_pipe, photo, {style: 0.7})
        assert np.array_equal(by_strength, by_weight) and not np.array_equal(by_strength, photo)
    assert np.array_equal(painted(tiny_pipe, photo, {"beta": 1, "alpha": 0}), painted(tiny_pipe, photo, "beta"))
    assert np.array_equal(painted(tiny_pipe, photo, {"beta": 0, "alpha": 0}), photo)


def test_a_photo_takes_the_nearest_palette_and_its_code(tiny_pipe):
    alpha = tiny_pipe.named["alpha"]
    for number in range(3):
        photo = picture(seed=20 + number)  # of whose colours the palettes are
        one = Style(alpha.codes[number : number + 1], "one", alpha.palettes[number : number + 1], alpha.adapter)
        assert np.array_equal(painted(tiny_pipe, photo, "alpha"), painted(tiny_pipe, photo, one))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (15, 16), (16, 16), (70, 65), (301, 17)])
def test_the_painting_has_the_size_of_the_photo(tiny_pipe, size):
    photo = picture(size)
    assert painted(tiny_pipe, photo, style="alpha").size == size
    assert painted(tiny_pipe, photo, style=photo).size == size


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16", "RGBA"])
def test_every_mode_is_painted(tiny_pipe, mode):
    photo = Image.fromarray(np.arange(65 * 70, dtype=np.uint16).reshape(65, 70) * 14) if mode == "I;16" else picture(mode=mode)
    if mode == "RGBA":
        photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    result = painted(tiny_pipe, photo, style="beta")
    assert result.mode == ("RGBA" if mode == "RGBA" else "RGB") and result.size == (70, 65)
    if mode == "RGBA":
        assert np.array_equal(result.getchannel("A"), photo.getchannel("A"))


def test_a_list_of_photos_of_different_sizes_is_painted_one_by_one(tiny_pipe):
    photos = [picture((70, 65)), picture((20, 90), seed=1), picture((70, 65), seed=2)]
    together = tiny_pipe(photos, style="alpha", **SMALL).images
    alone = [painted(tiny_pipe, photo, style="alpha") for photo in photos]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


@pytest.mark.parametrize("style", ["alpha", {"alpha": 0.5, "beta": 1.0}, picture(seed=9)])
def test_strength_zero_is_the_photo_bit_for_bit(tiny_pipe, style):
    photo = picture(mode="RGBA")
    assert np.array_equal(painted(tiny_pipe, photo, style=style, strength=0, tone=1, brush=2), photo)


def test_more_strength_is_further_from_the_photo(tiny_pipe):
    photo = picture()
    distances = [
        np.abs(painted(tiny_pipe, photo, style="beta", strength=strength, output_type="np") - np.asarray(photo) / 255).mean()
        for strength in (0, 0.25, 0.5, 1.0, 1.5)
    ]
    assert distances == sorted(distances) and len(set(distances)) == 5


def test_styles_of_ones_own_mix_with_named_ones(tiny_pipe):
    photo = picture()
    beta, mine = tiny_pipe.named["beta"], tiny_pipe.encode_style([picture(seed=7), picture(seed=8)], "mine")
    named = painted(tiny_pipe, photo, style={"alpha": 0.5, "beta": 0.5})
    assert np.array_equal(painted(tiny_pipe, photo, style={"alpha": 0.5, beta: 0.5}), named)
    tiny_pipe.add_style(mine)
    assert np.array_equal(
        painted(tiny_pipe, photo, style={"alpha": 0.3, mine: 0.6}), painted(tiny_pipe, photo, style={"alpha": 0.3, "mine": 0.6})
    )
    other = Style(unit_codes(1, seed=0, size=16), "other")
    with pytest.raises(ValueError, match="style 'other' has codes of 16 floats, this package takes 8"):
        tiny_pipe(photo, style={"alpha": 0.5, other: 0.5})
    with pytest.raises(ValueError, match="the weight of mine must be a number"):
        tiny_pipe(photo, style={mine: -1})


def test_a_painting_is_a_style(tiny_pipe):
    photo, painting = picture(), picture((50, 90), seed=5)
    result = painted(tiny_pipe, photo, style=painting)
    assert np.array_equal(result, painted(tiny_pipe, photo, style=tiny_pipe.encode_style(painting)))
    assert not np.array_equal(result, painted(tiny_pipe, photo, style=picture(seed=6)))


def test_an_encoded_style_is_saved_loaded_and_listed(tiny_pipe, tmp_path):
    photo = picture()
    style = tiny_pipe.encode_style([picture(seed=5), picture(seed=6)], name="mine")
    assert style.codes.shape == (2, 8)
    style.save(tmp_path / "mine.safetensors")
    loaded = tiny_pipe.load_style(tmp_path / "mine.safetensors")
    assert loaded.name == "mine" and tiny_pipe.styles == ["alpha", "beta", "mine"]
    assert np.array_equal(painted(tiny_pipe, photo, style="mine"), painted(tiny_pipe, photo, style=style))
    with pytest.raises(ValueError, match="there is a style 'mine' already"):
        tiny_pipe.load_style(tmp_path / "mine.safetensors")
    tiny_pipe.load_style(str(tmp_path / "mine.safetensors"), name="yours")
    tiny_pipe.save_pretrained(tmp_path / "package")
    again = load_pipeline(tmp_path / "package")
    assert again.styles == ["alpha", "beta", "mine", "yours"]
    assert np.array_equal(painted(again, photo, style="yours"), painted(tiny_pipe, photo, style="mine"))


def test_a_style_of_another_package_is_refused(tiny_pipe, tmp_path):
    other = Style(unit_codes(1, seed=0, size=16), "other")
    other.save(tmp_path / "other.safetensors")
    for use in (lambda: tiny_pipe.load_style(tmp_path / "other.safetensors"), lambda: tiny_pipe(picture(), style=other)):
        with pytest.raises(ValueError, match="style 'other' has codes of 16 floats, this package takes 8"):
            use()


def test_the_mask_says_where(tiny_pipe):
    photo = picture()
    values = np.zeros((65, 70), dtype=np.uint8)
    values[:, 20:40], values[:, 40:] = 128, 255
    result = numbers(painted(tiny_pipe, photo, style="beta", mask=Image.fromarray(values)))
    full, before = numbers(painted(tiny_pipe, photo, style="beta")), numbers(photo)
    assert np.array_equal(result[:, :20], before[:, :20]) and np.array_equal(result[:, 40:], full[:, 40:])
    half = before[:, 20:40] + (full - before)[:, 20:40] * 128 / 255
    assert np.abs(result[:, 20:40] - half).max() <= 1.5 and not np.array_equal(result[:, 20:40], before[:, 20:40])


@pytest.mark.parametrize("strength", [0.5, 1, 1.5])
def test_what_is_masked_out_is_bit_for_bit_the_photo_at_full_size(enlarging_pipe, strength):
    photo, mask = picture((301, 533), mode="RGBA"), Image.new("L", (301, 533))
    mask.paste(255, (100, 260, 200, 520))  # over more than one strip
    result = np.asarray(painted(enlarging_pipe, photo, "alpha", strength=strength, mask=mask))
    outside = np.asarray(mask) == 0
    assert np.array_equal(result[outside], np.asarray(photo)[outside])
    inside = np.abs(result.astype(int) - np.asarray(photo))[~outside]
    assert inside.mean() > 3 and (inside.max(axis=1) > 0).mean() > 0.9


def test_the_enlarger_enlarges(tiny_pipe, enlarging_pipe):
    photo = picture((240, 200))
    by_network, by_interpolation = (painted(pipe, photo, "beta") for pipe in (enlarging_pipe, tiny_pipe))
    assert by_network.size == photo.size and not np.array_equal(by_network, by_interpolation)
    assert mean_difference(by_network, by_interpolation) < 25  # a network of random weights, but the same painting


@pytest.mark.parametrize("enlarger", [False, True])
@pytest.mark.parametrize("style", ["alpha", "beta", {"alpha": 0.4, "beta": 0.4}])
def test_thumbnail_and_original_give_one_painting(tiny_pipe, enlarging_pipe, style, enlarger):
    pipe = enlarging_pipe if enlarger else tiny_pipe
    smooth = Image.fromarray(np.random.default_rng(0).integers(20, 236, (5, 7, 3), dtype=np.uint8))
    photo = smooth.resize((1000, 700), Image.Resampling.BICUBIC)
    large = painted(pipe, photo, style, size=128)
    for width, height in ((200, 140), (500, 350)):
        small = painted(pipe, photo.resize((width, height), Image.Resampling.LANCZOS), style, size=128)
        shrunk = large.resize((width, height), Image.Resampling.LANCZOS)
        assert mean_difference(small, shrunk) <= 4 and mean_difference(small, photo.resize((width, height))) > 5


def test_the_brush_changes_the_size_of_the_strokes(tiny_pipe):
    photo = picture((140, 130))
    fine, plain, broad = (painted(tiny_pipe, photo, "alpha", size=130, brush=brush) for brush in (0.5, 1, 2))
    assert np.array_equal(broad, painted(tiny_pipe, photo, "alpha", size=65))
    assert np.array_equal(fine, painted(tiny_pipe, photo, "alpha", size=260))
    assert mean_difference(fine, plain) > 1 and mean_difference(plain, broad) > 1


@pytest.mark.parametrize(
    ("photo", "options", "wanted"),
    [
        ((4000, 3000), {}, (512, 384)),
        ((400, 300), {}, (512, 384)),
        ((300, 400), {"brush": 2.0}, (192, 256)),
        ((300, 400), {"size": 100, "brush": 0.5}, (200, 267)),
        ((10000, 100), {}, (1536, 15)),
        ((1, 10000), {"size": 64}, (1, 256)),
        ((1, 1), {"size": 64, "brush": 2.0}, (32, 32)),
    ],
)
def test_the_working_size(photo, options, wanted):
    assert working_size(photo, Controls(**options)) == wanted


@pytest.mark.parametrize("enlarger", [False, True])
def test_progress_grows_to_one_and_may_end_the_work(tiny_pipe, enlarging_pipe, enlarger):
    pipe = enlarging_pipe if enlarger else tiny_pipe
    heard = []
    pipe([picture((300, 200))] * 2, "beta", progress=heard.append, **SMALL)
    assert heard == sorted(heard) and heard[-1] == 1 and len(heard) >= 2 and heard[0] > 0

    def stop(part: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        pipe(picture((300, 200)), "beta", progress=stop, **SMALL)


def test_masks_follow_their_photos(tiny_pipe):
    photos = [picture((70, 65)), picture((30, 20), seed=1)]
    masks = [Image.new("L", (70, 65), 0), Image.new("L", (30, 20), 255)]
    first, second = tiny_pipe(photos, style="beta", mask=masks, **SMALL).images
    assert np.array_equal(first, photos[0]) and np.array_equal(second, painted(tiny_pipe, photos[1], style="beta"))
    turned = photos[0].copy()
    turned.getexif()[0x0112] = 6
    assert painted(tiny_pipe, turned, style="beta", mask=Image.new("L", (65, 70), 255)).size == (65, 70)


def test_color_says_how_far_the_colours_move(tiny_pipe):
    photo = picture()

    def chroma(image: Image.Image) -> np.ndarray:
        return np.asarray(image.convert("YCbCr"), dtype=float)[..., 1:]

    distances = [
        np.abs(chroma(painted(tiny_pipe, photo, "beta", color=color, tone=0)) - chroma(photo)).mean() for color in (1.0, 0.5, 0.0)
    ]
    assert distances[0] > distances[1] > distances[2] and distances[2] < 2


def test_tone_says_how_far_the_lightness_moves(tiny_pipe):
    photo = picture()
    dark = Style(unit_codes(1, seed=3), "dark", (Palette.from_colors(["#050505", "#202020"]),))
    means = [numbers(painted(tiny_pipe, photo, dark, tone=tone)).mean() for tone in (0, 0.3, 0.6, 1)]
    assert means == sorted(means, reverse=True) and means[0] - means[-1] > 50


def test_output_types(tiny_pipe):
    photo = picture(mode="RGBA")
    pil = painted(tiny_pipe, photo, style="beta")
    array = painted(tiny_pipe, photo, style="beta", output_type="np")
    tensor = painted(tiny_pipe, photo, style="beta", output_type="pt")
    assert array.shape == (65, 70, 3) and array.dtype == np.float32 and array.min() >= 0 and array.max() <= 1
    assert tensor.shape == (3, 65, 70) and np.array_equal(tensor.permute(1, 2, 0), array)
    assert np.abs(array * 255 - np.asarray(pil)[..., :3]).max() <= 0.501
    images = tiny_pipe(photo, style="beta", return_dict=False, **SMALL)
    assert isinstance(images, tuple) and np.array_equal(images[0][0], pil)


def test_the_profile_of_the_photo_stays_with_the_painting(tiny_pipe):
    photo = picture()
    photo.info["icc_profile"] = bytes(16) + b"RGB " + bytes(108)
    for strength in (0, 1):
        assert painted(tiny_pipe, photo, style="beta", strength=strength).info["icc_profile"] == photo.info["icc_profile"]


def test_half_precision_rounds_the_strokes_but_never_the_photo(tiny_package, tiny_pipe):
    pipe = load_pipeline(tiny_package, dtype=torch.bfloat16)
    assert pipe.stylizer.dtype == pipe.encoder.dtype == torch.bfloat16
    photo = picture()
    options = {"style": "alpha", "output_type": "np"}
    distance = np.abs(painted(pipe, photo, **options) - painted(tiny_pipe, photo, **options))
    assert 0 < distance.max() < 0.05
    black = Image.new("L", photo.size)
    assert np.array_equal(painted(pipe, photo, style="alpha", mask=black), photo)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"style": "alpah"}, "there is no style 'alpah', only alpha, beta; did you mean alpha"),
        ({"style": {"alpha": 0.5, "gamma": 0.5}}, "there is no style 'gamma'"),
        ({"style": {}}, "style must be the name of a style, .* got {}"),
        ({"style": 3}, "style must be the name of a style, .* got 3"),
        ({"style": {"alpha": -0.1}}, "the weight of alpha must be a number from 0 to 1.5, got -0.1"),
        ({"style": {"alpha": "x"}}, "the weight of alpha must be a number"),
        ({"style": {"alpha": 1.0, "beta": 1.0}}, "sum of the weights must be at most 1.5, got 2"),
        ({"style": {"alpha": 0.7, "beta": 0.7}, "strength": 1.5}, "at most 1.5, got 2.1"),
        ({"strength": -0.1}, "strength must be a number from 0 to 1.5, got -0.1"),
        ({"strength": 1.6}, "strength must be a number from 0 to 1.5, got 1.6"),
        ({"strength": float("nan")}, "strength must be a number from 0 to 1.5, got nan"),
        ({"strength": "1"}, "strength must be a number from 0 to 1.5, got '1'"),
        ({"tone": 1.1}, "tone must be a number from 0 to 1, got 1.1"),
        ({"color": -0.1}, "color must be a number from 0 to 1, got -0.1"),
        ({"brush": 0.4}, "brush must be a number from 0.5 to 2.0, got 0.4"),
        ({"brush": None}, "brush must be a number from 0.5 to 2.0, got None"),
        ({"size": 2049}, "size must be a number from 64 to 2048, got 2049"),
        ({"size": 63}, "size must be a number from 64 to 2048, got 63"),
        ({"output_type": "jpg"}, "output_type must be one of pil, np, pt, got 'jpg'"),
        ({"mask": Image.new("L", (65, 70))}, "the mask must have the size of its photo, got 65 x 70 and 70 x 65"),
        ({"mask": [Image.new("L", (70, 65))] * 2}, "one mask for each of 1 photos, or a single one, got 2"),
        ({"mask": "mask.png"}, "mask must be a PIL image or a list of them, got str"),
        ({"image": []}, "image is an empty list"),
        ({"image": "photo.jpg"}, "image must be a PIL image or a list of them, got str"),
        ({"image": np.zeros((65, 70, 3))}, "image must be a PIL image or a list of them, got ndarray"),
        ({"image": ["photo.jpg"]}, "a picture must be a PIL image, got str"),
        ({"image": Image.new("RGB", (0, 9))}, "the picture is empty: 0 x 9 pixels"),
        ({"image": Image.new("1", (8001, 8000))}, "the picture is too large: 8001 x 8000"),
    ],
)
def test_a_wrong_input_is_refused_in_one_sentence(tiny_pipe, options, message):
    with pytest.raises((ValueError, TypeError), match=message) as error:
        tiny_pipe(**{"image": picture(), "style": "alpha", **options})
    assert "\n" not in str(error.value)


def test_encode_style_refuses_what_is_no_painting(tiny_pipe):
    with pytest.raises(ValueError, match="at least one painting"):
        tiny_pipe.encode_style([])
    with pytest.raises(ValueError, match="name must be 1 to 64 characters"):
        tiny_pipe.encode_style(picture(), name="a/b")


def test_a_disk_that_is_full_is_an_oserror(tiny_pipe, tmp_path):
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"the package could not be written into .*File too large"):
            tiny_pipe.save_pretrained(tmp_path / "package")
        with pytest.raises(OSError, match="File too large"):
            tiny_pipe.named["alpha"].save(tmp_path / "alpha.safetensors")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (tmp_path / "alpha.safetensors").exists()
