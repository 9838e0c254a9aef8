"""What the Stylise tab does, without a page around it."""

import random
import re
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio.i18n import I18nData
from PIL import Image

from styletransfer.catalog import MODEL_CARDS, REPOSITORY, list_packages, read_package
from styletransfer.pipelines import painting as pipeline_painting
from styletransfer.pipelines import style_transfer
from styletransfer.styles import Style
from styletransfer.ui import gallery, painting, studio
from styletransfer.ui.look import BRUSHES, COLOR, MAX_STRENGTH, TONE, Look
from styletransfer.ui.page import Page
from styletransfer.ui.studio import NOBODY, NOTHING, OWN, Studio
from styletransfer.ui.visitor import Choice, Visitor
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


def preview(room, photo, style="beta", second=NOTHING, mix=0.5, mask=None, visitor=NOBODY, history=(), **sliders):
    sliders = {"strength": 1, "brush": 1, "tone": TONE, "color": COLOR} | sliders
    return room.preview(photo, style, *sliders.values(), second, mix, mask, visitor, history)


def test_the_preview_is_what_the_pipeline_paints(room, photo, tiny_pipe):
    sliders = {"strength": 0.5, "brush": 1.5, "tone": 0.2, "color": 0.3}
    (before, after), look, path, history, query, undo = preview(room, photo, "beta", "alpha", 0.2, **sliders)
    want = tiny_pipe(picture(seed=4), style={"beta": 0.8, "alpha": 0.2}, **sliders).images[0]
    assert np.array_equal(before, picture(seed=4)) and np.array_equal(after, want)
    assert look == Look("tiny", "beta", "alpha", 0.2, **sliders) and path == photo and history == (look,)
    assert Look.from_query(query) == look and not undo["interactive"]
    assert preview(room, photo, history=history)[-1]["interactive"]


def test_without_a_photo_the_example_is_painted_and_without_any_nothing(room, package):
    (before, _), _, path, *_ = preview(room, None)
    assert before.size == picture().size and path is None
    room.example = None
    assert preview(room, None)["__type__"] == "update"
    with pytest.raises(gr.Error, match="Add a photo first"):
        room.stylise(None, "beta")


