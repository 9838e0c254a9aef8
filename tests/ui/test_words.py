"""Every word of the page in both languages."""

import string

import gradio as gr
import pytest
from gradio.context import LocalContext

from styletransfer import ui
from styletransfer.ui.words import WORDS, say, tell

TEXTS = ("label", "placeholder", "info")


class Request:
    def __init__(self, language: str):
        self.headers = {"accept-language": language}


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same(key):
    english, chinese = WORDS[key]
    assert english.strip() and chinese.strip() and max(english) < "\u0250"  # the Latin alphabet, with accents
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)]
    assert fields[0] == fields[1]


def test_a_sentence_is_in_the_language_of_the_request():
    english, chinese = (text.format(width=3, height=4) for text in WORDS["page_too_many_pixels"])
    assert tell("page_too_many_pixels", width=3, height=4) == english
    for language, sentence in (("zh-CN,zh;q=0.9,en;q=0.8", chinese), ("en-US,zh;q=0.5", english), ("", english)):
        token = LocalContext.request.set(Request(language))
        assert tell("page_too_many_pixels", width=3, height=4) == sentence
        LocalContext.request.reset(token)


def test_a_key_without_words_is_a_mistake():
    with pytest.raises(KeyError, match="no words for 'nothing like it'"):
        say("nothing like it")


def test_no_words_of_the_page_are_written_past_the_lists():
    """What a newcomer can read is a key of `WORDS`, never a sentence in the code."""
    demo = ui.build_app([], load=None)
    shown = [block for block in demo.blocks.values() if getattr(block, "visible", True) is True]
    texts = [(block.elem_id, getattr(block, name, None)) for block in shown for name in TEXTS]
    texts += [(block.elem_id, block.value) for block in shown if isinstance(block, gr.Markdown | gr.Button)]
    assert any("__i18n__" in str(text) for _, text in texts)
    assert not [(name, text) for name, text in texts if isinstance(text, str) and " " in text and "__i18n__" not in text]
