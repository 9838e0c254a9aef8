"""What people do with the page, in Chromium: helpers that the browser tests of all tabs share."""

from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright").expect

PAINTED = "document.querySelectorAll('#result img')[1]?.src"
PHOTO = "#photos > input[type=file]"  # of the Stylise tab
WAIT = 60_000  # milliseconds
expect.set_options(WAIT)


def visit(
    browser,
    url: str,
    width: int = 1280,
    height: int = 800,
    scheme: str = "light",
    language: str = "en-US",
    ready=PAINTED,
    **context,
):
    """The page in a context of its own, which is a visitor of its own, and a list of what goes wrong in it.

    Requests to anybody but the page's own server are troubles too. `ready` is the JavaScript to wait for: the first painting.
    `context` are further options of Playwright's.
    """
    size = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, locale=language, **context)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    troubles = []
    home = "/".join(url.split("/")[:3])
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    page.on("request", lambda sent: sent.url.startswith((home, "data:", "blob:")) or troubles.append(sent.url))
    page.goto(url)
    page.wait_for_function(ready)
    return page, troubles


def scroll_down(page):
    """As far as the page goes, and wait until it is there."""
    page.mouse.wheel(0, 20_000)
    page.wait_for_function("scrollY > 0 && scrollY >= document.documentElement.scrollHeight - innerHeight - 1")


def open_tab(page, name: str):
    """Show the tab called `name`, such as "Create"."""
    page.get_by_role("tab", name=name, exact=True).click()


def changed(page, action, shown: str = PAINTED) -> str:
    """The picture after `action`, which has to change it; `shown` is the JavaScript for its address."""
    before = page.evaluate(shown)
    action()
    page.wait_for_function(f"before => {shown} && {shown} !== before", arg=before)
    return page.evaluate(shown)


def upload(page, image, path: Path, where: str | None = None):
    """Save a PIL `image` at `path` and choose it as the photo of the Stylise tab, or put it where the elem_id is `where`."""
    image.save(path)
    if where:
        clear(page, where)
    page.locator(f"#{where} input[type=file]" if where else PHOTO).set_input_files(path)


def clear(page, where: str):
    if page.locator(f"#{where} .image-frame").count():
        page.locator(f"#{where}").get_by_label("Remove Image").or_(page.locator(f"#{where}").get_by_label("Clear")).first.click()


def pick(page, style: str):
    page.locator("#style").get_by_label(style, exact=True).check()


def looks(page, *words: str):
    """Wait until the painting that is shown is one of `words`, such as style=beta: the address of the page follows it."""
    for word in words:
        page.wait_for_function("word => location.search.includes(word)", arg=word)


def slide(page, name: str, value: float):
    page.locator(f"#{name} input[type=number]").fill(str(value))


def toast(page) -> str:
    """The sentence that popped up."""
    body = page.locator("[data-testid=toast-body]").first
    body.wait_for()
    return body.inner_text()


def contrast(page, text: str) -> float:
    """Between a text and the page behind it (WCAG 2)."""
    colour = "of => getComputedStyle(document.querySelector(of))"
    front = page.evaluate(f"({colour})('{text}').color")
    back = page.evaluate(f"({colour})('body').backgroundColor")
    light, dark = sorted(map(luminance, (front, back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Relative luminance of a CSS colour such as rgb(1, 2, 3) (WCAG 2)."""
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