def test_a_small_preview_of_a_large_photo(room, tmp_path):
    picture((1400, 700)).save(tmp_path / "large.jpg")
    (before, after), *_ = preview(room, str(tmp_path / "large.jpg"))
    assert before.size == after.size == (painting.PREVIEW, painting.PREVIEW // 2)
    with Image.open(room.stylise(str(tmp_path / "large.jpg"), "beta")) as full:
        assert full.size == (1400, 700) and full.format == "JPEG"


def test_the_mask_says_where_at_any_size(room, photo, tmp_path, tiny_pipe):
    half = Image.new("L", (20, 20))
    half.paste(255, (0, 0, 10, 20))
    half.save(tmp_path / "mask.png")
    painted = np.asarray(Image.open(room.stylise(photo, "beta", mask=str(tmp_path / "mask.png"))))
    everywhere, before = np.asarray(tiny_pipe(picture(seed=4), "beta").images[0]), np.asarray(picture(seed=4))
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
    assert [choice.name for choice in visitor.styles] == ["at the sea 1"] and cleared is None
    assert cards["value"] == "at the sea 1" and ("At The Sea 1", "at the sea 1") in cards["choices"]
    again, cards, _ = room.add_painting(str(tmp_path / "at the sea, 1.png"), visitor, None)
    assert [choice.name for choice in again.styles] == ["at the sea 1", "at the sea 1 2"] and cards["value"] == "at the sea 1 2"
    (_, after), *_ = preview(room, photo, "at the sea 1", second="beta", visitor=visitor)
    code = tiny_pipe.encode_style(picture(seed=8))
    assert np.array_equal(after, tiny_pipe(picture(seed=4), style={code: 0.5, "beta": 0.5}).images[0])
    assert "at the sea 1" not in room.styles(NOBODY)


def test_a_visitor_keeps_a_limited_number_of_paintings(room, photo):
    visitor = NOBODY
    for _ in range(studio.MAX_STYLES + 3):
        visitor, cards, _ = room.add_painting(photo, visitor, None)
        assert cards["value"] == visitor.styles[-1].name
    assert len(visitor.styles) == len({choice.name for choice in visitor.styles}) == studio.MAX_STYLES


def test_styles_that_cannot_be_mixed_are_refused_or_left_out(room, package, photo, tmp_path):
    other = replace(package, path=tmp_path, name="other", title="Other")
    visitor = replace(NOBODY, packages=(other,))
    assert list(room.styles(visitor)) == ["alpha", "beta", "other/alpha", "other/beta"]
    assert [key for _, key in room.partners(visitor, "other/beta", "alpha")["choices"]] == [NOTHING, "other/alpha", "other/beta"]
    assert preview(room, photo, "other/beta", second="alpha", visitor=visitor)[1].second is None
    with pytest.raises(gr.Error, match="belong to different models"):
        room.stylise(photo, "other/beta", second="alpha", visitor=visitor)


def test_an_unknown_style_is_refused_in_a_sentence(room, photo):
    for options in ({"style": "gamma"}, {"style": "beta", "second": "gamma"}):
        with pytest.raises(gr.Error, match="There is no style gamma, only alpha, beta"):
            room.stylise(photo, **options)


def test_a_package_that_cannot_be_loaded_is_a_sentence_without_folders(room, package, photo):
    def load(path):
        raise ValueError(f"{path}/stylizer is broken")

    room.page = replace(room.page, load=load)
    with pytest.raises(gr.Error, match=r"The model Tiny could not be loaded\.") as refused:
        preview(room, photo)
    assert str(package.path) not in str(refused.value)


def test_a_link_is_followed_as_far_as_it_goes(room):
    def restored(query):
        style, second, *sliders, fold = room.settings(Look.from_query(query), NOBODY)
        return style["value"], second["value"], *sliders, fold.get("open", False)

    usual = (0.5, 1, 1, TONE, COLOR, False)
    assert restored("") == ("alpha", NOTHING, *usual)
    query = "package=tiny&style=beta&second=alpha&mix=0.2&strength=0.7&brush=2&tone=0&colour=0.5"
    assert restored(query) == ("beta", "alpha", 0.2, 0.7, 2, 0, 0.5, True)
    assert restored("package=gone&style=beta&second=gone") == ("beta", NOTHING, *usual)
    assert restored("package=tiny&style=gone&strength=x") == ("alpha", NOTHING, *usual)


class Request:
    """What a handler is told of who asks."""

    def __init__(self, visitor: str = "somebody", **query: str):
        self.session_hash, self.query_params = visitor, query


@pytest.fixture
def told(monkeypatch) -> list[str]:
    sentences = []
    monkeypatch.setattr(gr, "Info", sentences.append)
    return sentences


def test_a_link_to_somebody_elses_painting_says_so(room, told):
    room.restore(Request(style="beta"))
    assert not told
    style, *_ = room.restore(Request(style="at the sea"))
    assert style["value"] == "alpha" and "at the sea" in told.pop()


def test_a_copied_link_says_what_is_not_in_it(room, photo, told):
    room.linked(NOBODY, Look("tiny", "beta"))
    visitor, _, _ = room.add_painting(photo, NOBODY, None)
    room.linked(visitor, Look("tiny", "beta", visitor.styles[0].name))
    assert "your photo is not in it" in told[0] and "own painting is not in it" in told[1]


def test_work_ends_when_its_visitor_cancels_or_leaves(room, photo, tiny_pipe):
    asked = []

    def load(path):
        def pipe(image, progress, **options):
            for part in (0.1, 0.2, 0.3):
                asked.append(part)
                progress(part)
                room.stop(Request("somebody else"))
                if part == 0.2:
                    room.stop(Request())

        pipe.scale = 1
        return pipe

    room.page = replace(room.page, load=load)
    with pytest.raises(gr.Error, match="Cancelled"):
        room.stylise(photo, "beta", progress=lambda part: None, request=Request())
    assert asked == [0.1, 0.2, 0.3] and not room.stops


def test_a_download_is_named_after_the_photo_and_the_style_that_were_painted(room, tmp_path):
    picture().save(tmp_path / "at the sea.png")
    assert Path(room.stylise(str(tmp_path / "at the sea.png"), "beta")).name == "at the sea beta.jpg"


def test_undo_goes_back_one_look(room):
    looks = tuple(Look("tiny", style) for style in ("alpha", "beta"))
    *widgets, history = room.undo(NOBODY, looks)
    assert widgets[0]["value"] == "alpha" and history == looks[:1]
    assert room.undo(NOBODY, history)["__type__"] == "update"


def test_the_sliders_are_those_of_the_pipeline():
    assert (MAX_STRENGTH, BRUSHES, TONE) == (style_transfer.MAX_STRENGTH, pipeline_painting.BRUSHES, pipeline_painting.TONE)
    look, usual = Look("", ""), pipeline_painting.Controls()
    assert (look.brush, look.tone, look.color) == (usual.brush, usual.tone, usual.color)


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
    visitor = replace(NOBODY, styles=(Choice(room.page.catalog[0], mine()),))
    assert "mine" not in painting.thumbnails(room.page.load, None, None, room.styles(visitor))
    assert painting.thumbnails(room.page.load, None, room.example, room.styles(visitor))["mine"].startswith("data:image/jpeg")


def test_thumbnails_are_painted_once_but_for_what_a_visitor_brought_along(room, photo, tiny_pipe):
    calls = []

    def load(path):
        return lambda image, **options: calls.append((image.size, options["size"])) or tiny_pipe(image, **options)

    styles = room.styles(replace(NOBODY, styles=(Choice(room.page.catalog[0], mine()),)))
    first = painting.thumbnails(load, photo, None, styles)
    side = gallery.THUMBNAIL
    assert calls == [((side, side), side)] * 3  # small strokes for small pictures, in a fraction of the time
    assert painting.thumbnails(load, photo, None, styles) == first and len(calls) == 4


def test_style_files_stay_with_the_package_that_they_were_loaded_for(package, tmp_path):
    other = replace(package, path=tmp_path, name="other", title="Other")
    visitor = Visitor(packages=(other,), styles=(Choice(other, mine("gamma")),))
    assert gallery.choices([package], visitor)["gamma"].package == other


def test_styles_of_one_name_are_told_apart(package):
    visitor = replace(NOBODY, styles=(Choice(package, mine()), Choice(package, mine("alpha"))))
    styles = gallery.choices([package], visitor)
    assert [(key, choice.name, choice.package.name) for key, choice in styles.items()][2:] == [
        ("mine", "mine", "tiny"),
        ("alpha/3", "alpha", "tiny"),
    ]
    assert gallery.labels(styles)[-1] == ("Alpha (Tiny)", "alpha/3")


def test_a_painter_without_styles_asks_for_a_painting(package, tiny_pipe):
    bare = Studio(Page([replace(package, styles={})], lambda path: tiny_pipe, None, None, None), None)
    assert bare.gallery(NOBODY, "alpha")["value"] == OWN
    assert bare.follow(OWN, NOTHING, NOBODY)[0]["visible"]


def test_what_a_visitor_loads_shows_at_once(room, package):
    empty = Studio(Page([], room.page.load, None, None, None), None)
    cards, _, layout, notice = empty.welcome(NOBODY, OWN)
    assert not layout["visible"] and notice["visible"]
    cards, _, layout, notice = empty.welcome(replace(NOBODY, packages=(package,)), OWN)
    assert ("Beta", "beta") in cards["choices"] and layout["visible"] and not notice["visible"]
    assert "value" not in cards and empty.welcome(NOBODY, "beta")[0]["value"] == OWN


def choice(package, name: str, **about: str) -> Choice:
    return Choice(replace(package, styles={name: about}), name)


def test_kinds_of_paintings(package, photo):
    about = {
        "a": {"group": "Modern"},
        "b": {"group": "Japanese prints"},
        "c": {"group": "Japanese prints"},
        "d": {"group": "Odd"},
    }
    many = replace(package, styles=about)
    styles = gallery.choices([many], NOBODY)
    assert [key for _, key in gallery.groups(styles)] == [gallery.ALL, "Japanese prints", "Modern", "Odd"]  # the largest first
    assert gallery.groups(styles)[-1][0] == "Odd" and gallery.groups(styles)[1][0].key == "group_japanese-prints"
    assert gallery.groups(gallery.choices([package], NOBODY)) == []
    mixed = gallery.choices([many], replace(NOBODY, styles=(Choice(package, mine()),)))
    assert gallery.groups(mixed)[-1][1] == gallery.YOURS


def test_titles_for_people(package):
    names = {"ink_wash": "Ink Wash", "my-style": "My Style", "ukiyo-x": "Ukiyo-x"}
    assert {name: gallery.label(choice(package, name)) for name in names} == names
    assert gallery.label(choice(package, "x", title="A Kiss")) == "A Kiss"
    assert len(gallery.label(choice(package, "x", title="x" * 10_000))) == gallery.LONGEST
    # what a visitor saved by a name of his own has that name, whatever painting it came from
    assert gallery.label(Choice(package, replace(mine("my-kiss"), about={"title": "The Kiss"}))) == "My Kiss"


def test_well_known_paintings_are_translated(package):
    for about in ({}, {"title": "The Kiss"}):
        assert gallery.label(choice(package, "kiss", **about)).key == "style_kiss"
    assert gallery.label(choice(package, "kiss", title="Another Kiss")) == "Another Kiss"


def test_artist_and_year(package):
    assert gallery.bylines(choice(package, "x")) == ("", "")
    assert gallery.bylines(choice(package, "x", artist="Nobody")) == ("Nobody", "Nobody")
    known = choice(package, "x", artist="J. M. W. Turner", year="c. 1810")
    assert gallery.bylines(known) == ("J. M. W. Turner, c. 1810", "透纳，约 1810")
    css = gallery.cards_css({"x": known}, {})
    assert css.count("::after") == 2 and css.count(":lang(zh)") == 1 and "background" not in css


@pytest.mark.parametrize("shipped", list_packages(REPOSITORY / MODEL_CARDS), ids=lambda package: package.name)
def test_the_paintings_that_ship_have_chinese_titles_and_artists(shipped):
    for style in gallery.painters([shipped]) and shipped.styles:
        known = Choice(shipped, style)
        assert isinstance(gallery.label(known), I18nData), (
            f"{style}: {known.about.get('title')} is not as in ui/words/paintings.py"
        )
        assert not re.search("[a-z]", gallery.bylines(known)[1]), f"{style}: no word for {known.about.get('artist')}"


@pytest.mark.parametrize("name", ["plain", 'quo"te', "</style><script>x", "a\nb", "水墨", "b\\c"])
def test_no_name_breaks_out_of_the_style_sheet(package, name):
    strange = Choice(replace(package, styles={name: {"artist": name}}), name)
    css = gallery.cards_css({name: strange, "none": choice(package, "none")}, {name: "data:x", "none": None})
    inner = css.removeprefix("<style>").removesuffix("</style>")
    assert "<" not in inner and inner.count('"') == 22 and inner.count("{") == 5 and "\n" not in inner
