"""Packages of a Hub by the real client: what visitors may load, and one sentence for each thing that is wrong."""

import json
import os
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from huggingface_hub import constants
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from styletransfer.limited import run_limited
from styletransfer.pipelines import loading
from styletransfer.ui import hub as visitors_hub
from styletransfer.ui.hub import fetch_package
from tests.hub.loopback import LoopbackHub


class Hub(LoopbackHub):
    """One that says how large files are, as the Hub does when it is asked for their metadata, and keeps some behind a gate.

    Attributes:
        sizes: What to say instead of the truth, by path.
        gated: Repositories that only those let in may read.
    """

    def __init__(self):
        super().__init__()
        self.sizes, self.gated = {}, set()

    async def info(self, request):
        name, repo, sha = self.find(request)
        if name in self.gated:
            raise HTTPException(403, headers={"X-Error-Code": "GatedRepo"})
        files = [{"rfilename": path, "size": len(data)} for path, data in sorted(repo.files(sha).items())]
        siblings = [file | ({"size": self.sizes[file["rfilename"]]} if file["rfilename"] in self.sizes else {}) for file in files]
        return JSONResponse({"id": name, "modelId": name, "sha": sha, "private": False, "tags": [], "siblings": siblings})


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with Hub() as hub:
        hub.connect(monkeypatch, tmp_path / "hf")
        visitors_hub.shelf.cache_clear()
        yield hub
    visitors_hub.shelf.cache_clear()


def test_a_package_of_the_hub(hub, tiny_package):
    repo = hub.add_repo("user/painter", tiny_package)
    repo.commit({"evil.py": b"raise SystemExit", "weights.bin": b"x", "stylizer/x.pt": b"x"}, "more")
    package = fetch_package(" user/painter ")
    assert (package.name, package.title, [*package.styles]) == ("user/painter", "Tiny", ["alpha", "beta"])
    assert package.path.name == repo.refs["main"]
    files = {path for path in package.path.rglob("*") if path.is_file()}
    assert {path.suffix for path in files} == {".json", ".safetensors", ".jpg", ".md"}
    assert package.path.is_relative_to(visitors_hub.shelf().name)


def test_revisions(hub, tiny_package):
    repo = hub.add_repo("user/painter", tiny_package)
    first = repo.refs["v1"] = repo.refs["main"]
    repo.commit({"README.md": None}, "no card")
    assert fetch_package("user/painter").title == "painter"
    assert fetch_package("user/painter", "v1").title == fetch_package("user/painter", first).title == "Tiny"
    with pytest.raises(FileNotFoundError, match=r"^user/painter has no revision v2\.$"):
        fetch_package("user/painter", "v2")


def test_nobodys_token_is_sent(hub, tiny_package, monkeypatch):
    hub.add_repo("user/secret", tiny_package, private=True)
    monkeypatch.setenv("HF_TOKEN", hub.token)  # of whoever runs the page
    loading.fetch("user/secret")  # who may read it, and has it in the cache now
    with pytest.raises(FileNotFoundError, match=r"^The Hub has no public repository user/secret\."):
        fetch_package("user/secret")


def test_no_request_bears_a_token(hub, tiny_package, monkeypatch):
    hub.add_repo("user/painter", tiny_package)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    fetch_package("user/painter")
    assert not hub.tokens and len(hub.calls) > 10
    loading.fetch("user/painter")  # of whoever runs the page
    assert hub.tokens == {f"Bearer {hub.token}"}


@pytest.mark.parametrize(
    "name", ["painter", "model_cards/painter/..", "/etc/passwd", "../x/y", "a/b/c", "", "user/<b>", "https://x/y"]
)
def test_only_names_of_the_hub_are_asked_for(hub, name):
    with pytest.raises(ValueError, match="has a name like user/painter"):
        fetch_package(name)
    assert not hub.calls


def test_a_folder_of_this_machine_is_never_read(hub, tiny_package, tmp_path, monkeypatch):
    shutil.copytree(tiny_package, tmp_path / "user" / "painter")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="no public repository user/painter"):
        fetch_package("user/painter")


def test_every_trouble_has_its_sentence(hub, tiny_package, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no public repository user/none"):
        fetch_package("user/none")
    hub.add_repo("user/gated", tiny_package)
    hub.gated.add("user/gated")
    with pytest.raises(PermissionError, match="user/gated is gated"):
        fetch_package("user/gated")
    hub.add_repo("user/other").commit({"README.md": b"# Not a package"}, "a card")
    with pytest.raises(ValueError, match=r"user/other is not a package of this app: it has no model_index\.json"):
        fetch_package("user/other")
    hub.add_repo("user/painter", tiny_package)
    hub.fail["GET", "/api/models"] = [500]
    with pytest.raises(ConnectionError, match="error 500"):
        fetch_package("user/painter")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ConnectionError, match="without the network"):
        fetch_package("user/painter")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    hub.stop()
    with pytest.raises(ConnectionError, match="The Hub does not answer"):
        fetch_package("user/painter")


def test_a_hub_that_says_nothing_is_given_up_soon(hub, tiny_package, monkeypatch):
    monkeypatch.setattr(loading, "PATIENCE", 0.2)
    hub.add_repo("user/painter", tiny_package)
    hub.delay = 3
    with pytest.raises(ConnectionError, match="The Hub does not answer"):
        fetch_package("user/painter")


