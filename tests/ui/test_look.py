"""Looks, their links, and what undo remembers."""

from dataclasses import replace

import pytest

from styletransfer.ui.look import REMEMBERED, Look, remember

PLAIN = Look("painter", "monet")
FULL = Look("user/painter", "van gogh & co", "ukiyo-e", 0.35, 0.8, 0.25)


@pytest.mark.parametrize("look", [PLAIN, FULL, Look("p", "水墨", None, 0.5, 0.0, 1.0)])
def test_a_link_restores_the_look(look):
    assert Look.from_query(look.to_query()) == look


def test_a_link_is_short_and_readable():
    assert Look("painter", "monet", strength=0.8).to_query() == "package=painter&style=monet&strength=0.8"


@pytest.mark.parametrize(
    ("query", "look"),
    [
        ("", Look("", "")),
        ("&&==%ff%00", Look("", "")),
        ("strength=7&mix=-3&colour=2", Look("", "", None, 0.0, 1.5, 1.0)),
        ("strength=nan&mix=inf&colour=x", Look("", "")),
        ("style=monet&style=ukiyo-e&__theme=dark", Look("", "ukiyo-e")),
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
    for mix in (0.6, 0.8):
        history = remember(history, replace(history[-1], mix=mix))
    assert [(look.strength, look.mix) for look in history] == [(1.0, 0.5), (0.5, 0.5), (0.5, 0.8)]


def test_every_style_is_a_step_and_old_steps_are_forgotten():
    history = ()
    for number in range(3 * REMEMBERED):
        history = remember(history, replace(PLAIN, style=f"style {number}"))
    assert [look.style for look in history] == [f"style {n}" for n in range(2 * REMEMBERED, 3 * REMEMBERED)]
