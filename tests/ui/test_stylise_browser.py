"""The Stylise tab as people use it, in Chromium."""

import pytest
from PIL import Image

from tests.conftest import picture
from tests.ui.browser import PAINTED, PHOTO, changed, contrast, expect, looks, pick, scroll_down, slide, upload, visit

TEXTS = ("#header h1", "#privacy p", "#style label span")
SRCS = "[...document.querySelectorAll('#result img')].map(image => image.src)"
CARDS = "document.querySelector('#style-cards style').textContent"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desktop(browser, url):
    page, troubles = visit(browser, url)
    yield page, troubles
    page.context.close()


@pytest.fixture
def page(desktop):
    """One page for all tests, which is how people use it: every test sets what it needs."""
    page, troubles = desktop
    yield page
    assert not troubles


def unfold(page, name: str, content: str):
    if not page.locator(f"#{content}").is_visible():
        page.locator(f"#{name} > button").click()
    page.locator(f"#{content}").wait_for()


def told(page, words: str):
    """A sentence with `words` in it pops up."""
    page.get_by_test_id("toast-body").filter(has_text=words).first.wait_for()


def test_upload_pick_a_style_and_drag_the_strength(page, tmp_path):
    packaged = page.evaluate(CARDS)
    first = changed(page, lambda: upload(page, picture((300, 200), seed=5), tmp_path / "holiday.png"))
    page.wait_for_function(f"before => {CARDS} !== before", arg=packaged)  # the styles show on one's own photo
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
    pick(page, "The Bridge")
    page.locator("#style").get_by_label("Beta", exact=True).focus()
    page.keyboard.press("Space")
    assert page.locator("#style").get_by_label("Beta", exact=True).is_checked()
    page.locator("#strength input[type=range]").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#strength input[type=number]")).to_have_value("0.85")
    changed(page, lambda: page.keyboard.press("Home"))  # of the last keys at the latest, the painting takes note


def test_screen_readers(page):
    page.get_by_role("group", name="The photo on the left").wait_for()
    page.locator("#style").get_by_role("radio", name="The Bridge").wait_for()
    for name in ("Strength", "Brush", "Tone", "Colour"):
        page.get_by_role("slider", name=name).wait_for()
    page.get_by_role("tab", name="Stylise").wait_for()


def test_strength_zero_shows_the_photo(page):
    slide(page, "strength", 1)
    page.wait_for_function(f"new Set({SRCS}).size === 2")
    slide(page, "strength", 0)
    page.wait_for_function(f"new Set({SRCS}).size === 1")


def test_every_slider_changes_the_painting(page):
    slide(page, "strength", 1.2)
    page.wait_for_function(f"new Set({SRCS}).size === 2")
    for name, value in {"brush": 2, "tone": 0, "color": 0.3}.items():
        changed(page, lambda name=name, value=value: slide(page, name, value))
    looks(page, "brush=2&tone=0&colour=0.3")


def test_cards_say_title_artist_and_year(page):
    card = "[...document.querySelectorAll('#style label')].find(label => label.innerText === 'The Bridge')"
    page.wait_for_function(f"getComputedStyle({card}, '::after').content === '\"Nobody, 1900\"'")
    page.locator("#style").get_by_role("radio", name="The Bridge Nobody, 1900").wait_for()


def test_a_second_style_undo_and_surprise(page):
    pick(page, "The Bridge")
    looks(page, "style=alpha")
    unfold(page, "mixing", "second")
    changed(page, page.locator("#second").get_by_label("Beta", exact=True).check)
    looks(page, "second=beta")
    page.locator("#mix").wait_for()
    changed(page, lambda: slide(page, "mix", 0.9))
    looks(page, "mix=0.9")
    changed(page, lambda: page.locator("#undo").click())
    expect(page.locator("#mix input[type=number]")).to_have_value("0.5")
    changed(page, lambda: page.locator("#undo").click())
    page.locator("#second").get_by_label("None", exact=True).and_(page.locator(":checked")).wait_for()
    changed(page, lambda: page.locator("#surprise").click())
    page.locator("#style").get_by_label("Beta", exact=True).and_(page.locator(":checked")).wait_for()


