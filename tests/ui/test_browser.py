"""The demo as people use it, in Chromium."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import picture

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="the browser tests need chromium")
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
TEXTS = ("#header h1", "#header p", "#privacy p", "#style label span")
PAINTED = "document.querySelectorAll('#result img')[1]?.src"
SRCS = "[...document.querySelectorAll('#result img')].map(image => image.src)"
WAIT = 60_000  # milliseconds


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET.split(), "--disable-sync"])
        yield browser
        browser.close()


def visit(browser, url: str, width: int, height: int, scheme: str):
    """The page with its first painting, and a list of what goes wrong in it, requests to anybody else included."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(WAIT)
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    page.on("request", lambda sent: sent.url.startswith((url, "data:", "blob:")) or troubles.append(sent.url))
    page.goto(url)
    page.wait_for_function(PAINTED)
    return page, troubles


@pytest.fixture(scope="module")
def desktop(browser, url):
    page, troubles = visit(browser, url, 1280, 800, "light")
    yield page, troubles
    page.close()


@pytest.fixture
def page(desktop):
    """One page for all tests, which is how people use it: every test sets what it needs."""
    page, troubles = desktop
    yield page
    assert not troubles


def changed(page, action) -> str:
    """The painting after `action`, which has to change it."""
    before = page.evaluate(PAINTED)
    action()
    page.wait_for_function(f"before => {PAINTED} && {PAINTED} !== before", arg=before)
    return page.evaluate(PAINTED)


def upload(page, image, path: Path, where: str = "photo"):
    image.save(path)
    clear(page, where)
    page.locator(f"#{where} input[type=file]").set_input_files(path)


def clear(page, where: str = "photo"):
    if page.locator(f"#{where} .image-frame").count():
        page.locator(f"#{where}").get_by_label("Remove Image").or_(page.locator(f"#{where}").get_by_label("Clear")).first.click()


def pick(page, style: str):
    page.locator("#style").get_by_label(style, exact=True).check()


def slide(page, name: str, value: float):
    page.locator(f"#{name} input[type=number]").fill(str(value))


def contrast(page, text: str) -> float:
    """Between a text and the page behind it (WCAG 2)."""
    colour = "of => getComputedStyle(document.querySelector(of))"
    front = page.evaluate(f"({colour})('{text}').color")
    back = page.evaluate(f"({colour})('body').backgroundColor")
    light, dark = sorted(map(luminance, (front, back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_upload_pick_a_style_and_drag_the_strength(page, tmp_path):
    first = changed(page, lambda: upload(page, picture((300, 200), seed=5), tmp_path / "holiday.png"))
    second = changed(page, lambda: pick(page, "Beta"))
    box = page.locator("#strength input[type=range]").bounding_box()

    def drag():
        page.mouse.move(box["x"] + box["width"] * 2 / 3, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2, steps=10)
        page.mouse.up()

    third = changed(page, drag)
    assert len({first, second, third}) == 3


def test_keyboard(page):
    slide(page, "strength", 0.9)
    pick(page, "Alpha")
    page.locator("#style").get_by_label("Beta", exact=True).focus()
    page.keyboard.press("Space")
    assert page.locator("#style").get_by_label("Beta", exact=True).is_checked()
    page.locator("#strength input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#strength input[type=number]").input_value() == "0.85"
    changed(page, lambda: page.keyboard.press("Home"))  # of the last keys at the latest, the painting takes note


def test_screen_readers(page):
    page.get_by_role("group", name="The photo on the left").wait_for()
    page.get_by_role("radio", name="Alpha").wait_for()
    page.get_by_role("slider", name="Strength").wait_for()


def test_strength_zero_shows_the_photo(page):
    slide(page, "strength", 1)
    page.wait_for_function(f"new Set({SRCS}).size === 2")
    slide(page, "strength", 0)
    page.wait_for_function(f"new Set({SRCS}).size === 1")


def test_kept_colours_change_the_painting(page):
    slide(page, "preserve-color", 0)
    slide(page, "strength", 1.2)
    page.wait_for_function(f"new Set({SRCS}).size === 2")
    changed(page, lambda: slide(page, "preserve-color", 0.8))


def test_own_painting(page, tmp_path):
    pick(page, "Alpha")
    assert not page.locator("#painting").is_visible()
    pick(page, "Your own")
    page.locator("#painting").wait_for()
    changed(page, lambda: upload(page, picture(seed=9), tmp_path / "painting.png", "painting"))
    changed(page, lambda: pick(page, "Beta"))


def test_download_is_the_full_size_and_named_after_the_photo(page, tmp_path):
    pick(page, "Alpha")
    changed(page, lambda: upload(page, picture((900, 700), seed=3), tmp_path / "at the sea.png"))
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "at the sea alpha.png"
    with Image.open(download.value.path()) as image:
        assert image.size == (900, 700) and image.format == "PNG"


def test_a_bad_file_is_refused_even_after_an_example_and_the_page_lives_on(page, tmp_path):
    # choosing an example builds the component anew on the server, which must not lose the check
    clear(page)
    page.get_by_label("Example photo 1").click()
    page.locator("#photo .image-frame img").wait_for()
    clear(page)
    (tmp_path / "bad.png").write_text("not a picture")
    page.locator("#photo input[type=file]").set_input_files(tmp_path / "bad.png")
    toast = page.locator("[data-testid=toast-body]")
    toast.wait_for()
    assert "not a picture this app can read" in toast.inner_text()
    changed(page, lambda: upload(page, picture(seed=11), tmp_path / "good.png"))


@pytest.mark.parametrize("text", TEXTS)
def test_contrast(page, text):
    assert contrast(page, text) >= 4.5


def test_phone_in_the_dark(browser, url, tmp_path):
    page, troubles = visit(browser, url, 390, 844, "dark")
    changed(page, lambda: upload(page, picture((200, 300), seed=5), tmp_path / "holiday.png"))
    changed(page, lambda: pick(page, "Beta"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for scroll in (0, 2000):  # at once, and while the controls are scrolled up
        page.mouse.wheel(0, scroll)
        page.wait_for_timeout(300)
        box = page.locator("#result").bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 844 and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert all(contrast(page, text) >= 4.5 for text in TEXTS)
    page.close()
    assert not troubles


def luminance(colour: str) -> float:
    """Relative luminance of a CSS colour such as rgb(1, 2, 3) (WCAG 2)."""
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
