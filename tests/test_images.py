import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageCms

from styletransfer import memory
from styletransfer.images import MAX_PIXELS, at_least, mask_to_tensor, open_image, to_mask, to_pil, to_tensor, upright
from tests.conftest import picture

RGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def reopened(image: Image.Image, format: str, **options) -> Image.Image:
    data = io.BytesIO()
    image.save(data, format, **options)
    return Image.open(data)


def test_every_8_bit_value_survives_the_round_trip():
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    image = Image.fromarray(np.stack([values, values.T, 255 - values], axis=2))
    pixels = to_tensor(image)
    assert pixels.shape == (1, 3, 16, 16) and pixels.min() == -1 and pixels.max() == 1
    assert np.array_equal(to_pil(pixels), image)


def test_axes_are_height_then_width_and_values_beyond_the_range_are_clamped():
    assert to_tensor(picture((70, 65))).shape == (1, 3, 65, 70)
    assert to_pil(torch.full((3, 2, 5), 1.5)).size == (5, 2)
    assert to_pil(torch.tensor([-3.0, 0.0, 3.0]).view(3, 1, 1)).getpixel((0, 0)) == (0, 128, 255)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F"]
)
def test_every_mode_becomes_rgb_or_rgba(mode):
    source = picture(mode="RGB")
    for step in {"PA": ["P"], "La": ["LA"], "RGBa": ["RGBA"], "I": ["L"], "F": ["L"]}.get(mode, []):
        source = source.convert(step)
    image = upright(source.convert(mode))
    assert image.mode == ("RGBA" if mode in {"LA", "La", "PA", "RGBA", "RGBa"} else "RGB") and image.size == (70, 65)
    want = np.asarray(picture().convert("L"), dtype=float)
    got = np.asarray(image.convert("L"), dtype=float)
    assert np.corrcoef(want.ravel(), got.ravel())[0, 1] > (0.2 if mode == "1" else 0.95)


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L"])
def test_16_bits_become_8(mode):
    values = np.array([[0, 257, 128 * 257, 65535]], dtype=np.uint16)
    order = ">u2" if mode == "I;16B" else "<u2"
    image = Image.frombytes(mode, (4, 1), values.astype(order).tobytes())
    assert [image_pixel[0] for image_pixel in upright(image).get_flattened_data()] == [0, 1, 128, 255]
    opened = reopened(Image.fromarray(values), "png")
    assert np.asarray(upright(opened))[0, :, 0].tolist() == [0, 1, 128, 255]


def test_whole_numbers_and_floats_become_8_bits():
    assert np.asarray(upright(Image.fromarray(np.array([[0, 200]], dtype=np.int32))))[0, :, 0].tolist() == [0, 200]
    assert np.asarray(upright(Image.fromarray(np.array([[0, 65535]], dtype=np.int32))))[0, :, 0].tolist() == [0, 255]
    assert np.asarray(upright(Image.fromarray(np.array([[0, 0.5, 1]], dtype=np.float32))))[0, :, 0].tolist() == [0, 128, 255]
    with pytest.raises(ValueError, match="not finite"):
        upright(Image.fromarray(np.array([[np.nan]], dtype=np.float32)))


def test_grey_stays_grey():
    grey = picture(mode="L")
    colours = np.asarray(upright(grey))
    assert np.array_equal(colours, np.stack([np.asarray(grey)] * 3, axis=2))


def test_transparency_is_kept_whatever_its_form():
    image = picture()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    assert np.array_equal(upright(image), image)
    assert np.array_equal(to_pil(to_tensor(image), like=image), image)
    # a palette with one transparent colour, and a key colour of a PNG without alpha
    palette = picture().convert("P")
    assert upright(reopened(palette, "png", transparency=3)).mode == "RGBA"
    assert upright(reopened(picture(), "png", transparency=(1, 2, 3))).mode == "RGBA"


def test_exif_orientation_is_applied_once():
    image = picture((70, 65))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    turned = upright(reopened(image, "png", exif=exif))
    assert turned.size == (65, 70) and np.array_equal(turned, image.transpose(Image.Transpose.ROTATE_270))
    assert upright(turned).size == (65, 70)