def test_the_mask(page, tmp_path):
    pick(page, "The Bridge")
    changed(page, lambda: upload(page, picture((300, 200), seed=6), tmp_path / "masked.png"))
    unfold(page, "masking", "mask-editor")
    # when the photo lies in its canvas, it can be moved there
    expect(page.locator("#mask-editor").get_by_role("button", name="Pan", exact=True)).to_be_enabled()
    canvas = page.locator("#mask-editor canvas").last
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def brush():
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 30, y + 10, steps=5)
        page.mouse.up()

    changed(page, brush)
    assert page.evaluate(f"new Set({SRCS}).size") == 2


def test_own_painting_joins_the_styles(page, tmp_path):
    pick(page, "The Bridge")
    assert not page.locator("#painting").is_visible()
    pick(page, "Your own")
    page.locator("#painting").wait_for()
    changed(page, lambda: upload(page, picture(seed=9), tmp_path / "sunset.png", "painting"))
    page.locator("#style").get_by_label("Sunset", exact=True).and_(page.locator(":checked")).wait_for()
    page.wait_for_function(f"{CARDS}.includes('sunset')")
    changed(page, lambda: pick(page, "Beta"))
    looks(page, "style=beta")
    changed(page, lambda: pick(page, "Sunset"))


def test_download_is_the_full_size_and_named_after_the_photo(page, tmp_path):
    pick(page, "The Bridge")
    looks(page, "style=alpha")
    changed(page, lambda: upload(page, picture((900, 700), seed=3), tmp_path / "at the sea.png"))
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "at the sea alpha.jpg"
    with Image.open(download.value.path()) as image:
        assert image.size == (900, 700) and image.format == "JPEG"
    page.locator("#cancel").wait_for(state="hidden")


def test_a_bad_file_is_refused_even_after_an_example_and_the_photo_before_stays(page, tmp_path):
    changed(page, lambda: upload(page, picture(seed=10), tmp_path / "before.png"))
    before = changed(page, page.get_by_label("Example photo 1").click)
    (tmp_path / "bad.png").write_text("not a picture")
    page.locator(PHOTO).set_input_files(tmp_path / "bad.png")
    told(page, "not a picture this app can read")
    assert page.evaluate(PAINTED) == before
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename.startswith("photo-1 ")
    changed(page, lambda: upload(page, picture(seed=11), tmp_path / "good.png"))


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_dropped_anywhere_or_pasted_is_the_photo(page, tmp_path, event):
    data = "dataTransfer" if event == "drop" else "clipboardData"
    picture((120, 90), seed=21 if event == "drop" else 22).save(tmp_path / "seen.png")
    content = list((tmp_path / "seen.png").read_bytes())
    send = f"""content => {{
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(content)], "seen.png", {{ type: "image/png" }}));
        const event = new Event("{event}", {{ bubbles: true, cancelable: true }});
        event.{data} = transfer;
        document.querySelector("#header h1").dispatchEvent(event);
    }}"""
    changed(page, lambda: page.evaluate(send, content))
    page.wait_for_function("document.querySelectorAll('#result img')[1].naturalWidth === 120")


def test_fullscreen_shows_the_picture_alone_and_as_large_as_it_gets(page):
    page.locator("#result").get_by_role("button", name="Fullscreen").click()
    page.wait_for_function("document.querySelector('#result img').getBoundingClientRect().height > 0.9 * innerHeight")
    for x, y in ((20, 400), (640, 400), (1260, 200), (1260, 700)):  # nothing lies over it
        assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).closest('#result') !== null", [x, y])
    page.locator("#result").get_by_role("button", name="Exit fullscreen").click()


@pytest.mark.parametrize("width", [390, 820, 1024, 1280, 1920])
def test_no_control_lies_over_another_and_the_stage_does_not_jump(page, width, tmp_path):
    page.set_viewport_size({"width": width, "height": 900})
    boxes = [page.locator(f"#{name}").bounding_box() for name in ("strength", "download", "surprise", "undo", "link", "upload")]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    for number, one in enumerate(boxes):
        for two in boxes[:number]:
            apart = one["x"] >= two["x"] + two["width"] - 1 or two["x"] >= one["x"] + one["width"] - 1
            assert apart or one["y"] >= two["y"] + two["height"] - 1 or two["y"] >= one["y"] + one["height"] - 1, (one, two)
    texts = "[...document.querySelectorAll('#bar > button, #tools > button, #upload')].filter(b => b.scrollWidth > b.clientWidth)"
    assert page.evaluate(f"{texts}.length") == 0
    height = page.locator("#result").bounding_box()["height"]
    for number, size in enumerate(((300, 60), (60, 300))):
        changed(
            page, lambda size=size, number=number: upload(page, picture(size, seed=width + number), tmp_path / f"{number}.png")
        )
        assert page.locator("#result").bounding_box()["height"] == height
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_download_has_the_name_of_the_style_that_it_was_asked_for(page, tmp_path):
    pick(page, "The Bridge")
    looks(page, "style=alpha")
    changed(page, lambda: upload(page, picture((1500, 1200), seed=31), tmp_path / "first.jpg"))
    with page.expect_download() as download:
        page.locator("#download").click()
        pick(page, "Beta")
        upload(page, picture((90, 80), seed=32), tmp_path / "second.jpg")
    assert download.value.suggested_filename == "first alpha.jpg"
    page.wait_for_function("document.querySelectorAll('#result img')[1].naturalWidth === 90")


