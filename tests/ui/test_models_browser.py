"""The Models tab in Chromium."""

import json
import shlex

import pytest

from tests.conftest import picture
from tests.ui.browser import expect, open_tab, toast, upload, visit
from tests.ui.test_models_hub import hub  # noqa: F401  the fixture

VIEW = "document.querySelector('#models-view h3')"
TABS = "document.querySelectorAll('[role=tab]').length > 2"

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser, url):
    """Opens the tab, and looks at the end for what went wrong in the page: requests to anybody else, errors of scripts."""
    pages = []

    def open_models(**how):
        page, troubles = visit(browser, url, ready=TABS, **how)
        pages.append((page, troubles))
        open_tab(page, {"zh-CN": "模型"}.get(how.get("language"), "Models"))
        page.locator("#models-view h3").wait_for()
        return page

    yield open_models
    for page, troubles in pages:
        page.context.close()
        assert not troubles


def choose(page, kind: str):
    page.locator(f"#models-have input[value={kind}]").check()


def command(page) -> str:
    return page.locator("#models-command textarea").input_value()


def wait_for_command(page, words: str) -> str:
    page.wait_for_function(f"document.querySelector('#models-command textarea').value.includes({json.dumps(words)})")
    return command(page)


def test_a_package_of_the_hub_is_loaded_for_one_visitor_alone(opened, hub, tiny_package):  # noqa: F811
    repo = hub.add_repo("user/oils", tiny_package)
    card = "---\ntitle: Oils ${alert(1)} {{value}}\n---\n# Oils\n\n<script>alert(1)</script> ${alert(2)} ![spy](https://evil.example/x.gif)"
    repo.commit({"README.md": card.encode()}, "a card")
    page, other = opened(), opened()
    page.locator("#models-hub-id :is(input, textarea)").first.fill("user/oils")
    page.keyboard.press("Enter")
    assert "user/oils is ready" in toast(page)
    page.wait_for_function(f"{VIEW}.innerText.startsWith('Oils')")
    assert page.locator("#models-view h3").inner_text() == "Oils ${alert(1)} {{value}}"
    page.locator("#models-view summary").click()
    text = page.locator("#models-view details").inner_text()
    assert "<script>alert(1)</script> ${alert(2)}" in text
    assert page.locator("#models-view details img, #models-view script").count() == 0
    expect(page.locator("#models-yours")).to_contain_text("user/oils")
    page.locator("#models-cancel").wait_for(state="hidden")
    assert other.locator("#models-view h3").inner_text() == "Tiny"
    assert "user/oils" not in other.locator("#models-yours").inner_text()
    page.locator("#models-forget").click()
    page.wait_for_function(f"{VIEW}.innerText === 'Tiny'")


def test_a_name_that_leads_nowhere_is_a_sentence(opened, hub):  # noqa: F811
    page = opened()
    page.locator("#models-hub-id :is(input, textarea)").first.fill("user/none")
    page.locator("#models-load").click()
    assert "The Hub has no public repository user/none." in toast(page)
    assert page.locator("#models-view h3").inner_text() == "Tiny"


def test_a_painting_becomes_a_style_file_and_the_file_a_style(opened, tmp_path):
    page = opened()
    upload(page, picture(seed=4), tmp_path / "painting.png", "models-painting")
    page.locator("#models-painting .image-frame img").wait_for()
    page.locator("#models-style-name :is(input, textarea)").first.fill("brick")
    page.locator("#models-save").click()
    link = page.locator("#models-saved a").first
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "brick.safetensors"
    download.value.save_as(tmp_path / "brick.safetensors")
    page.locator("#models-style-file input[type=file]").set_input_files(tmp_path / "brick.safetensors")
    page.locator("#models-yours b", has_text="brick").wait_for()


def test_questions_compose_the_command_of_their_kind(opened):
    page = opened()
    assert "training painter" in command(page) and "--minutes 240" in command(page)
    choose(page, "pairs")
    wait_for_command(page, "training pix2pix")
    page.get_by_label("Folder of pictures before").fill("my sketches")
    page.locator("#models-minutes input[value='60']").check()
    line = wait_for_command(page, "--minutes 60").splitlines()[0]
    assert shlex.split(line)[4:6] == ["--data.source", "my sketches"]
    choose(page, "pictures")
    wait_for_command(page, "training r3gan")
    assert not page.locator("#models-second").is_visible()


def test_a_chinese_phone(opened):
    page = opened(width=390, height=844, language="zh-CN", scheme="dark")
    assert "把照片画成各种风格" in page.locator("#models-view").inner_text()
    choose(page, "style")
    wait_for_command(page, "learn-style")
    page.get_by_label("风格名称").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
