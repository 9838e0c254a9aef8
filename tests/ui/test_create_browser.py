"""The Create tab as people use it, in Chromium."""

import gradio as gr
import pytest
from PIL import Image

from styletransfer import load_pipeline, ui
from styletransfer.catalog import read_package
from styletransfer.ui import create
from styletransfer.ui.page import Page
from styletransfer.ui.visitor import Visitor
from tests.ui.browser import changed, expect, open_tab, slide, visit
from tests.ui.noise import serve

SHOWN = "document.querySelector('#create-picture img')?.src"
STRIP = "document.querySelector('#create-strip img')?.src"
HEADER = "document.querySelector('#header')"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def opened(browser, url):
    page, troubles = visit(browser, url, ready=HEADER)
    assert page.evaluate(SHOWN) is None  # nothing is made for who never opens the tab
    open_tab(page, "Create")
    page.wait_for_function(f"{SHOWN} && {STRIP}")
    yield page, troubles
    page.context.close()


@pytest.fixture
def page(opened):
    page, troubles = opened
    yield page
    assert not troubles


def test_pick_a_picture_and_see_the_way_to_it(page):
    grid = page.locator("#create-grid button:has(img)")
    expect(grid).to_have_count(12)
    strip = page.evaluate(STRIP)
    changed(page, lambda: grid.nth(4).click(), SHOWN)
    expect(page.locator("#create-seed input")).to_have_value("5")
    changed(page, lambda: grid.nth(7).click(), SHOWN)
    expect(page.locator("#create-other input")).to_have_value("5")  # from what was picked before
    page.wait_for_function(f"before => {STRIP} !== before", arg=strip)
    expect(page.locator("#create-strip button:has(img)")).to_have_count(8)


def test_seed_and_variety_change_the_picture(page):
    changed(page, lambda: page.locator("#create-seed input").fill("77"), SHOWN)
    changed(page, lambda: slide(page, "create-truncation", 0.3), SHOWN)


def test_other_pictures(page):
    changed(page, lambda: page.locator("#create-dice").click(), SHOWN)


def test_downloads_have_names_and_the_model_s_own_size(page):
    changed(page, lambda: page.locator("#create-seed input").fill("9"), SHOWN)
    with page.expect_download() as download:
        page.locator("#create-download").click()
    assert download.value.suggested_filename == "noise 9.png"
    with Image.open(download.value.path()) as image:
        assert image.size == (32, 32) and image.format == "PNG"
    page.locator("#create-other input").fill("4")
    with page.expect_download() as download:
        page.locator("#create-strip-download").click()
    assert download.value.suggested_filename == "noise 4 to 9.png"
    with Image.open(download.value.path()) as image:
        assert image.width > 8 * 32


def test_phone_in_chinese(browser, url):
    page, troubles = visit(browser, url, 390, 844, "dark", "zh-CN", ready=HEADER)
    open_tab(page, "生成")
    page.wait_for_function(SHOWN)
    changed(page, lambda: page.locator("#create-grid button:has(img)").nth(2).click(), SHOWN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#create-picture")).to_be_in_viewport(ratio=1)  # what was picked
    page.get_by_role("slider", name="变化幅度").wait_for()
    page.get_by_alt_text("你的图片").wait_for()
    page.context.close()
    assert not troubles


def test_without_a_model_the_tab_says_how_to_get_one(browser, tiny_package, tmp_path):
    with serve([tiny_package], tmp_path) as url:
        page, troubles = visit(browser, url, ready=HEADER)
        open_tab(page, "Create")
        page.get_by_text("python -m training r3gan").wait_for()
        assert not page.locator("#create-picture").is_visible()
        page.context.close()
        assert not troubles


@pytest.mark.parametrize("opened_before", [False, True])
def test_a_model_that_the_visitor_loads_is_used_at_once(browser, noise_package, tmp_path, monkeypatch, opened_before):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    package = read_package(noise_package)
    with gr.Blocks() as demo:
        states = Page([], load_pipeline, visitor=gr.State(Visitor()), look=gr.State(None), photo=gr.State(None))
        with gr.Tab("Models"):
            gr.Button("Load").click(lambda: Visitor((package,)), None, states.visitor)
        with gr.Tab("Create"):
            create.build(states)
    _, url, _ = demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **ui.LAUNCH_OPTIONS)
    page, troubles = visit(browser, url, ready="document.querySelector('button')")
    if opened_before:
        open_tab(page, "Create")
        page.get_by_text("python -m training r3gan").wait_for()
        open_tab(page, "Models")
    page.get_by_role("button", name="Load").click()
    open_tab(page, "Create")
    page.wait_for_function(f"{SHOWN} && {STRIP}")
    page.context.close()
    demo.close()
    assert not troubles
