"""What the Stylise tab does, without a page around it."""

import random
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from styletransfer.catalog import read_package
from styletransfer.styles import Style
from styletransfer.ui import gallery, painting, studio
from styletransfer.ui.look import Look
from styletransfer.ui.page import Page
from styletransfer.ui.studio import NOBODY, NOTHING, OWN, Studio
from tests.conftest import picture, unit_codes


@pytest.fixture
def package(tiny_package):
    return read_package(tiny_package)


@pytest.fixture
def room(package, tiny_pipe):
    return Studio(Page([package], lambda path: tiny_pipe, None, None, None), example=package.samples[-1])


@pytest.fixture
def photo(tmp_path) -> str:
    picture(seed=4).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def mine(name="mine", size=8):
    return Style(unit_codes(1, seed=5, size=size), name)


def preview(room, photo, style="beta", strength=1, color=0, second=NOTHING, mix=0.5, mask=None, visitor=NOBODY, history=()):
    return room.preview(photo, style, strength, color, second, mix, mask, visitor, history)


def test_the_preview_is_what_the_pipeline_paints(room, photo, tiny_pipe):
    (before, after), look, path, history, query, undo = preview(room, photo, "beta", 0.5, 0.3, "alpha", 0.2)
    want = tiny_pipe(picture(seed=4), style={"beta": 0.8, "alpha": 0.2}, strength=0.5, preserve_color=0.3).images[0]
    assert np.array_equal(before, picture(seed=4)) and np.array_equal(after, want)
    assert look == Look("tiny", "beta", "alpha", 0.2, 0.5, 0.3) and path == photo and history == (look,)
    assert Look.from_query(query) == look and not undo["interactive"]
    assert preview(room, photo, history=history)[-1]["interactive"]


def test_without_a_photo_the_example_is_painted_and_without_any_nothing(room, package):
    (before, _), _, path, *_ = preview(room, None)
    assert before.size == picture().size and path is None
    room.example = None
    assert preview(room, None)["__type__"] == "update"
    with pytest.raises(gr.Error, match="Add a photo first"):
        room.stylise(None, "beta", 1, 0)


