"""Packages of a Hub, by the real clients: huggingface_hub, diffusers, and our own loader."""

import ast
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.modeling_utils import ModelMixin
from huggingface_hub import HfApi, constants
from PIL import Image
from safetensors.torch import load, save

import styletransfer
from styletransfer import (
    GenerationPipeline,
    StyleGenerator,
    StyleTransferPipeline,
    TranslationPipeline,
    UpscaleGenerator,
    load_pipeline,
)
from styletransfer.catalog import MODEL_CARDS, REPOSITORY, read_index
from styletransfer.pipelines import loading
from tests.conftest import picture
from tests.tiny import NETWORKS

WEIGHTS = "stylizer/diffusion_pytorch_model.safetensors"
HALF = {"variant": "fp16", "dtype": torch.float16}
WITHOUT_US = """
import sys
sys.modules["styletransfer"] = None  # as if it were not installed
import numpy as np
import torch
from diffusers import AutoModel, DiffusionPipeline
from PIL import Image
"""
PAINTER = """
for load in (DiffusionPipeline.from_pretrained, lambda name: AutoModel.from_pretrained(name, subfolder="stylizer")):
    try:
        load("user/painter")
    except ValueError as error:
        assert "trust_remote_code" in str(error)
    else:
        raise AssertionError("code of a stranger was run")
pipe = DiffusionPipeline.from_pretrained("user/painter", trust_remote_code=True)
photo, painting = Image.open("photo.png"), Image.open("painting.png")
styles = {"named": "alpha", "mixed": {"alpha": 0.5, "beta": 0.5}, "painting": painting}
images = {name: np.asarray(pipe(photo, style, strength=0.8).images[0]) for name, style in styles.items()}
controls = {"mask": Image.linear_gradient("L").resize(photo.size), "tone": 0.2, "color": 0.4, "brush": 2, "size": 100}
images["controlled"] = np.asarray(pipe(photo, "alpha", **controls).images[0])
network = AutoModel.from_pretrained("user/painter", subfolder="stylizer", trust_remote_code=True)
images["sums"] = [value.sum().item() for value in network.state_dict().values()]
half = DiffusionPipeline.from_pretrained("user/painter", variant="fp16", dtype=torch.float16, trust_remote_code=True)
assert half.stylizer.dtype == half.encoder.dtype == torch.float16
images["half"] = np.asarray(half(photo, "alpha").images[0])
np.savez("out.npz", **images)
"""
OTHERS = """
photo = Image.open("photo.png")
images = {}
for name in sys.argv[1:]:
    for half in ({}, {"variant": "fp16", "dtype": torch.float16}):
        pipe = DiffusionPipeline.from_pretrained(f"user/{name}", trust_remote_code=True, **half)
        (component,) = pipe.components
        network = AutoModel.from_pretrained(f"user/{name}", subfolder=component, trust_remote_code=True, **half)
        states = [part.state_dict() for part in (network, pipe.components[component])]
        assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
        assert network.dtype == (torch.float16 if half else torch.float32)
        options = {"style": "ink"} if name == "domain_generator" else {}
        made = pipe(photo, **options) if component == "translator" else pipe(seeds=[3, 4], truncation=0.7)
        images[f"{name} {bool(half)}"] = np.asarray(made.images[-1])
    if component == "translator" and name != "upscale_generator":
        mask = Image.linear_gradient("L").resize(photo.size)
        images[f"{name} faded"] = np.asarray(pipe(photo, strength=0.4, mask=mask, **options).images[0])
np.savez("out.npz", **images)
"""


