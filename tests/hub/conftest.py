"""A Hub of its own for every test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.loopback import LoopbackHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    """A loopback Hub that the clients of this process use, with empty caches and nobody logged in."""
    with LoopbackHub() as hub:
        hub.connect(monkeypatch, tmp_path / "hf")
        yield hub
