"""Looks, their links, and what undo remembers."""

from dataclasses import replace

import pytest

from styletransfer.ui.look import REMEMBERED, Look, remember

PLAIN = Look("painter", "irises")
FULL = Look("user/painter", "van gogh & co", "red-fuji", 0.35, 0.8, 1.5, 0.25, 0.75)


@pytest.mark.parametrize("look", [PLAIN, FULL, Look("p", "水墨", None, 0.5, 0.0, 0.5, 1.0, 0.0)])
def test_a_link_restores_the_look(look):
    assert Look.from_query(look.to_query()) == look


def test_a_link_is_short_and_readable():
    assert Look("painter", "irises", strength=0.8).to_query() == "package=painter&style=irises&strength=0.8"


@pytest.mark.parametrize(
    ("query", "look"),
    [
        ("", Look("", "")),
        ("&&==%ff%00", Look("", "")),
        ("strength=7&mix=-3&brush=9&tone=2&colour=-1", Look("", "", None, 0.0, 1.5, 2.0, 1.0, 0.0)),
        ("strength=nan&mix=inf&colour=x&tone=&brush=-inf", Look("", "")),
        ("brush=0", Look("", "", brush=0.5)),
        ("style=irises&style=red-fuji&__theme=dark", Look("", "red-fuji")),
        ("style=" + "a" * 5000, Look("", "a" * 200)),
    ],
)
def test_junk_in_a_link_is_brought_into_range_or_left_out(query, look):
    assert Look.from_query(query) == look


def test_a_slider_that_is_dragged_is_one_step():
    history = ()
    for strength in (1.0, 0.9, 0.7, 0.5):
        history = remember(history, replace(PLAIN, strength=strength))
    assert [look.strength for look in history] == [1.0, 0.5]
    history = remember(history, history[-1])
    assert len(history) == 2
    for slider in ("mix", "brush", "tone", "color"):
        for value in (0.55, 0.65, 0.85):
            history = remember(history, replace(history[-1], **{slider: value}))
    assert len(history) == 6 and [look.mix for look in history] == [0.5, 0.5, *[0.85] * 4]


def test_every_style_is_a_step_and_old_steps_are_forgotten():
    history = ()
    for number in range(3 * REMEMBERED):
        history = remember(history, replace(PLAIN, style=f"style {number}"))
    assert [look.style for look in history] == [f"style {n}" for n in range(2 * REMEMBERED, 3 * REMEMBERED)]