def test_an_animation_gives_its_first_frame():
    frames = [picture(seed=seed).quantize(64) for seed in range(3)]
    image = reopened(frames[0], "gif", save_all=True, append_images=frames[1:])
    assert image.n_frames == 3
    assert np.array_equal(upright(image).convert("RGB"), frames[0].convert("RGB"))


def test_the_profile_is_kept_only_where_it_still_describes_the_pixels():
    kept = upright(reopened(picture(), "jpeg", icc_profile=RGB_PROFILE))
    assert kept.info == {"icc_profile": RGB_PROFILE}
    assert to_pil(to_tensor(kept), like=kept).info == kept.info
    of_ink = RGB_PROFILE[:16] + b"CMYK" + RGB_PROFILE[20:]
    assert upright(reopened(picture(mode="CMYK"), "jpeg", icc_profile=of_ink)).info == {}


def test_a_profile_of_other_colours_is_applied():
    grey = Image.new("L", (16, 16), 128)
    linear = grey_profile(gamma=1.0)
    assert upright(grey).getpixel((0, 0)) == (128, 128, 128)  # without one the numbers are those of the screen
    image = upright(reopened(grey, "tiff", icc_profile=linear))
    assert image.info == {} and image.mode == "RGB"
    assert image.getpixel((0, 0)) == pytest.approx((188, 188, 188), abs=1)  # half of the light, in sRGB


def test_a_profile_that_a_png_could_not_be_opened_with_is_applied(tmp_path):
    swapped = swap_red_and_green(RGB_PROFILE) + bytes(5_000_000)
    swapped = struct.pack(">I", len(swapped)) + swapped[4:]
    photo = Image.new("RGB", (16, 16), (200, 30, 30))
    photo.save(tmp_path / "photo.jpg", icc_profile=swapped, quality=100, subsampling=0)
    image = open_image(tmp_path / "photo.jpg")
    red, green, _ = image.getpixel((0, 0))
    assert green > 150 > red  # by its profile the file says green
    image.save(tmp_path / "again.png", icc_profile=image.info.get("icc_profile"))
    assert Image.open(tmp_path / "again.png").getpixel((0, 0)) == image.getpixel((0, 0))


def grey_profile(gamma: float) -> bytes:
    """The smallest ICC profile of grey: its header, and the curve of its one channel."""
    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256))
    white = b"XYZ " + bytes(4) + struct.pack(">iii", *(round(value * 65536) for value in (0.9642, 1, 0.8249)))
    start = 128 + 4 + 2 * 12
    tags = struct.pack(">I4sII4sII", 2, b"kTRC", start, 14, b"wtpt", start + len(curve), len(white))
    body = tags + curve + white
    header = struct.pack(">I4x4s4s4s4s", 128 + len(body), b"\x02\x10\0\0", b"mntr", b"GRAY", b"XYZ ")
    header += bytes(12) + b"acsp" + bytes(24) + white[8:]
    return header.ljust(128, b"\0") + body


def swap_red_and_green(profile: bytes) -> bytes:
    return profile.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")


