"""What comes in from browsers is looked at before it is decoded."""

from pathlib import Path

import gradio as gr
import pytest
from gradio.components.image_editor import EditorData
from gradio.data_classes import FileData
from PIL import Image

from styletransfer.ui import inputs
from styletransfer.ui.inputs import MaskEditor, uploaded
from tests.conftest import picture


@pytest.fixture
def uploads(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    return tmp_path / "uploads"


def layer(folder: Path, name: str) -> FileData:
    picture().convert("RGBA").save(folder / name)
    return FileData(path=str(folder / name))


def test_an_upload_is_let_in_and_a_link_to_elsewhere_is_not(uploads, tmp_path):
    picture().save(uploads / "photo.png")
    picture().save(tmp_path / "secret.png")
    assert uploaded(str(uploads / "photo.png")) == str((uploads / "photo.png").resolve())
    (uploads / "link.png").symlink_to(tmp_path / "secret.png")
    for path in (uploads / "link.png", uploads, uploads / ".." / "secret.png", uploads / "none.png", "\0", "", None):
        with pytest.raises(gr.Error):
            uploaded(path and str(path))


def test_a_mask_has_one_layer_of_a_size_that_is_read(uploads, monkeypatch):
    editor = MaskEditor(type="pil")
    one = EditorData(background=None, layers=[layer(uploads, "1.png")], composite=None)
    assert editor.preprocess(one)["layers"][0].size == picture().size
    many = EditorData(background=None, layers=[layer(uploads, f"{number}.png") for number in range(8)], composite=None)
    assert editor.preprocess(many) is None
    monkeypatch.setattr(inputs, "MAX_PIXELS", 100)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(gr.Error):
        editor.preprocess(one)
