"""The demo over the tiny package, served once for all tests of this folder."""

import os

import pytest

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # before Gradio is imported


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
