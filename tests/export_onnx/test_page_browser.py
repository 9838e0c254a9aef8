"""The page without a server, as people use it, in Chromium: what it paints is what the package paints."""

import shutil
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from styletransfer.catalog import read_package
from styletransfer.export_onnx import site
from tests.conftest import picture
from tests.ui.browser import WAIT, expect, scroll_down

pytestmark = pytest.mark.browser


class Plain(SimpleHTTPRequestHandler):
    """What `python -m http.server` does, without a word."""

    more_headers: tuple = ()

    def end_headers(self):
        for name, value in self.more_headers:
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *arguments):
        pass


class Isolated(Plain):
    """A host that sends the headers of the card, as static Spaces do."""

    more_headers = tuple(site.HEADERS.items())


@pytest.fixture(scope="module")
def folder(exported, tiny_package, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    try:
        site.write_runtime(None, folder / "onnxruntime")
    except OSError as error:
        pytest.skip(str(error))
    shutil.copytree(exported, folder, dirs_exist_ok=True)
    site.write_site(read_package(tiny_package), folder)
    return folder


@contextmanager
def served(folder: Path, host: type[Plain]):
    """Address of `folder` on a host of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(host, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def url(folder):
    with served(folder, Plain) as address:
        yield address


def visit(browser, url: str, width: int = 1280, height: int = 800, locale: str = "en-US"):
    """The page with its first painting, and a list of what goes wrong in it, requests to anybody else included."""
    page = browser.new_page(viewport={"width": width, "height": height}, locale=locale)
    page.set_default_timeout(WAIT)
    troubles = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: message.type in ("error", "warning") and troubles.append(message.text))
    page.on("request", lambda sent: sent.url.startswith((url, "data:", f"blob:{url}")) or troubles.append(sent.url))
    page.goto(url)
    page.locator("body[data-shown]").wait_for()
    return page, troubles


@pytest.fixture(scope="module")
def desktop(browser, url):
    page, troubles = visit(browser, url)
    yield page, troubles
    page.close()


@pytest.fixture
def page(desktop):
    """One page for all tests, which is how people use it: every test sets what it needs."""
    page, troubles = desktop
    yield page
    assert not troubles


def painted(page, action):
    """Do `action` and wait until what it asks for is painted."""
    before = page.locator("body").get_attribute("data-shown")
    action()
    page.locator(f"body:not([data-shown='{before}'])").wait_for()
    expect(page.locator("#status")).to_have_text("")


def upload(page, image, path: Path, where: str = "file"):
    image.save(path)
    painted(page, lambda: page.locator(f"#{where}").set_input_files(path))


def choose(page, style: str, strength: float, second: str = "", mix: float = 0.5):
    page.get_by_role("radio", name=style, exact=True).check()
    page.locator("#second").select_option(second)
    if second:
        page.locator("#mix").fill(str(mix))
    painted(page, lambda: page.locator("#strength").fill("0.7"))
    painted(page, lambda: page.locator("#strength").fill(str(strength)))


def downloaded(page) -> tuple[str, np.ndarray]:
    """Name and colours (H, W, 3) of the picture behind the button."""
    with page.expect_download() as download:
        page.locator("#download").click()
    with Image.open(download.value.path()) as image:
        return download.value.suggested_filename, np.asarray(image.convert("RGB"), dtype=int)


PLAIN = (500, 384)  # a photo that is painted as it is, without interpolation, of which every program has its own


def test_a_mixture_is_painted_as_by_the_package(page, tmp_path, tiny_pipe):
    photo = picture(PLAIN, seed=5)
    upload(page, photo, tmp_path / "at the sea.png")
    choose(page, "The Bridge", 0.8, second="beta", mix=0.25)
    name, colours = downloaded(page)
    expected = np.asarray(tiny_pipe(photo, {"alpha": 0.6, "beta": 0.2}).images[0], dtype=int)
    assert name == "at the sea alpha.png"
    assert colours.shape == expected.shape and np.abs(colours - expected).max() <= 2  # roundings
    assert np.abs(expected - np.asarray(photo, dtype=int)).mean() > 5


@pytest.mark.parametrize("seed", [20, 21, 22])
def test_a_photo_takes_the_nearest_palette(page, tmp_path, tiny_pipe, seed):
    photo = picture(PLAIN, seed=seed)
    upload(page, photo, tmp_path / "photo.png")
    choose(page, "The Bridge", 1)
    expected = np.asarray(tiny_pipe(photo, "alpha").images[0], dtype=int)
    assert np.abs(downloaded(page)[1] - expected).max() <= 2


@pytest.mark.parametrize("size", [(120, 90), (900, 700)])
def test_other_sizes_are_painted_at_that_size_and_interpolated(page, tmp_path, tiny_pipe, size):
    photo = picture((12, 9), seed=4).resize(size, Image.Resampling.BICUBIC)  # smooth
    upload(page, photo, tmp_path / "photo.png")
    choose(page, "Beta", 1)
    expected = np.asarray(tiny_pipe(photo, "beta").images[0], dtype=int)
    colours = downloaded(page)[1]
    assert colours.shape == expected.shape and np.abs(colours - expected).mean() <= 3
    assert np.abs(expected - np.asarray(photo, dtype=int)).mean() > 5


def test_strength_zero_is_the_photo(page, tmp_path):
    photo = picture((90, 61), seed=6)
    upload(page, photo, tmp_path / "photo.png")
    choose(page, "Beta", 0)
    assert np.array_equal(downloaded(page)[1], np.asarray(photo))


def test_an_own_painting_lends_its_style(page, tmp_path, tiny_pipe):
    photo, painting = picture(PLAIN, seed=7), picture((120, 100), seed=8)
    upload(page, photo, tmp_path / "photo.png")
    choose(page, "Beta", 1)
    upload(page, painting, tmp_path / "painting.png", "own-file")
    assert page.get_by_role("radio", name="Your own").is_checked()
    expected = np.asarray(tiny_pipe(photo, painting).images[0], dtype=int)
    assert np.abs(downloaded(page)[1] - expected).max() <= 2


def test_a_download_is_larger_than_the_preview(page, tmp_path):
    upload(page, picture((900, 700), seed=3), tmp_path / "large.png")
    assert page.locator("#painting").get_attribute("height") == "384"
    assert downloaded(page)[1].shape == (700, 900, 3)


def test_dragging_shows_the_photo(page):
    box = page.locator("#result").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2)
    assert 75 < float(page.locator("#split").input_value()) < 85
    line = page.locator("#line").bounding_box()
    assert abs(line["x"] - box["x"] - 0.8 * box["width"]) < 0.03 * box["width"]


@pytest.mark.parametrize("name, sentence", [("bad.png", "not a picture"), ("small.png", "at least 16")])
def test_what_cannot_be_painted_is_one_sentence_and_the_page_lives_on(page, tmp_path, name, sentence):
    picture((20, 15)).save(tmp_path / "small.png")
    (tmp_path / "bad.png").write_text("not a picture")
    page.locator("#file").set_input_files(tmp_path / name)
    expect(page.locator("#status")).to_contain_text(sentence)
    upload(page, picture(seed=11), tmp_path / "good.png")


def test_keyboard(page):
    page.get_by_role("radio", name="The Bridge").check()
    page.get_by_role("radio", name="The Bridge").focus()
    painted(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.get_by_role("radio", name="Beta").is_checked()
    page.get_by_role("slider", name="Strength").focus()
    painted(page, lambda: page.keyboard.press("Home"))
    assert page.locator("#strength-value").inner_text() == "0 %"


def test_phone_in_chinese(browser, url):
    page, troubles = visit(browser, url, 390, 844, "zh-CN")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.get_by_text("强度").is_visible()
    scroll_down(page)
    expect(page.locator("#result")).to_be_in_viewport(ratio=1)
    page.close()
    assert not troubles


def test_threads_where_the_host_allows_them(browser, folder, tmp_path, tiny_pipe):
    photo = picture(PLAIN, seed=9)
    with served(folder, Isolated) as address:
        page, troubles = visit(browser, address)
        assert page.evaluate("crossOriginIsolated")
        upload(page, photo, tmp_path / "photo.png")
        choose(page, "The Bridge", 1)
        expected = np.asarray(tiny_pipe(photo, "alpha").images[0], dtype=int)
        assert np.abs(downloaded(page)[1] - expected).max() <= 2
        page.close()
    assert not troubles