def test_an_own_painting_that_is_missing_is_a_sentence_and_the_page_lives_on(page):
    pick(page, "Your own")
    before = page.evaluate(PAINTED)
    page.locator("#download").click()
    told(page, "Add a painting to take the style from")
    page.locator("#cancel").wait_for(state="hidden")
    page.locator("#download").wait_for()
    assert page.evaluate(PAINTED) == before and page.locator("#result img").last.is_visible()
    pick(page, "Beta")
    with page.expect_download():
        page.locator("#download").click()


@pytest.mark.parametrize("text", TEXTS)
def test_contrast(page, text):
    assert contrast(page, text) >= 4.5


def test_a_link_restores_the_look_for_another_visitor(browser, url, page):
    pick(page, "Beta")
    slide(page, "strength", 0.6)
    looks(page, "strength=0.6", "style=beta")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#link").click()
    told(page, "Link copied")
    link = page.evaluate("navigator.clipboard.readText()")
    other, troubles = visit(browser, link)
    other.locator("#style").get_by_label("Beta", exact=True).and_(other.locator(":checked")).wait_for()
    expect(other.locator("#strength input[type=number]")).to_have_value("0.6")
    assert not other.locator("#style").get_by_label("Sunset", exact=True).count()  # a visitor's painting is his own
    other.context.close()
    assert not troubles


def test_chinese(browser, url, tmp_path):
    page, troubles = visit(browser, url, language="zh-CN")
    page.get_by_role("tab", name="风格化").wait_for()
    page.get_by_role("button", name="下载").wait_for()
    page.get_by_role("slider", name="强度").wait_for()
    caption = "getComputedStyle(document.querySelector('#result .content'), '::after').content"
    assert "画作" in page.evaluate(caption)
    (tmp_path / "bad.png").write_text("not a picture")
    page.locator(PHOTO).set_input_files(tmp_path / "bad.png")
    told(page, "无法读取该图片")
    page.context.close()
    assert not troubles


def test_phone_in_the_dark(browser, url, tmp_path):
    page, troubles = visit(browser, url, 390, 844, "dark")
    changed(page, lambda: upload(page, picture((200, 300), seed=5), tmp_path / "holiday.png"))
    changed(page, lambda: pick(page, "Beta"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#result")).to_be_in_viewport(ratio=1)
    scroll_down(page)
    for name in ("result", "strength", "download"):  # stay at hand
        expect(page.locator(f"#{name}")).to_be_in_viewport(ratio=1)
    unfold(page, "masking", "mask-editor")
    page.locator("#mask-editor canvas").last.scroll_into_view_if_needed()
    covered = """() => { const box = [...document.querySelectorAll("#mask-editor canvas")].at(-1).getBoundingClientRect();
        return document.elementFromPoint(box.x + box.width / 2, box.y + 20)?.closest("#result") !== null; }"""
    assert not page.evaluate(covered)
    assert all(contrast(page, text) >= 4.5 for text in TEXTS)
    page.context.close()
    assert not troubles


def test_a_finger_on_the_painting_scrolls_the_page(browser, url):
    page, troubles = visit(browser, url, 390, 844, has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)
    box = page.locator("#result").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8

    def send(kind: str, *points: float):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for y in points]})

    send("touchStart", y)
    for step in range(1, 9):
        send("touchMove", y - 20 * step)
    send("touchEnd")
    page.wait_for_function("scrollY > 50")
    page.context.close()
    assert not troubles
