"""The Compare tab as people use it, in Chromium."""

import threading

import pytest
from PIL import Image

from styletransfer.ui import compare
from tests.conftest import picture
from tests.ui.browser import WAIT, open_tab, toast, upload, visit
from tests.ui.noise import serve

SHEET = "document.querySelector('#compare-sheet img')?.src"
WHOLE = f"{SHEET}?.endsWith('styles.png')"
HEADER = "document.querySelector('#header')"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(browser, url):
    page, troubles = visit(browser, url, ready=HEADER)
    open_tab(page, "Compare")
    yield page, troubles
    page.context.close()


@pytest.fixture
def page(opened):
    page, troubles = opened
    yield page
    assert not troubles


def download(page, button: str):
    with page.expect_download() as download:
        page.locator(button).click()
    with Image.open(download.value.path()) as image:
        return download.value.suggested_filename, image.format, image.size


def test_a_sheet_of_one_s_own_photo_and_its_downloads(page, tmp_path):
    assert page.locator("#compare-png").is_disabled()  # there is no sheet yet
    upload(page, picture((300, 200)), tmp_path / "photo.png", "compare-photo")
    page.locator("#compare-photo .image-frame img").wait_for()
    page.locator("#compare-start").click()
    page.wait_for_function(WHOLE)
    page.locator("#compare-png:enabled").wait_for()
    png, jpeg = download(page, "#compare-png"), download(page, "#compare-jpeg")
    assert png[:2] == ("styles.png", "PNG") and jpeg[:2] == ("styles.jpg", "JPEG")
    assert png[2] == jpeg[2] and png[2][0] > 3 * 300  # the photo and two styles


def test_without_a_strength_a_sentence_and_one_can_go_on(page):
    page.locator("#compare-strengths").get_by_label("1", exact=True).uncheck()
    page.locator("#compare-start").click()
    assert "at least one strength" in toast(page)
    page.locator("#compare-start").wait_for()
    page.locator("#compare-stop").wait_for(state="hidden")
    page.locator("#compare-strengths").get_by_label("0.5", exact=True).check()
    before = page.evaluate(SHEET)
    page.locator("#compare-start").click()
    page.wait_for_function(f"before => {SHEET} !== before && {WHOLE}", arg=before)
    page.locator("#compare-png:enabled").wait_for()


def test_stop(browser, tiny_package, tmp_path, monkeypatch):
    reached, goes_on, painted, draw = threading.Event(), threading.Event(), [], compare.draw

    def held(photo, styles, strengths, pictures):
        painted.append(len(pictures))
        if pictures:  # after the first style
            reached.set()
            goes_on.wait(WAIT / 1000)
        return draw(photo, styles, strengths, pictures)

    monkeypatch.setattr(compare, "draw", held)
    with serve([tiny_package], tmp_path) as url:
        page, troubles = visit(browser, url, ready=HEADER)
        open_tab(page, "Compare")
        page.locator("#compare-start").click()
        page.wait_for_function(SHEET)
        assert reached.wait(WAIT / 1000)
        page.locator("#compare-stop").click()
        page.locator("#compare-start").wait_for()
        assert page.locator("#compare-png").is_disabled()
        goes_on.set()
        page.locator("#compare-start").click()  # waits for the one before, if that still paints
        page.wait_for_function(WHOLE)
        assert painted == [0, 1, 0, 1, 2]  # the first time, the second style was not painted
        page.context.close()
        assert not troubles


def test_phone_in_chinese(browser, url):
    page, troubles = visit(browser, url, 390, 844, "dark", "zh-CN", ready=HEADER)
    open_tab(page, "对比")
    page.get_by_role("button", name="开始对比").click()
    page.wait_for_function(WHOLE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sheet = page.get_by_alt_text("所有风格一览")
    assert sheet.bounding_box()["width"] > 2 * 300  # scrolled within its frame
    page.context.close()
    assert not troubles
