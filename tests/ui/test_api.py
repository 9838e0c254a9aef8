"""Every public endpoint, called by gradio_client and by nothing but HTTP; and what nobody gets out of the server."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import httpx
import numpy as np
import pytest
from gradio.utils import get_function_description
from gradio_client import Client, handle_file
from PIL import Image

from styletransfer import load_pipeline, ui
from styletransfer.catalog import read_package
from styletransfer.styles import Style
from styletransfer.temporary import PageFolder
from tests.conftest import picture, unit_codes
from tests.ui.test_models_hub import Hub

PHOTO, STYLE = "photo.png", "style.safetensors"
DOCS = (Path(ui.__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")

# arguments by endpoint; the words PHOTO and STYLE stand for files
CALLS = {
    "/stylise": {
        "photo": PHOTO,
        "style": "beta",
        "strength": 0.5,
        "brush": 1.5,
        "tone": 0.4,
        "color": 0.7,
        "second": "alpha",
        "mix": 0.4,
        "format": "png",
    },
    "/create": {"package": "noise", "seed": 3, "truncation": 0.8},
    "/between": {"package": "noise", "start": 3, "end": 4, "truncation": 1},
    "/compare": {"photo": PHOTO, "package": "tiny", "strengths": [0.5, 1.0]},
    "/load_package": {"name": "user/painter", "revision": ""},
    "/save_style": {"name": "mine", "painting": PHOTO, "package": "tiny"},
    "/load_style": {"file": STYLE, "package": "tiny"},
    "/training_command": {
        "have": "pictures",
        "first": "holiday",
        "second": "",
        "minutes": "60",
        "repo": "user/mine",
        "private": True,
    },
}
# arguments that may be left out
OPTIONAL = {"/stylise": {"painting": PHOTO, "mask": PHOTO}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> PageFolder:
    return PageFolder.make(tmp_path_factory.mktemp("gradio"))


@pytest.fixture(scope="module")
def uploads(folder) -> Path:
    return folder.uploads


@pytest.fixture(scope="module")
def demo(tiny_package, noise_package, tmp_path_factory, folder, uploads) -> Iterator[gr.Blocks]:
    """A demo of their own, as what it keeps is counted: with a package of each kind, beside a Hub that has one more."""
    with pytest.MonkeyPatch.context() as patch, Hub() as hub:
        patch.setenv("GRADIO_TEMP_DIR", str(uploads))
        hub.connect(patch, tmp_path_factory.mktemp("hf"))
        hub.add_repo("user/painter", tiny_package)
        demo = ui.build_app([read_package(tiny_package), read_package(noise_package)], ui.keep_loaded(load_pipeline))
        folder.keep()
        demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, **ui.LAUNCH_OPTIONS)
        yield demo
        demo.close()


@pytest.fixture(scope="module")
def client(demo) -> Client:
    return Client(demo.local_url, verbose=False, analytics_enabled=False)


@pytest.fixture(scope="module")
def http(demo) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo.local_url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    picture().save(folder / PHOTO)
    Style(unit_codes(1, seed=5), "gamma").save(folder / STYLE)
    return {name: folder / name for name in (PHOTO, STYLE)}


def curl(http: httpx.Client, name: str, arguments: dict, files: dict[str, Path]) -> list:
    """What `curl` gets: POST, then the stream of events until the answer."""
    body = {key: upload(http, files[value]) if value in (PHOTO, STYLE) else value for key, value in arguments.items()}
    event = http.post(f"gradio_api/call/v2{name}", json=body).raise_for_status().json()["event_id"]
    answer = http.get(f"gradio_api/call{name}/{event}").raise_for_status().text
    happened, data = answer.strip().split("\n\n")[-1].split("\n")
    assert happened == "event: complete", answer
    return [value for value in json.loads(data.removeprefix("data: ")) if value is not None]  # None: a state, kept by the server


def upload(http: httpx.Client, file: Path) -> dict:
    (path,) = http.post("gradio_api/upload", files={"files": (file.name, file.read_bytes())}).raise_for_status().json()
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def plain(value):
    """An answer without the places of its files: pictures are their pixels, styles their codes."""
    if isinstance(value, dict) and value.keys() >= {"path", "url"}:
        value = value["path"]
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if inner is not None and key != "__type__"}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    match Path(value).suffix if isinstance(value, str) and Path(value).is_file() else None:
        case ".safetensors":
            return Style.load(Path(value)).codes.tolist()
        case str():
            with Image.open(value) as image:
                return np.asarray(image).tolist()
    return value


def test_every_endpoint_is_typed_and_documented(demo, client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert endpoints.keys() == CALLS.keys()
    for name, endpoint in endpoints.items():
        assert endpoint["description"].strip() and endpoint["returns"], name
        (function,) = {event.fn for event in demo.fns.values() if f"/{event.api_name}" == name}
        _, described, _ = get_function_description(function)  # what agents are told
        for parameter in endpoint["parameters"]:
            assert parameter["type"] and parameter["parameter_name"] in CALLS[name] | OPTIONAL.get(name, {}), (name, parameter)
            assert described[parameter["parameter_name"]], (name, parameter)


def test_the_docs_have_every_endpoint_and_argument():
    rows = re.findall(r"^\| `(/\w+)` \| (.+?) \|", DOCS, re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", arguments)) for name, arguments in rows}
    assert documented == {name: CALLS[name].keys() | OPTIONAL.get(name, {}).keys() for name in CALLS}


@pytest.mark.parametrize("name", CALLS)
def test_both_ways_give_the_same(name, client, http, files):
    given = {key: handle_file(files[value]) if value in (PHOTO, STYLE) else value for key, value in CALLS[name].items()}
    by_client = client.predict(**given, api_name=name)
    by_http = curl(http, name, CALLS[name], files)
    assert [plain(by_client)] == plain(by_http)


@pytest.fixture
def example(demo, tmp_path):
    """Finds the example of docs/api.md in a language, for this page and a photo in an empty folder."""
    picture((96, 80)).save(tmp_path / "photo.jpg")

    def find(language: str) -> str:
        (code,) = re.findall(rf"```{language}\n(.*?)```", DOCS, re.DOTALL)
        assert "http://127.0.0.1:7860" in code and "starry-night" in code
        return code.replace("http://127.0.0.1:7860", demo.local_url.rstrip("/")).replace("starry-night", "alpha")

    return find


def test_the_python_example_of_the_docs(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(example("py"), {})
    with Image.open(tmp_path / "painting.jpg") as painting:
        assert painting.size == (96, 80) and painting.format == "JPEG"


@pytest.mark.skipif(not shutil.which("curl") or not shutil.which("bash"), reason="the example needs curl and bash")
def test_the_curl_example_of_the_docs(example, tmp_path):
    subprocess.run(["bash", "-e", "-c", example("sh")], cwd=tmp_path, check=True)
    with Image.open(tmp_path / "painting.jpg") as painting:
        assert painting.size == (96, 80) and painting.format == "JPEG"


def test_a_wrong_value_is_an_error_by_http_too(http, files):
    path = upload(http, files[PHOTO])
    event = http.post("gradio_api/call/v2/stylise", json={"photo": path, "style": "gamma"}).json()["event_id"]
    answer = http.get(f"gradio_api/call/stylise/{event}").text
    assert "event: error" in answer and "Traceback" not in answer


@pytest.mark.parametrize(
    "path", ["/etc/passwd", __file__, ui.__file__, "../../../etc/passwd", "//etc/passwd", "/proc/self/environ"]
)
def test_files_of_the_server_are_closed(http, path):
    answer = http.get(f"gradio_api/file={path}")
    assert answer.status_code in (403, 404) and "root:" not in answer.text
    event = http.post("gradio_api/call/v2/stylise", json={"photo": {"path": path, "meta": {"_type": "gradio.FileData"}}})
    if event.is_success:
        assert "event: complete" not in http.get(f"gradio_api/call/stylise/{event.json()['event_id']}").text


def answer_of(http: httpx.Client, name: str, body: dict) -> str:
    """The last event of a call, or that it was refused."""
    sent = http.post(f"gradio_api/call/v2{name}", json=body)
    return http.get(f"gradio_api/call{name}/{sent.json()['event_id']}").text if sent.is_success else "event: error"


@pytest.mark.parametrize(
    ("name", "field"),
    [("/stylise", "photo"), ("/stylise", "painting"), ("/stylise", "mask"), ("/compare", "photo"), ("/save_style", "painting")],
)
@pytest.mark.parametrize("where", ["elsewhere", "beside", "folder", "pipe"])
def test_pictures_of_the_server_are_not_painted(http, files, uploads, tmp_path, name, field, where):
    """A path alone, as Gradio takes it for images without asking; also of a folder, and of a pipe, which has no end."""
    secret = tmp_path / "secret.png"
    if where == "beside":  # in a folder whose name begins as that of the uploads
        secret = uploads.with_name(uploads.name + "-2") / "secret.png"
        secret.parent.mkdir(exist_ok=True)
    if where in ("elsewhere", "beside"):
        picture(seed=9).save(secret)
    path = {"folder": uploads, "pipe": "/proc/self/fd/1"}.get(where, secret)
    body = {key: upload(http, files[PHOTO]) if value == PHOTO else value for key, value in CALLS[name].items()}
    answer = answer_of(http, name, body | {field: {"path": str(path)}})
    assert "event: complete" not in answer and "event: error" in answer and str(path) not in answer


def test_postscript_is_not_opened(http, tmp_path):
    """Which Pillow would give to Ghostscript."""
    picture().convert("RGB").save(tmp_path / "photo.eps")
    photo = upload(http, tmp_path / "photo.eps")
    assert "event: error" in answer_of(http, "/stylise", {"photo": photo, "style": "alpha"})


def test_weights_are_not_served(http, tiny_package):
    assert http.get(f"gradio_api/file={tiny_package / 'styles' / 'beta.safetensors'}").status_code == 403


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/photo.png", "http://169.254.169.254/latest", "file:///etc/passwd"])
def test_the_server_fetches_nothing_from_its_own_network(http, address):
    photo = {"path": address, "url": address, "meta": {"_type": "gradio.FileData"}}
    sent = http.post("gradio_api/call/v2/stylise", json={"photo": photo})
    if sent.is_success:
        assert "event: error" in http.get(f"gradio_api/call/stylise/{sent.json()['event_id']}").text
    assert http.get(f"gradio_api/proxy={address}").status_code >= 400


def test_uploads_have_a_size_limit(http, uploads):
    before = sorted(uploads.rglob("*"))
    large = {"files": ("large.png", bytes(21_000_000))}
    assert http.post("gradio_api/upload", files=large).status_code == 413
    assert not [path for path in uploads.rglob("*") if path not in before and path.is_file()]


def test_nothing_of_a_visitor_stays(demo, client, http, files, folder, uploads):
    """What is deleted after an hour is all that came from visitors or was made for them."""
    for name in CALLS:
        curl(http, name, CALLS[name], files)
    upload(http, files[PHOTO])  # and never used
    photo = files[PHOTO].read_bytes()
    assert [path for path in uploads.rglob("*.png") if path.read_bytes() == photo]
    folder.sweep(time.time() + 3600)
    examples = {path for block in demo.blocks.values() for path in getattr(block, "keep_in_cache", ())}
    assert examples and {path for path in uploads.rglob("*") if path.is_file()} == {*map(Path, examples)}


def test_no_analytics_and_no_monitoring(demo, http):
    assert demo.analytics_enabled is False
    assert http.get("config").json()["analytics_enabled"] is False
    assert http.get("monitoring").status_code in (403, 404)
