"""Every word of the page, in English and in Chinese: a file of `WORDS` for each tab, as `key: (English, Chinese)`.

`say("create_seed")` is for labels, placeholders, choices, titles of tabs and Markdown: the browser puts in the words of its own
language. Gradio does not do that for sentences that Python raises or returns as text, so there `tell("create_none", name=...)`
gives the words in the language that the browser asked for with its request: `raise refusal(tell("create_none", name=name))`.
"""

from importlib import import_module
from pkgutil import iter_modules

import gradio as gr
from gradio.context import LocalContext

WORDS: dict[str, tuple[str, str]] = {}
for module in iter_modules(__path__):
    WORDS |= import_module(f"{__name__}.{module.name}").WORDS

ENGLISH = {key: english for key, (english, _) in WORDS.items()}
CHINESE = {key: chinese for key, (_, chinese) in WORDS.items()}
I18N = gr.I18n(**{"en": ENGLISH, "zh": CHINESE, "zh-CN": CHINESE})


def say(key: str) -> gr.i18n.I18nData:
    """The words of `key`, to be put in by the browser."""
    if key not in WORDS:
        raise KeyError(f"no words for {key!r}")
    return I18N(key)


def tell(key: str, **values) -> str:
    """The words of `key` with `values` in their braces, in the language of the request that is being answered."""
    request = LocalContext.request.get(None)
    return tell_in(request.headers.get("accept-language", "") if request is not None else "", key, **values)


def tell_in(language: str, key: str, **values) -> str:
    """`tell` in the language that a header `accept-language` asks for."""
    return WORDS[key][language.lower().startswith("zh")].format(**values)


def content(scope: str, part: str, key: str) -> str:
    """CSS that writes the words of `key` into a pseudo-element: `content("#result", "::after", "stylise_waiting")`."""
    english, chinese = WORDS[key]
    gap = "" if part.startswith(":") else " "
    return f'{scope}{gap}{part} {{ content: "{english}" }}\n{scope}:lang(zh){gap}{part} {{ content: "{chinese}" }}\n'
