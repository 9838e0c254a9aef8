"""The demo over the tiny package, served once for all tests of this folder, and a browser to look at it."""

import os
import shutil

import pytest

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"


@pytest.fixture(scope="session")
def url(tiny_package, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        from styletransfer import load_pipeline, ui
        from styletransfer.catalog import read_package

        demo = ui.build_app([read_package(tiny_package)], ui.keep_loaded(load_pipeline))
        _, address, _ = demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **ui.LAUNCH_OPTIONS)
        yield address
        demo.close()


@pytest.fixture(scope="module")  # Playwright keeps an event loop running, which other tests must not meet
def browser():
    """Chromium; `tests.ui.browser.visit(browser, url)` opens the page in it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    if CHROMIUM is None:
        pytest.skip("the browser tests need chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*QUIET.split(), "--disable-sync"])
        yield browser
        browser.close()
