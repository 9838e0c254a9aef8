"""The tiny package, exported once for all tests of this folder."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def exported(tiny_package, tmp_path_factory) -> Path:
    """The tiny package as ONNX files, without the page. Copy it before you change it."""
    for library in ("onnx", "onnxscript"):
        pytest.importorskip(library, reason=f"ONNX files are written with {library}")
    from styletransfer.export_onnx.__main__ import main

    folder = tmp_path_factory.mktemp("onnx")
    assert main([str(tiny_package), "-o", str(folder), "--no-page"]) == 0
    return folder
