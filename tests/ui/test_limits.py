"""One visitor does not take the room and the time of all."""

import threading
import time

import gradio as gr
import pytest
from gradio_client import Client
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from styletransfer.temporary import PageFolder
from styletransfer.ui import limits
from styletransfer.ui.limits import FairBlocks, Quota


@pytest.fixture
def server(tmp_path):
    async def take(request):
        (folder.uploads / f"{time.monotonic_ns()}").write_bytes(await request.body())
        return PlainTextResponse("taken")

    folder = PageFolder.make(tmp_path)
    paths = ("/gradio_api/upload", "/gradio_api/queue/join", "/gradio_api/cancel")
    routes = [Route(path, take, methods=["POST", "GET"]) for path in paths]
    client = TestClient(Starlette(routes=routes, middleware=[Middleware(Quota, folder=folder)]))
    client.folder = folder
    return client


def test_a_full_folder_takes_nothing_more_and_says_so(server, monkeypatch):
    monkeypatch.setattr(limits, "QUOTA", 1000)
    for _ in range(3):
        assert server.post("/gradio_api/upload", content=b"x" * 300).text == "taken"
    refused = server.post("/gradio_api/upload", content=b"x" * 300)
    assert (
        refused.status_code == 507
        and refused.text == "This page has no room for more files at present; try again in some minutes."
    )
    chinese = server.post("/gradio_api/queue/join", content=b"x" * 300, headers={"accept-language": "zh-CN"})
    assert chinese.status_code == 507 and "空间" in chinese.json()["detail"]
    assert server.get("/gradio_api/upload").status_code == 200
    assert server.post("/gradio_api/cancel", content=b"x" * 300).status_code == 200
    server.folder.sweep(time.time() + 3600)
    assert server.post("/gradio_api/upload", content=b"x" * 300).text == "taken"


def test_paintings_count_too(server, monkeypatch):
    monkeypatch.setattr(limits, "QUOTA", 1000)
    (server.folder.uploads / "painting.png").write_bytes(b"x" * 1000)
    server.folder.sweep()
    assert server.post("/gradio_api/queue/join", content=b"x").status_code == 507


def test_a_request_is_no_longer_than_an_upload_may_be(server, monkeypatch):
    monkeypatch.setattr(limits, "MAX_REQUEST", 2_000_000)
    refused = server.post("/gradio_api/queue/join", content=b"x" * 2_000_001)
    assert refused.status_code == 413 and refused.json()["detail"] == "That file is too large: at most 2 MB can be sent."
    endless = server.post("/gradio_api/upload", content=iter([b"x"] * 3))  # without its length
    assert endless.status_code == 411 and not [*server.folder.uploads.iterdir()]


@pytest.fixture
def page():
    """A page with one slow job, which two may have done at once, and what ran at the same time as what."""
    at_work, most, lock = [], {}, threading.Lock()

    def work(visitor: str) -> str:
        with lock:
            at_work.append(visitor)
            most[visitor] = max(most.get(visitor, 0), at_work.count(visitor))
            most["all"] = max(most.get("all", 0), len(at_work))
        time.sleep(0.5)
        with lock:
            at_work.remove(visitor)
        return visitor

    with FairBlocks() as demo:
        name, answer = gr.Textbox(), gr.Textbox()
        gr.Button().click(work, name, answer, api_name="work")
    _, url, _ = demo.queue(default_concurrency_limit=2).launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    yield url, most
    demo.close()


def test_a_visitors_jobs_wait_for_each_other_and_another_visitor_overtakes_them(page):
    url, most = page
    greedy, other = (Client(url, verbose=False, analytics_enabled=False) for _ in range(2))
    jobs = [greedy.submit("greedy", api_name="/work") for _ in range(6)]
    time.sleep(0.1)
    assert other.predict("other", api_name="/work") == "other"
    assert not jobs[-1].done()  # he was let past those that came before him
    assert [job.result() for job in jobs] == ["greedy"] * 6
    assert most == {"greedy": 1, "other": 1, "all": 2}


def said(error: Exception) -> str:
    return error.response.json()["detail"]  # the Python client shows the address instead; the page shows this


def test_only_so_many_jobs_of_a_visitor_wait(page, monkeypatch):
    monkeypatch.setattr(limits, "MAX_WAITING", 2)
    url, _ = page
    greedy, other = (Client(url, verbose=False, analytics_enabled=False) for _ in range(2))
    jobs = [greedy.submit("greedy", api_name="/work") for _ in range(8)]
    refused = [error for job in jobs if (error := job.exception()) is not None]
    assert 1 <= len(refused) <= 6 and all("waiting already" in said(error) for error in refused)
    assert other.predict("other", api_name="/work") == "other"