def without_us(hub, folder, code, *arguments):
    """What `code` writes to out.npz in a new process that knows diffusers, a loopback Hub and nothing of the house."""
    environment = {**os.environ, **hub.environment(folder / "plain")}
    command = [sys.executable, "-c", WITHOUT_US + code, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return np.load(folder / "out.npz")


def with_enlarger(pipe: StyleTransferPipeline) -> StyleTransferPipeline:
    torch.manual_seed(0)
    enlarger = UpscaleGenerator(base_channels=4, num_blocks=1).eval()
    return StyleTransferPipeline(pipe.stylizer, pipe.encoder, enlarger, pipe.named.values())


@pytest.mark.slow
@pytest.mark.parametrize("enlarger", [False, True])
def test_three_loaders_open_one_repository(enlarger, hub, tiny_package, tiny_pipe, tmp_path):
    package = shutil.copytree(tiny_package, tmp_path / "package")
    if enlarger:
        with_enlarger(tiny_pipe).save_pretrained(package)
    load_pipeline(package, dtype=torch.float16).save_pretrained(package, variant="fp16")
    hub.add_repo("user/painter", package)
    photo, painting = picture((70, 65)), picture((40, 50), seed=3)
    photo.save(tmp_path / "photo.png")
    painting.save(tmp_path / "painting.png")
    made = without_us(hub, tmp_path, PAINTER)
    for name, style in {"named": "alpha", "mixed": {"alpha": 0.5, "beta": 0.5}, "painting": painting}.items():
        ours = np.asarray(load_pipeline("user/painter")(photo, style, strength=0.8).images[0])
        assert np.abs(made[name].astype(int) - ours).max() <= 1 and np.abs(ours - np.asarray(photo).astype(int)).mean() > 3
    controls = {"mask": Image.linear_gradient("L").resize(photo.size), "tone": 0.2, "color": 0.4, "brush": 2, "size": 100}
    ours = np.asarray(load_pipeline("user/painter")(photo, "alpha", **controls).images[0])
    assert np.abs(made["controlled"].astype(int) - ours).max() <= 1
    ours = np.asarray(load_pipeline("user/painter", **HALF)(photo, "alpha").images[0])
    assert np.abs(made["half"].astype(int) - ours).max() <= 1
    assert made["sums"].tolist() == [value.sum().item() for value in tiny_pipe.stylizer.state_dict().values()]


@pytest.mark.slow
def test_three_loaders_open_translators_and_generators(hub, tmp_path):
    """All of them: the code in a package is that of one network with the shared layers, and must stand alone."""
    rows = {name: row for name, row in NETWORKS.items() if row.network in TranslationPipeline.networks}
    assert {row.network for row in rows.values()} == {*TranslationPipeline.networks}
    pipes = {name: TranslationPipeline(lively(row), domains(row)) for name, row in rows.items()}
    for name in ("dcgan_generator", "progressive_generator"):
        pipes[name] = GenerationPipeline(lively(NETWORKS[name]))
    for name, pipe in pipes.items():
        pipe.save_pretrained(tmp_path / name)
        load_pipeline(tmp_path / name, dtype=torch.float16).save_pretrained(tmp_path / name, variant="fp16")
        hub.add_repo(f"user/{name}", tmp_path / name)
    photo = picture((33, 7))
    photo.save(tmp_path / "photo.png")
    made = without_us(hub, tmp_path, OTHERS, *pipes)

    def same(key, pipe, *arguments, **options):
        ours = np.asarray(pipe(*arguments, **options).images[-1])
        assert ours.std() > 5 and np.abs(made[key].astype(int) - ours).max() <= 1, key

    for name in pipes:
        pipe, half = load_pipeline(f"user/{name}"), load_pipeline(f"user/{name}", **HALF)
        assert next(iter(half.components.values())).dtype == torch.float16
        for key, part in ((f"{name} False", pipe), (f"{name} True", half)):
            if name in rows:
                same(key, part, photo, "ink" if part.styles else None)
            else:
                same(key, part, [3, 4], truncation=0.7)
        if name in rows and pipe.scale == 1:
            mask = Image.linear_gradient("L").resize(photo.size)
            same(f"{name} faded", half, photo, "ink" if pipe.styles else None, strength=0.4, mask=mask)


def lively(row):
    """A network with weights that are larger than fresh ones, some of which hardly leave the grey."""
    network = row.build().eval()
    with torch.no_grad():
        for value in network.parameters():
            value.mul_(8 if value.ndim > 1 else 1)
    return network


def domains(row):
    return ["plain", "ink", "chalk"][: row.arguments.get("num_domains", 0)]  # not in the order of the alphabet


def test_our_loaders_neither_fetch_nor_run_code(hub, tiny_package, tiny_pipe, tmp_path):
    repo = hub.add_repo("user/painter", tiny_package)
    marker = tmp_path / "ran"
    code = [path for path in repo.files() if path.endswith(".py")]
    assert len(code) == 4
    repo.commit({path: f"open({str(marker)!r}, 'w')".encode() for path in code}, "evil")
    assert load_pipeline("user/painter").styles == ["alpha", "beta"]
    network = StyleGenerator.from_pretrained("user/painter", subfolder="stylizer")
    torch.testing.assert_close(network.state_dict(), tiny_pipe.stylizer.state_dict(), rtol=0, atol=0)
    assert not marker.exists() and not any(path.endswith(".py") for _, path, _ in hub.calls)


def test_what_the_client_uploads_loads(hub, tiny_package):
    api = HfApi(token=hub.token)
    api.create_repo("user/mine", private=True)
    commit = api.upload_folder(repo_id="user/mine", folder_path=tiny_package)
    assert load_pipeline("user/mine", revision=commit.oid, token=hub.token).styles == ["alpha", "beta"]


def test_a_variant_is_all_that_is_fetched(hub, tiny_package, tmp_path):
    package = shutil.copytree(tiny_package, tmp_path / "package")
    load_pipeline(package, dtype=torch.float16).save_pretrained(package, variant="fp16")
    hub.add_repo("user/painter", package)
    half = load_pipeline("user/painter", variant="fp16")
    assert half.stylizer.dtype == torch.float32  # as diffusers does where no dtype is asked for
    weights = {path.rsplit("/", 1)[-1] for _, path, _ in hub.calls if path.endswith(".safetensors")}
    assert weights == {"diffusion_pytorch_model.fp16.safetensors", "alpha.safetensors", "beta.safetensors"}
    exact, rounded = (pipe(picture(), "alpha", output_type="np").images[0] for pipe in (load_pipeline("user/painter"), half))
    assert 0 < np.abs(exact - rounded).mean() < 0.01
    with pytest.raises(
        FileNotFoundError, match=r"has no variant bf16: diffusion_pytorch_model\.bf16\.safetensors does not exist"
    ):
        load_pipeline("user/painter", variant="bf16")
    with pytest.raises(ValueError, match=r"variant must be a word such as fp16, got '\.\./\.\./x'"):
        load_pipeline("user/painter", variant="../../x")


def test_revisions(hub, tiny_package, tiny_pipe, tmp_path):
    repo = hub.add_repo("user/painter", tiny_package)
    first = repo.refs["v1"] = repo.refs["main"]
    tiny_pipe.named["beta"].named("gamma").save(tmp_path / "gamma.safetensors")
    changes = {"styles": None, "styles/gamma.safetensors": (tmp_path / "gamma.safetensors").read_bytes()}
    repo.commit(changes, "another style")
    assert load_pipeline("user/painter").styles == ["gamma"]
    for revision in ("v1", first):
        assert load_pipeline("user/painter", revision=revision).styles == ["alpha", "beta"]
    with pytest.raises(ValueError, match=r"^user/painter on the Hub has no revision 'v2'$"):
        load_pipeline("user/painter", revision="v2")


def test_a_private_repository_needs_a_token(hub, tiny_package, monkeypatch):
    hub.add_repo("user/painter", tiny_package, private=True)
    for token in (None, "hf_wrong"):
        with pytest.raises(FileNotFoundError, match=r"^user/painter is neither .* private ones need a token$"):
            load_pipeline("user/painter", token=token)
    assert load_pipeline("user/painter", token=hub.token).styles
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert load_pipeline("user/painter").styles


def stylizer(name="user/painter", **options):
    return StyleGenerator.from_pretrained(name, subfolder="stylizer", **options)


@pytest.mark.parametrize(
    ("load", "way"),
    [*product((load_pipeline, stylizer), ("the Hub is gone", "HF_HUB_OFFLINE")), (stylizer, "local_files_only")],
)
def test_what_was_fetched_before_loads_at_once_without_the_hub(hub, tiny_package, monkeypatch, load, way):
    hub.add_repo("user/painter", tiny_package)
    load("user/painter")
    options = {}
    if way == "HF_HUB_OFFLINE":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    elif way == "local_files_only":
        options = {"local_files_only": True}
    else:
        hub.stop()
    asked = len(hub.calls)
    seconds = []
    for _ in range(3):
        start = time.process_time()  # of this process alone: others may hold the processor
        assert load("user/painter", **options).config
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.1 and len(hub.calls) == asked


@pytest.mark.parametrize("load", [load_pipeline, stylizer])
def test_a_hub_that_is_gone_or_silent_is_named_soon(hub, tiny_package, monkeypatch, load):
    monkeypatch.setattr(loading, "PATIENCE", 0.3)
    hub.add_repo("user/painter", tiny_package)
    hub.delay = 60  # longer than anyone waits, on a busy machine too
    for _ in range(2):
        start = time.monotonic()
        with pytest.raises(OSError, match=f"^user/painter was not fetched before, and {hub.url} does not answer$"):
            load("user/painter")
        assert time.monotonic() - start < hub.delay
        hub.stop()


def test_a_hub_that_fails_is_named_or_done_without(hub, tiny_package):
    hub.add_repo("user/painter", tiny_package)
    hub.fail["GET", "/api/models"] = [500]
    with pytest.raises(OSError, match=f"^user/painter was not fetched before, and {hub.url} answered 500$"):
        load_pipeline("user/painter")
    load_pipeline("user/painter")
    hub.fail["GET", "/api/models"] = [500]
    assert load_pipeline("user/painter").styles == ["alpha", "beta"]


@pytest.mark.parametrize("part", ["/resolve", "/tree"])
def test_a_hub_that_refuses_in_the_middle_is_named(hub, tiny_package, part):
    hub.add_repo("user/painter", tiny_package)
    hub.fail["GET", part] = [403] * 100
    with pytest.raises(OSError, match=rf"^user/painter .*{hub.url} refused a file \(403\); a token may be needed") as error:
        load_pipeline("user/painter")
    assert "\n" not in str(error.value)


def test_a_style_is_a_repository_too(hub, tiny_pipe, tmp_path):
    tiny_pipe.named["beta"].save(tmp_path / "style" / "style.safetensors")
    repo = hub.add_repo("user/my-style", tmp_path / "style", private=True)
    assert sum(map(len, repo.files().values())) < 5000
    style = tiny_pipe.load_style("user/my-style", name="mine", token=hub.token)
    assert tiny_pipe.styles == ["alpha", "beta", "mine"]
    torch.testing.assert_close(style.codes, tiny_pipe.named["beta"].codes)
    with pytest.raises(FileNotFoundError, match="user/none is neither a folder here nor a repository"):
        tiny_pipe.load_style("user/none")


def pickled(package):
    file = io.BytesIO()
    torch.save(load(package[WEIGHTS]), file)
    return {WEIGHTS: file.getvalue()}


def with_weights(edit):
    def change(package):
        tensors = load(package[WEIGHTS])
        edit(tensors)
        return {WEIGHTS: save(tensors)}

    return change


def with_index(**values):
    return lambda package: {"model_index.json": json.dumps({**json.loads(package["model_index.json"]), **values}).encode()}


def with_config(path="stylizer/config.json", **values):
    return lambda package: {path: json.dumps({**json.loads(package[path]), **values}).encode()}


BROKEN_NETWORKS = [
    (pickled, "is not a readable safetensors file"),
    (with_weights(lambda tensors: tensors.pop("stem.conv.weight")), r"it lacks stem\.conv\.weight"),
    (with_weights(lambda tensors: tensors.update(more=torch.zeros(1))), "it has unexpected more"),
    (with_weights(lambda tensors: tensors.update({"out.bias": torch.zeros(3)})), r"another shape for out\.bias"),
    (with_weights(lambda tensors: tensors["out.bias"].fill_(float("nan"))), r"not finite in out\.bias"),
    (with_weights(lambda tensors: tensors.update({"out.bias": torch.zeros(12, dtype=torch.int8)})), "another type of numbers"),
    (
        with_weights(lambda tensors: tensors.update({"out.bias": torch.zeros(12).to(torch.float8_e4m3fn)})),
        r"holds float8_e4m3fn in out\.bias; convert its tensors to float16 or float32",
    ),
    (with_config(_class_name="StyleEncoder"), "should hold a StyleGenerator, got StyleEncoder"),
    (with_config(base_channels=-8), "does not make a StyleGenerator|does not fit"),
    (lambda package: {WEIGHTS: None}, r"safetensors does not exist"),
]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        *BROKEN_NETWORKS,
        *(
            (with_config("encoder/config.json", size=size), "does not make a StyleEncoder: size must be")
            for size in (0, -5, 2.5, "a", None)
        ),
        (lambda package: {"stylizer/config.json": b'{"a":' * 100_000}, "is not valid JSON"),
        (
            lambda package: {"styles/alpha.safetensors": struct.pack("<Q", 500_000) + b'{"a":' * 100_000},
            "not a readable safetensors",
        ),
        (with_index(_class_name=["pipeline", "Evil"]), "needs a Evil, and there are only"),
        (with_index(_class_name=["os", "system"]), "does not name a pipeline class"),
        (with_index(stylizer=["os", "system"]), "must give StyleGenerator as stylizer"),
        (lambda package: {"../../../evil/config.json": b"{}"}, "user/painter could not be fetched from the Hub"),
        (lambda package: {"model_index.json": None}, "is not a style package"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(hub, tiny_package, tmp_path, change, message):
    repo = hub.add_repo("user/painter", tiny_package)
    repo.commit(change(repo.files()), "broken")
    with pytest.raises((ValueError, OSError), match=message) as error:
        load_pipeline("user/painter")
    assert "\n" not in str(error.value)
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(("change", "message"), BROKEN_NETWORKS)
def test_a_network_alone_is_refused_as_strictly(hub, tiny_package, change, message):
    repo = hub.add_repo("user/painter", tiny_package)
    assert stylizer().training is False
    repo.commit(change(repo.files()), "broken")
    with pytest.raises((ValueError, OSError), match=message) as error:
        stylizer()
    assert "\n" not in str(error.value)


def test_a_network_alone_takes_what_diffusers_takes(hub, tiny_package, tiny_pipe, tmp_path):
    package = shutil.copytree(tiny_package, tmp_path / "package")
    load_pipeline(package, dtype=torch.float16).save_pretrained(package, variant="fp16")
    repo = hub.add_repo("user/painter", package, private=True)
    repo.refs["v1"] = repo.refs["main"]
    repo.commit({WEIGHTS: b""}, "broken")
    network = stylizer(revision="v1", token=hub.token, cache_dir=tmp_path / "cache")
    torch.testing.assert_close(network.state_dict(), tiny_pipe.stylizer.state_dict(), rtol=0, atol=0)
    assert list((tmp_path / "cache").glob("models--user--painter")) and not (tmp_path / "hf" / "hub").exists()
    half = stylizer(variant="fp16", torch_dtype=torch.float16, token=hub.token)
    assert half.dtype == stylizer(package, dtype=torch.float16).dtype == torch.float16
    assert stylizer(variant="fp16", token=hub.token).dtype == torch.float32
    assert not any("encoder" in path or path.endswith(".py") for _, path, _ in hub.calls if "/resolve/" in path)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"subfolder": "../painter/stylizer"}, ValueError, r"^subfolder must lie in user/painter, got '\.\./painter/stylizer'$"),
        ({"subfolder": "/stylizer"}, ValueError, "^subfolder must lie in user/painter"),
        ({"subfolder": "none"}, FileNotFoundError, "^the folder none of user/painter holds no network: it has no config.json"),
        ({}, FileNotFoundError, "^user/painter holds no network: .* give the folder of the network as subfolder$"),
        ({"subfolder": "encoder"}, ValueError, "should hold a StyleGenerator, got StyleEncoder$"),
        ({"subfolder": "stylizer", "variant": "fp16"}, FileNotFoundError, "has no variant fp16"),
        ({"subfolder": "stylizer", "variant": "../x"}, ValueError, "variant must be a word such as fp16"),
        ({"subfolder": "stylizer", "revision": "v2"}, ValueError, "^user/painter on the Hub has no revision 'v2'$"),
        ({"subfolder": "stylizer", "dtype": "float16"}, ValueError, "dtype must be a type of floats .*, got 'float16'$"),
        ({"subfolder": "stylizer", "dtype": torch.int8}, ValueError, "dtype must be a type of floats"),
        (
            {"subfolder": "stylizer", "cache_dir": "empty", "local_files_only": True},
            OSError,
            "fetched before, and local_files_only",
        ),
        ({"subfolder": "stylizer", "use_safetensors": False}, TypeError, "unexpected keyword argument 'use_safetensors'"),
    ],
)
def test_wrong_options_of_a_network_are_refused(hub, tiny_package, monkeypatch, tmp_path, options, error, message):
    monkeypatch.chdir(tmp_path)
    hub.add_repo("user/painter", tiny_package)
    with pytest.raises(error, match=message) as refusal:
        StyleGenerator.from_pretrained("user/painter", **options)
    assert "\n" not in str(refusal.value)


