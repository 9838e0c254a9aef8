"""What `python app.py` does with its flags."""

import asyncio
import base64
import io
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from styletransfer.catalog import MODEL_CARDS, REPOSITORY, list_packages
from tests.conftest import picture
from tests.hub.conftest import hub  # noqa: F401 as a fixture

APP = Path(__file__).parents[1] / "app.py"


class Launched(Exception):
    """Raised instead of serving."""


@pytest.fixture
def start(monkeypatch):
    """Runs app.py up to its launch: the page, and what it would have been launched with."""

    def launch(self, **options):
        raise Launched(self, options)

    def run(*arguments: str) -> tuple[gr.Blocks, dict]:
        monkeypatch.setattr(sys, "argv", ["app.py", *arguments])
        monkeypatch.setattr(gr.Blocks, "launch", launch)
        with pytest.raises(Launched) as launched:
            try:
                runpy.run_path(str(APP), run_name="__main__")
            finally:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
        return launched.value.args

    return run


def styles(demo: gr.Blocks) -> list[str]:
    (radio,) = [block for block in demo.blocks.values() if block.elem_id == "style"]
    return [value for _, value in radio.choices]


def test_address(start, tiny_package):
    _, options = start("--package", str(tiny_package), "--host", "0.0.0.0", "--port", "7999", "--share")
    assert (options["server_name"], options["server_port"], options["share"]) == ("0.0.0.0", 7999, True)
    _, options = start("--package", str(tiny_package))
    assert not options["share"] and not options["mcp_server"] and options["server_name"] is None  # this computer only
    assert "allowed_paths" not in options and not options["enable_monitoring"]


@pytest.mark.parametrize("port", ["99999", "0", "-1", "http"])
def test_a_port_that_is_none(monkeypatch, capsys, port):
    monkeypatch.setattr(sys, "argv", ["app.py", "--port", port])
    with pytest.raises(SystemExit):
        runpy.run_path(str(APP), run_name="__main__")
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == f"app.py: error: argument --port: must be a number from 1 to 65535, got {port!r}"


def test_a_queue_for_twenty_visitors(start, tiny_package):
    demo, _ = start("--package", str(tiny_package))
    # each may have a preview, thumbnails, a painting and a sheet under way
    assert demo._queue.max_size >= 20 * 4 and demo._queue.default_concurrency_limit >= 1


def test_a_package_by_folder_and_by_hub_id(start, hub, tiny_package):  # noqa: F811
    hub.add_repo("user/painter", tiny_package)
    for name in (str(tiny_package), "user/painter"):
        demo, _ = start("--package", name)
        assert styles(demo)[:2] == ["alpha", "beta"]


def test_all_packages_that_come_along(start):
    demo, _ = start()
    shipped = list_packages(REPOSITORY / MODEL_CARDS)
    assert {style for package in shipped for style in package.styles} <= set(styles(demo))
    (menu,) = [block for block in demo.blocks.values() if block.elem_id == "models-package"]
    assert {name for _, name in menu.choices} == {package.name for package in shipped}


def test_no_analytics(start, tiny_package, monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    demo, _ = start("--package", str(tiny_package))
    assert not demo.analytics_enabled


@pytest.mark.slow
def test_offline_asks_nobody(hub, tmp_path, tiny_package):  # noqa: F811
    hub.add_repo("user/painter", tiny_package)
    command = [sys.executable, str(APP), "--offline", "--package", "user/painter"]
    done = subprocess.run(command, env=os.environ | hub.environment(tmp_path / "hf"), capture_output=True, text=True)
    assert done.returncode == 2 and "was not fetched before" in done.stderr and "Traceback" not in done.stderr
    assert hub.calls == []


def test_tools_for_agents_need_a_package(start, tiny_package, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mcp", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["app.py", "--package", str(tiny_package), "--mcp"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(APP), run_name="__main__")
    assert "pip install 'gradio[mcp]'" in capsys.readouterr().err


def test_tools_for_agents(start, tiny_package, tmp_path, monkeypatch):
    """An agent finds every endpoint with its description, and calls one."""
    mcp = pytest.importorskip("mcp", reason="the tools for agents need gradio[mcp]")
    from mcp.client.streamable_http import streamablehttp_client

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    demo, options = start("--package", str(tiny_package), "--mcp")
    monkeypatch.undo()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))

    data = io.BytesIO()
    picture().save(data, "png")
    photo = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()

    async def talk(url: str):
        async with streamablehttp_client(url) as (read, write, _), mcp.ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            stylise = next(tool.name for tool in tools if tool.name.endswith("stylise"))
            return tools, await session.call_tool(stylise, {"photo": photo, "style": "beta", "strength": 0.5, "tone": 0})

    try:
        _, url, _ = demo.launch(**options | {"server_name": "127.0.0.1"})
        tools, answer = asyncio.run(talk(f"{url}gradio_api/mcp/"))
    finally:
        demo.close()
    names = {endpoint.removeprefix("/") for endpoint in demo.get_api_info()["named_endpoints"]}
    assert {name for name in names if any(tool.name.endswith(name) for tool in tools)} == names
    assert all(tool.description and tool.inputSchema["properties"] for tool in tools)
    assert not answer.isError
    with Image.open(io.BytesIO(base64.b64decode(answer.content[0].data))) as painting:
        assert painting.size == picture().size