def test_nothing_of_a_file_comes_along_but_pixels_and_profile(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "A camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (48.0, 51.0, 30.0)
    picture().save(tmp_path / "photo.jpg", exif=exif, xmp=b"<x:xmpmeta/>", comment="private", icc_profile=RGB_PROFILE)
    image = open_image(tmp_path / "photo.jpg")
    assert image.info.keys() == {"icc_profile"} and not image.getexif()


def test_grey_of_16_bits_keeps_its_transparent_colour():
    values = np.array([[0, 257, 1000, 65535]], dtype=np.uint16)
    image = upright(reopened(Image.fromarray(values), "png", transparency=1000))
    assert image.mode == "RGBA" and image.getchannel("A").tobytes() == bytes([255, 255, 0, 255])
    assert image.getchannel("R").tobytes() == bytes([0, 1, 4, 255])


def test_a_file_of_several_pictures_says_that_the_first_is_taken(tmp_path, caplog):
    frames = [picture(seed=seed) for seed in range(3)]
    for name in ("film.gif", "film.png", "film.webp", "pages.tiff"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        open_image(tmp_path / name)
        assert caplog.messages == [f"{tmp_path / name} holds several pictures: the first one is taken"]
        caplog.clear()
    frames[0].save(tmp_path / "photo.gif")
    frames[0].save(tmp_path / "photo.mpo", save_all=True, append_images=frames[1:])  # of phones: previews of the same photo
    for name in ("photo.gif", "photo.mpo"):
        open_image(tmp_path / name)
        assert not caplog.messages


def test_the_limit_follows_the_memory_that_is_free(tmp_path, monkeypatch):
    Image.new("1", (6000, 5000)).save(tmp_path / "large.png")
    for free, fits in ((300_000_000 + 25_000_000 * memory.PER_PIXEL, False), (300_000_000 + 31_000_000 * memory.PER_PIXEL, True)):
        monkeypatch.setattr(memory, "free_memory", lambda free=free: free)
        if fits:
            assert open_image(tmp_path / "large.png").size == (6000, 5000)
        else:
            with pytest.raises(ValueError, match=r"memory that is free: 6000 x 5000 pixels, at most 25\.0 megapixels fit"):
                open_image(tmp_path / "large.png")


def test_the_memory_of_a_container_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    everything = memory.free_memory()
    assert everything > 100_000_000
    (tmp_path / "memory.current").write_text("60000000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 10000000\nunevictable 0\n")
    (tmp_path / "memory.max").write_text("100000000\n")
    assert memory.free_memory() == 50_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_memory() == pytest.approx(everything, rel=0.5)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_an_empty_picture_is_refused(size):
    with pytest.raises(ValueError, match=f"empty: {size[0]} x {size[1]} pixels"):
        upright(Image.new("RGB", size))


def test_a_gigantic_picture_is_refused_before_it_is_decoded(tmp_path):
    image = Image.new("1", (MAX_PIXELS // 8000 + 1, 8000))
    with pytest.raises(ValueError, match="too large: 8001 x 8000 pixels, at most 64 megapixels can be read"):
        upright(image)
    # the header of a PNG of 20,000 x 20,000 pixels, and nothing behind it
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 0) + b"IDAT" + bytes(4))
    with pytest.raises(ValueError, match=r"bomb\.png is too large: at most 64 megapixels"):
        open_image(tmp_path / "bomb.png")


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "half a jpeg", "half a png"], ids=str
)
def test_a_broken_file_is_named_in_one_sentence(content, tmp_path):
    path = tmp_path / "broken.jpg"
    if isinstance(content, str):
        picture((300, 200)).save(path, content.split()[-1])
        content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.jpg.*read") as error:
        open_image(path)
    assert "\n" not in str(error.value)


def test_files_that_are_not_there_and_things_that_are_no_pictures_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.png does not exist"):
        open_image(tmp_path / "none.png")
    with pytest.raises(ValueError, match="is not a file"):
        open_image(tmp_path)
    with pytest.raises(TypeError, match=r"must be a PIL image, got str; styletransfer\.open_image"):
        upright("photo.jpg")


def test_masks_are_white_where_the_style_goes():
    assert to_mask(Image.new("L", (3, 2), 255)).getextrema() == (255, 255)
    assert to_mask(Image.new("1", (3, 2), 0)).getextrema() == (0, 0)
    assert to_mask(Image.new("RGBA", (3, 2), (255, 255, 255, 0))).getextrema() == (0, 0)
    pixels = mask_to_tensor(to_mask(Image.new("RGB", (3, 2), (51, 51, 51))))
    assert pixels.shape == (1, 1, 2, 3) and pixels.unique().item() == pytest.approx(0.2)


def test_small_pictures_grow_by_their_edge():
    pixels = torch.rand(1, 3, 1, 20)
    grown = at_least(pixels)
    assert grown.shape == (1, 3, 16, 20) and torch.equal(grown, pixels.expand(1, 3, 16, 20))
    assert at_least(grown) is grown