def test_every_public_network_is_loaded_strictly():
    names = [name for name, home in styletransfer.HOMES.items() if home.startswith("styletransfer.models.")]
    networks = [network for name in names if issubclass(network := getattr(styletransfer, name), ModelMixin)]
    assert len(networks) == len(names) - 1  # the feature pyramid is no network of a package
    for network in networks:
        with pytest.raises(FileNotFoundError, match="none does not exist, and is no Hub id"):
            network.from_pretrained("none")


def test_packages_of_before_load(tiny_package, tmp_path):
    """Published ones hold no code, and the name of their class alone."""
    golden = {
        "_class_name": "StyleTransferPipeline",
        "stylizer": ["styletransfer.models.style_generator", "StyleGenerator"],
        "encoder": ["styletransfer.models.style_encoder", "StyleEncoder"],
    }
    for package in (tiny_package, REPOSITORY / MODEL_CARDS / "painter"):
        assert read_index(package).items() >= golden.items()
    old = shutil.copytree(tiny_package, tmp_path / "old", ignore=shutil.ignore_patterns("*.py"))
    (old / "model_index.json").write_text(json.dumps(golden))
    for package in (old, REPOSITORY / MODEL_CARDS / "painter"):
        assert load_pipeline(package).styles


def test_the_code_in_a_package_is_small_and_needs_nothing_of_the_house(tiny_package):
    files = [path for path in Path(tiny_package).rglob("*.py")]
    assert {str(path.relative_to(tiny_package)) for path in files} == {
        "pipeline.py",
        "stylizer/network.py",
        "stylizer/styletransfer.models.style_generator.py",
        "encoder/styletransfer.models.style_encoder.py",
    }
    for path in files:
        text = path.read_text()
        assert not re.search(r"^\s*(import|from) styletransfer", text, re.MULTILINE)
        names = [name for node in ast.parse(text).body for name in defined(node)]
        assert len(names) == len(set(names)), "two files of the house in one must not give one name to two things"
    assert sum(path.stat().st_size for path in files) < 75_000


def defined(node: ast.stmt) -> list[str]:
    """Names that a line at the top of a file gives, other than imported ones."""
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets]
    return [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
