import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer import Style, load_pipeline
from styletransfer.images import to_pil, to_tensor
from styletransfer.styles import choose, mix
from tests.conftest import picture, unit_codes


def painted(pipe, *arguments, **options) -> Image.Image:
    return pipe(*arguments, **options).images[0]


def test_a_named_style_is_the_generator_at_the_code_that_the_photo_chooses(tiny_pipe):
    photo = picture()
    pixels = to_tensor(photo)
    with torch.no_grad():
        alpha = choose(tiny_pipe.named["alpha"].codes, tiny_pipe.encoder(pixels)[0])
        want = {
            "alpha": tiny_pipe.stylizer(pixels, 0.7 * alpha[None]),
            "beta": tiny_pipe.stylizer(pixels, 0.7 * tiny_pipe.named["beta"].codes),
        }
    for style in tiny_pipe.styles:
        result = painted(tiny_pipe, photo, style=style, strength=0.7)
        assert result.mode == "RGB" and np.abs(np.asarray(result, int) - np.asarray(to_pil(want[style]), int)).max() <= 1
        assert not np.array_equal(result, photo)


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
    together = tiny_pipe(photos, style="alpha").images
    alone = [painted(tiny_pipe, photo, style="alpha") for photo in photos]
    assert all(np.array_equal(a, b) for a, b in zip(together, alone, strict=True))


@pytest.mark.parametrize("style", ["alpha", {"alpha": 0.5, "beta": 1.0}, picture(seed=9)])
def test_strength_zero_is_the_photo_bit_for_bit(tiny_pipe, style):
    photo = picture(mode="RGBA")
    assert np.array_equal(painted(tiny_pipe, photo, style=style, strength=0, preserve_color=0.5), photo)


def test_more_strength_is_further_from_the_photo(tiny_pipe):
    photo = picture()
    distances = [
        np.abs(painted(tiny_pipe, photo, style="beta", strength=strength, output_type="np") - np.asarray(photo) / 255).mean()
        for strength in (0, 0.25, 0.5, 1.0, 1.5)
    ]
    assert distances == sorted(distances) and len(set(distances)) == 5


def test_mixing_adds_codes(tiny_pipe):
    photo = picture()
    pixels = to_tensor(photo)
    with torch.no_grad():
        alpha = choose(tiny_pipe.named["alpha"].codes, tiny_pipe.encoder(pixels)[0])
        code = mix(torch.stack([alpha, tiny_pipe.named["beta"].codes[0]]), torch.tensor([0.2, 0.6]))
        want = tiny_pipe.stylizer(pixels, code[None])[0].add(1).div(2).clamp(0, 1)
    got = painted(tiny_pipe, photo, style={"alpha": 0.4, "beta": 1.2}, strength=0.5, output_type="pt")
    torch.testing.assert_close(got, want, atol=1e-5, rtol=0)
    assert np.array_equal(painted(tiny_pipe, photo, style={"beta": 1}), painted(tiny_pipe, photo, style="beta"))
    assert np.array_equal(painted(tiny_pipe, photo, style={"beta": 1, "alpha": 0}), painted(tiny_pipe, photo, style="beta"))
    assert np.array_equal(painted(tiny_pipe, photo, style={"beta": 0, "alpha": 0}), photo)


def test_styles_of_ones_own_mix_with_named_ones(tiny_pipe):
    photo = picture()
    beta, mine = tiny_pipe.named["beta"], Style(unit_codes(2, seed=7), "mine")
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
    result = np.asarray(painted(tiny_pipe, photo, style="beta", mask=Image.fromarray(values)), dtype=int)
    full, before = (np.asarray(image, dtype=int) for image in (painted(tiny_pipe, photo, style="beta"), photo))
    assert np.array_equal(result[:, :20], before[:, :20]) and np.array_equal(result[:, 40:], full[:, 40:])
    half = before[:, 20:40] + (full - before)[:, 20:40] * 128 / 255
    assert np.abs(result[:, 20:40] - half).max() <= 1.5 and not np.array_equal(result[:, 20:40], before[:, 20:40])


def test_masks_follow_their_photos(tiny_pipe):
    photos = [picture((70, 65)), picture((30, 20), seed=1)]
    masks = [Image.new("L", (70, 65), 0), Image.new("L", (30, 20), 255)]
    first, second = tiny_pipe(photos, style="beta", mask=masks).images
    assert np.array_equal(first, photos[0]) and np.array_equal(second, painted(tiny_pipe, photos[1], style="beta"))
    turned = photos[0].copy()
    turned.getexif()[0x0112] = 6
    assert painted(tiny_pipe, turned, style="beta", mask=Image.new("L", (65, 70), 255)).size == (65, 70)


def test_preserve_color_keeps_the_chroma_of_the_photo(tiny_pipe):
    photo = picture()

    def chroma(image: Image.Image) -> np.ndarray:
        return np.asarray(image.convert("YCbCr"), dtype=float)[..., 1:]

    distances = [
        np.abs(chroma(painted(tiny_pipe, photo, style="beta", preserve_color=degree)) - chroma(photo)).mean()
        for degree in (0, 0.5, 1.0)
    ]
    assert distances[0] > distances[1] > distances[2] and distances[2] < 1


def test_output_types(tiny_pipe):
    photo = picture(mode="RGBA")
    pil = painted(tiny_pipe, photo, style="beta")
    array = painted(tiny_pipe, photo, style="beta", output_type="np")
    tensor = painted(tiny_pipe, photo, style="beta", output_type="pt")
    assert array.shape == (65, 70, 3) and array.dtype == np.float32 and array.min() >= 0 and array.max() <= 1
    assert tensor.shape == (3, 65, 70) and np.array_equal(tensor.permute(1, 2, 0), array)
    assert np.abs(array * 255 - np.asarray(pil)[..., :3]).max() <= 0.501
    images = tiny_pipe(photo, style="beta", return_dict=False)
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
        ({"preserve_color": 1.1}, "preserve_color must be a number from 0 to 1, got 1.1"),
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