@pytest.mark.parametrize(("size", "said"), [(400_000_000, "400"), (None, r"\?")])
def test_what_is_too_large_is_refused_before_any_download(hub, tiny_package, size, said):
    repo = hub.add_repo("user/large", tiny_package)
    hub.sizes["styles/beta.safetensors"] = size
    with pytest.raises(ValueError, match=rf"^user/large is too large: {said} MB in 11 files\. At most 300 MB in"):
        fetch_package("user/large")
    assert not any("/resolve/" in path for _, path, _ in hub.calls)
    hub.sizes = {"video.mp4": 10**12}  # is not fetched, so it does not count
    repo.commit({"video.mp4": b"x"}, "a film")
    assert fetch_package("user/large").styles


def test_too_many_files_are_too_large(hub, tiny_package, monkeypatch):
    monkeypatch.setattr(visitors_hub, "MAX_FILES", 8)
    hub.add_repo("user/large", tiny_package)
    with pytest.raises(ValueError, match="in 11 files"):
        fetch_package("user/large")


def test_a_file_outside_of_its_folder_is_refused(hub, tiny_package, tmp_path):
    hub.add_repo("user/painter", tiny_package).commit({"../../../evil/config.json": b"{}"}, "evil")
    with pytest.raises(ValueError, match="lie outside of it"):
        fetch_package("user/painter")
    assert not list(tmp_path.rglob("evil"))


def test_a_broken_package_is_named_without_its_folder(hub, tiny_package):
    hub.add_repo("user/painter", tiny_package).commit({"styles/beta.safetensors": b"<html>"}, "broken")
    with pytest.raises(ValueError) as refused:
        fetch_package("user/painter")
    sentence = "user/painter is not a package of this app: styles/beta.safetensors is not a readable safetensors file."
    assert str(refused.value) == sentence


def test_the_repositories_asked_for_longest_ago_go(hub, tiny_package, monkeypatch):
    monkeypatch.setattr(visitors_hub, "SHELF", 2)
    packages = {}
    for age, name in enumerate(["user/a", "user/b", "user/a", "user/c"]):
        hub.add_repo(name, tiny_package)
        packages[name] = fetch_package(name)
        repository = packages[name].path.parents[1]
        os.utime(repository, (age, age))  # as if the clock were coarse
    assert {name: package.path.is_dir() for name, package in packages.items()} == {
        "user/a": True,
        "user/b": False,
        "user/c": True,
    }


@pytest.fixture
def client(hub, url):
    return Client(url, verbose=False, analytics_enabled=False)


def test_the_endpoint_loads_a_package_for_one_visitor(client, hub, tiny_package):
    hub.add_repo("user/painter", tiny_package)
    facts = client.predict("user/painter", "", api_name="/load_package")
    assert facts == {
        "name": "user/painter",
        "kind": "StyleTransferPipeline",
        "styles": ["alpha", "beta"],
        "license": "apache-2.0",
    }


def test_the_endpoint_opens_what_it_loads_and_refuses_in_a_sentence(client, hub, tiny_package):
    repo = hub.add_repo("user/painter", tiny_package)
    index = json.loads(repo.files()["model_index.json"])
    wrongs = [
        {"model_index.json": json.dumps(index | {"_class_name": "Evil"}).encode()},
        {"stylizer/config.json": json.dumps({"_class_name": "StyleGenerator", "<img src=//x>": 1}).encode()},
        {"stylizer/diffusion_pytorch_model.safetensors": b"junk"},
        {"encoder/config.json": None},
    ]
    for wrong in wrongs:
        repo.commit(wrong, "broken")
        with pytest.raises(AppError) as refused:
            client.predict("user/painter", "", api_name="/load_package")
        sentence = str(refused.value)
        assert sentence.startswith("user/painter is not a package of this app: "), sentence
        assert "<" not in sentence and "\n" not in sentence and not re.search(r"/tmp|snapshots|models--", sentence), sentence
        repo.commit({path: (Path(tiny_package) / path).read_bytes() for path in wrong}, "mended")
    assert client.predict("user/painter", "", api_name="/load_package")["name"] == "user/painter"


def test_a_visitor_loads_only_so_many(client, hub, tiny_package, monkeypatch):
    from styletransfer.ui import models

    monkeypatch.setattr(models, "MAX_PACKAGES", 1)
    for name in ("user/a", "user/b"):
        hub.add_repo(name, tiny_package)
    for _ in range(2):  # the same again takes its place
        client.predict("user/a", "", api_name="/load_package")
    with pytest.raises(AppError, match="You have 1 packages loaded already"):
        client.predict("user/b", "", api_name="/load_package")


def test_a_giant_is_refused_in_a_sentence_and_its_weights_are_not_allocated(client, hub, tmp_path):
    from styletransfer import GenerationPipeline, ProgressiveGenerator

    network = ProgressiveGenerator(z_size=8, base_channels=8, image_size=64)
    GenerationPipeline(network).save_pretrained(tmp_path / "giant")
    repo = hub.add_repo("user/giant", tmp_path / "giant")
    config = json.loads(repo.files()["noise_generator/config.json"])
    repo.commit({"noise_generator/config.json": json.dumps(config | {"image_size": 4096}).encode()}, "giant")
    with pytest.raises(AppError, match=r"^user/giant is not a package of this app: .*image_size a number above 1024\.$"):
        client.predict("user/giant", "", api_name="/load_package")


def test_what_takes_too_much_is_refused_in_another_process(hub, tiny_package, monkeypatch):
    hub.add_repo("user/painter", tiny_package)
    monkeypatch.setattr(visitors_hub, "run_limited", partial(run_limited, memory=1_000_000))
    with pytest.raises(ValueError, match=r"^user/painter takes too much memory or time to be opened here\.$"):
        fetch_package("user/painter")