def test_a_small_preview_of_a_large_photo(room, tmp_path):
    picture((1400, 700)).save(tmp_path / "large.jpg")
    (before, after), *_ = preview(room, str(tmp_path / "large.jpg"))
    assert before.size == after.size == (painting.PREVIEW, painting.PREVIEW // 2)
    assert room.stylise(str(tmp_path / "large.jpg"), "beta", 1, 0).size == (1400, 700)


def test_the_mask_says_where_at_any_size(room, photo, tmp_path):
    half = Image.new("L", (20, 20))
    half.paste(255, (0, 0, 10, 20))
    half.save(tmp_path / "mask.png")
    painted = np.asarray(room.stylise(photo, "beta", 1, 0, mask=str(tmp_path / "mask.png")))
    everywhere, before = np.asarray(room.stylise(photo, "beta", 1, 0)), np.asarray(picture(seed=4))
    assert np.array_equal(painted[:, :30], everywhere[:, :30]) and np.array_equal(painted[:, 40:], before[:, 40:])


def test_what_was_brushed_over_is_the_mask(room):
    empty, layer = Image.new("RGBA", (30, 20)), Image.new("RGBA", (30, 20))
    layer.paste((234, 88, 12, 150), (5, 5, 10, 10))
    assert room.brushed(None) is room.brushed({"layers": []}) is room.brushed({"layers": [empty]}) is None
    mask = room.brushed({"layers": [layer]})
    assert mask.mode == "L" and mask.getbbox() == (5, 5, 10, 10) and set(mask.getdata()) == {0, 255}


def test_an_own_painting_joins_the_styles_and_mixes(room, photo, tmp_path, tiny_pipe):
    picture(seed=8).save(tmp_path / "at the sea, 1.png")
    visitor, cards, cleared = room.add_painting(str(tmp_path / "at the sea, 1.png"), NOBODY, None)
    assert [style.name for style in visitor.styles] == ["at the sea 1"] and cleared is None
    assert cards["value"] == "at the sea 1" and ("At The Sea 1", "at the sea 1") in cards["choices"]
    again, cards, _ = room.add_painting(str(tmp_path / "at the sea, 1.png"), visitor, None)
    assert [style.name for style in again.styles] == ["at the sea 1", "at the sea 1 2"] and cards["value"] == "at the sea 1 2"
    (_, after), *_ = preview(room, photo, "at the sea 1", second="beta", visitor=visitor)
    code = tiny_pipe.encode_style(picture(seed=8))
    assert np.array_equal(after, tiny_pipe(picture(seed=4), style={code: 0.5, "beta": 0.5}).images[0])
    assert "at the sea 1" not in room.styles(NOBODY)


def test_a_visitor_keeps_a_limited_number_of_paintings(room, photo):
    visitor = NOBODY
    for _ in range(studio.MAX_STYLES + 3):
        visitor, cards, _ = room.add_painting(photo, visitor, None)
        assert cards["value"] == visitor.styles[-1].name
    assert len(visitor.styles) == len({style.name for style in visitor.styles}) == studio.MAX_STYLES


def test_styles_that_cannot_be_mixed_are_refused_or_left_out(room, package, photo, tmp_path):
    other = replace(package, path=tmp_path, name="other", title="Other")
    visitor = replace(NOBODY, packages=(other,))
    assert list(room.styles(visitor)) == ["alpha", "beta", "other/alpha", "other/beta"]
    assert [key for _, key in room.partners(visitor, "other/beta", "alpha")["choices"]] == [NOTHING, "other/alpha", "other/beta"]
    assert preview(room, photo, "other/beta", second="alpha", visitor=visitor)[1].second is None
    with pytest.raises(gr.Error, match="belong to different models"):
        room.stylise(photo, "other/beta", 1, 0, second="alpha", visitor=visitor)


def test_an_unknown_style_is_refused_in_a_sentence(room, photo):
    for options in ({"style": "gamma"}, {"style": "beta", "second": "gamma"}):
        with pytest.raises(gr.Error, match="There is no style gamma, only alpha, beta"):
            room.stylise(photo, strength=1, preserve_color=0, **options)


def test_a_package_that_cannot_be_loaded_is_a_sentence_without_folders(room, package, photo):
    def load(path):
        raise ValueError(f"{path}/stylizer is broken")

    room.page = replace(room.page, load=load)
    with pytest.raises(gr.Error, match=r"The model Tiny could not be loaded\.") as refused:
        preview(room, photo)
    assert str(package.path) not in str(refused.value)


def test_a_link_is_followed_as_far_as_it_goes(room):
    def restored(query):
        style, second, mix, strength, color, fold = room.settings(Look.from_query(query), NOBODY)
        return style["value"], second["value"], mix, strength, color, fold.get("open", False)

    assert restored("") == ("alpha", NOTHING, 0.5, 1, 0, False)
    assert restored("package=tiny&style=beta&second=alpha&mix=0.2&strength=0.7&colour=1") == ("beta", "alpha", 0.2, 0.7, 1, True)
    assert restored("package=gone&style=beta&second=gone") == ("beta", NOTHING, 0.5, 1, 0, False)
    assert restored("package=tiny&style=gone&strength=x") == ("alpha", NOTHING, 0.5, 1, 0, False)


def test_undo_goes_back_one_look(room):
    looks = tuple(Look("tiny", style) for style in ("alpha", "beta"))
    *widgets, history = room.undo(NOBODY, looks)
    assert widgets[0]["value"] == "alpha" and history == looks[:1]
    assert room.undo(NOBODY, history)["__type__"] == "update"


def test_a_surprise_is_another_style(room):
    random.seed(0)
    looks = [room.surprise(NOBODY, Look("tiny", "alpha")) for _ in range(20)]
    assert {style["value"] for style, *_ in looks} == {"beta"}
    assert {second["value"] for _, second, *_ in looks} == {NOTHING, "alpha"}
    assert all(0.8 <= strength <= 1.2 for _, _, _, strength, *_ in looks)


def test_thumbnails_are_of_the_own_photo_where_there_is_one(room, photo):
    styles = room.styles(NOBODY)
    own = painting.thumbnails(room.page.load, photo, None, styles)
    packaged = painting.thumbnails(room.page.load, None, None, styles)
    assert own.keys() == packaged.keys() == {"alpha", "beta"} and len({*own.values(), *packaged.values()}) == 4
    visitor = replace(NOBODY, styles=(mine(),))
    assert "mine" not in painting.thumbnails(room.page.load, None, None, room.styles(visitor))
    assert painting.thumbnails(room.page.load, None, room.example, room.styles(visitor))["mine"].startswith("data:image/jpeg")


def test_style_files_go_to_a_package_that_takes_them(package):
    visitor = replace(NOBODY, styles=(mine(), mine("alpha"), mine("long", size=16)))
    styles = gallery.choices([package], visitor)
    assert [(key, choice.name, choice.package.name) for key, choice in styles.items()][2:] == [
        ("mine", "mine", "tiny"),
        ("alpha/3", "alpha", "tiny"),
    ]
    assert gallery.labels(styles)[-1] == ("Alpha (Tiny)", "alpha/3")


def test_a_painter_without_styles_asks_for_a_painting(package, tiny_pipe):
    bare = Studio(Page([replace(package, styles=())], lambda path: tiny_pipe, None, None, None), None)
    assert bare.gallery(NOBODY, "alpha")["value"] == OWN
    assert bare.follow(OWN, NOTHING, NOBODY)[0]["visible"]


def test_what_a_visitor_loads_shows_at_once(room, package):
    empty = Studio(Page([], room.page.load, None, None, None), None)
    cards, layout, notice = empty.welcome(NOBODY, OWN)
    assert not layout["visible"] and notice["visible"]
    cards, layout, notice = empty.welcome(replace(NOBODY, packages=(package,)), OWN)
    assert ("Beta", "beta") in cards["choices"] and layout["visible"] and not notice["visible"]
    assert "value" not in cards and empty.welcome(NOBODY, "beta")[0]["value"] == OWN


def test_names_for_people():
    names = {"ink_wash": "Ink Wash", "my-style": "My Style", "ukiyo-x": "Ukiyo-x"}
    assert {name: gallery.label(name) for name in names} == names
    assert gallery.label("monet").key == "style_monet"


@pytest.mark.parametrize("name", ["plain", 'quo"te', "</style><script>x", "a\nb", "水墨", "b\\c"])
def test_no_name_breaks_out_of_the_style_sheet(name):
    css = gallery.cards_css({name: "data:x", "none": None})
    inner = css.removeprefix("<style>").removesuffix("</style>")
    assert "<" not in inner and inner.count('"') == 2 and inner.count("{") == 1 and "\n" not in inner
