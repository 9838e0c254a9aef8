"""Cards of packages as HTML. A card is a stranger's text: no HTML of its own, no pictures, no links but to other sites."""

from functools import lru_cache

from markdown_it import MarkdownIt

MAX_CARD = 25_000  # characters: a hundred thousand brackets take half a minute to read
ELSEWHERE = {"target": "_blank", "rel": "noopener noreferrer nofollow"}


@lru_cache(32)
def render(card: str) -> str:
    """The text of a card below its front matter, in HTML of which every tag is ours.

    `render("# Painter")`
    """
    head, *block = card[:MAX_CARD].split("---\n", 2)
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.validateLink = lambda url: True  # `open_link` judges instead: a refused link would be shown as its source
    markdown.add_render_rule("image", lambda self, tokens, index, options, env: "")
    markdown.add_render_rule("link_open", open_link)
    return markdown.render(card[:MAX_CARD] if head.strip() or len(block) < 2 else block[1])


def open_link(self, tokens, index, options, env) -> str:
    """A link that opens in a new page; one to this server, or one that would run code, leads nowhere."""
    token = tokens[index]
    to = str(token.attrs.get("href", ""))
    token.attrs = {"href": to, **ELSEWHERE} if to.startswith(("https://", "http://")) else {}
    return self.renderToken(tokens, index, options, env)
