import json
import shutil
import socket
import subprocess
import sys

import pytest
import torch
from diffusers.models.modeling_utils import ModelMixin
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from styletransfer import StyleEncoder, StyleGenerator, StyleTransferPipeline, UpscaleGenerator, load_pipeline
from styletransfer.pipelines import loading
from styletransfer.styles import read_tensors
from tests.conftest import unit_codes


@pytest.fixture
def package(tiny_package, tmp_path):
    """A copy of the tiny package that a test may break."""
    return shutil.copytree(tiny_package, tmp_path / "package")


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(loading, "snapshot_download", refuse)


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_package_is_made_of_these_files(tiny_package):
    files = {str(path.relative_to(tiny_package)) for path in tiny_package.rglob("*") if path.is_file()}
    networks = {
        f"{name}/{file}" for name in ("stylizer", "encoder") for file in ("config.json", "diffusion_pytorch_model.safetensors")
    }
    assert {file for file in files if not file.startswith(("samples", "README"))} == networks | {
        "model_index.json",
        "styles/alpha.safetensors",
        "styles/beta.safetensors",
        # for plain diffusers; load_pipeline never reads them
        "pipeline.py",
        "stylizer/network.py",
        "stylizer/styletransfer.models.style_generator.py",
        "encoder/styletransfer.models.style_encoder.py",
    }


def test_module_paths_are_part_of_the_format(tiny_package):
    """Published packages hold these strings: moving a network to another file would break them."""
    index = json.loads((tiny_package / "model_index.json").read_text())
    assert index.pop("_diffusers_version")
    assert index == {
        "_class_name": ["pipeline", "StyleTransferPipeline"],
        "auto_map": {"AutoModel": "network.StyleGenerator"},
        "stylizer": ["styletransfer.models.style_generator", "StyleGenerator"],
        "encoder": ["styletransfer.models.style_encoder", "StyleEncoder"],
        "enlarger": [None, None],
    }


def test_saving_what_was_loaded_gives_the_same_files(tiny_package, tmp_path):
    load_pipeline(tiny_package).save_pretrained(tmp_path / "again")
    for path in (tmp_path / "again").rglob("*.*"):
        before = tiny_package / path.relative_to(tmp_path / "again")
        if path.parent.name == "styles":  # safetensors writes several metadata in any order
            (old, about), (new, again) = read_tensors(before), read_tensors(path)
            assert about == again and old.keys() == new.keys() and all(torch.equal(old[name], new[name]) for name in old)
        else:
            assert path.read_bytes() == before.read_bytes(), path
    assert not any(str(tiny_package).encode() in path.read_bytes() for path in (tmp_path / "again").rglob("*.json"))


def test_saving_drops_the_path_of_this_machine(tiny_package, tmp_path):
    """Networks that diffusers loaded, and not this package, remember where from."""
    parts = ((StyleGenerator, "stylizer"), (StyleEncoder, "encoder"))
    stylizer, encoder = (ModelMixin.from_pretrained.__func__(network, tiny_package / part) for network, part in parts)
    assert "_name_or_path" in stylizer.config
    StyleTransferPipeline(stylizer, encoder).save_pretrained(tmp_path)
    assert not any("_name_or_path" in path.read_text() for path in tmp_path.rglob("*.json"))
    assert load_pipeline(tmp_path).styles == []


def test_a_network_loads_alike_by_its_module_and_by_the_front_door(tiny_package):
    """In a process that has imported neither yet."""
    script = """
import sys
from styletransfer.models.style_generator import StyleGenerator
before = StyleGenerator.from_pretrained.__func__
import styletransfer
assert styletransfer.StyleGenerator is StyleGenerator and StyleGenerator.from_pretrained.__func__ is before
try:
    StyleGenerator.from_pretrained(sys.argv[1], subfolder="encoder")
except ValueError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script, str(tiny_package)], capture_output=True, text=True, check=True).stdout
    assert said.endswith("should hold a StyleGenerator, got StyleEncoder\n")


def test_networks_come_in_evaluation_mode_with_the_wanted_dtype(tiny_package):
    pipe = load_pipeline(str(tiny_package), device="cpu", dtype=torch.bfloat16)
    assert not pipe.stylizer.training and not pipe.encoder.training
    assert {value.dtype for value in pipe.stylizer.state_dict().values()} == {torch.bfloat16}
    assert isinstance(StyleTransferPipeline.from_pretrained(tiny_package), StyleTransferPipeline)


@pytest.mark.parametrize(
    "name",
    [
        "./none",
        "../none/x",
        "/none/x",
        "none",
        "a/b/c",
        "model_cards/pianter",
        "styletransfer/none",
        "~/none",
        "C:\\none",
        "a b/c",
        "",
    ],
)
def test_a_path_that_does_not_exist_is_answered_at_once(name, no_network, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "styletransfer").mkdir()
    with pytest.raises(FileNotFoundError, match=r"does not exist, and is no Hub id|is not a style package"):
        load_pipeline(name)
    with pytest.raises(FileNotFoundError):
        load_pipeline(tmp_path / "none")


def test_a_hub_id_is_fetched_without_anything_that_could_run(tiny_package, monkeypatch):
    asked = {}

    def download(name, **options):
        asked.update(name=name, **options)
        return str(tiny_package)

    monkeypatch.setattr(loading, "snapshot_download", download)
    monkeypatch.setattr(loading, "trouble_with", lambda *arguments: "")
    assert load_pipeline("user/tiny", revision="v1", token="secret").styles == ["alpha", "beta"]
    assert (asked["name"], asked["revision"], asked["token"]) == ("user/tiny", "v1", "secret")
    assert all(pattern.endswith((".json", ".safetensors", "README.md", ".jpg")) for pattern in asked["allow_patterns"])


def test_a_hub_that_does_not_answer_gives_one_sentence(monkeypatch):
    def download(*arguments, **options):
        raise OSError("no route\nmore")

    monkeypatch.setattr(loading, "snapshot_download", download)
    monkeypatch.setattr(loading, "trouble_with", lambda *arguments: "")
    with pytest.raises(OSError, match=r"^user/tiny could not be fetched from the Hub: no route$"):
        load_pipeline("user/tiny")


def test_a_style_is_read_from_a_folder(tiny_pipe, tmp_path):
    tiny_pipe.named["beta"].save(tmp_path / "style.safetensors")
    assert tiny_pipe.load_style(tmp_path, name="gamma").name == "gamma" and tiny_pipe.styles[-1] == "gamma"
    with pytest.raises(FileNotFoundError, match="does not exist"):
        tiny_pipe.load_style("./none.safetensors")


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("model_index.json", {"_class_name": "Evil"}, "needs a Evil, and there are only StyleTransferPipeline"),
        ("model_index.json", {"_class_name": ["os", "system"]}, "does not name a pipeline class"),
        ("model_index.json", {"stylizer": ["os", "system"]}, r"must give StyleGenerator as stylizer, got \['os', 'system'\]"),
        ("model_index.json", {"encoder": None}, "must give StyleEncoder as encoder, got None"),
        ("model_index.json", {"enlarger": ["os", "system"]}, r"must give UpscaleGenerator as enlarger, got \['os', 'system'\]"),
        ("stylizer/config.json", {"_class_name": "StyleEncoder"}, "should hold a StyleGenerator, got StyleEncoder"),
        ("stylizer/config.json", {"num_blokcs": 2}, "arguments that StyleGenerator does not take: num_blokcs"),
        ("stylizer/config.json", {"num_blocks": 2}, "does not fit StyleGenerator: it lacks blocks.1.conv1.*, .* and [0-9] more"),
        ("stylizer/config.json", {"num_blocks": 0}, "it has unexpected blocks.0.conv1"),
        ("stylizer/config.json", {"trunk_channels": 4}, "it has another shape for blocks.0"),
        ("stylizer/config.json", {"base_channels": "wide"}, "does not make a StyleGenerator"),
        ("stylizer/config.json", {"base_channels": -8}, "does not make a StyleGenerator|does not fit"),
        ("stylizer/config.json", {"base_channels": 10**9}, "a number above 4096"),
        ("stylizer/config.json", {"base_channels": 4096}, "another shape for"),
        ("encoder/config.json", {"base_channels": 8}, "does not fit StyleEncoder: it has another shape"),
    ],
)
def test_wrong_json_is_refused(package, file, changes, message):
    edit_json(package / file, **changes)
    with pytest.raises(ValueError, match=message) as error:
        load_pipeline(package)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("component", ["stylizer", "encoder"])
@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"version https://git-lfs.github.com/spec/v1\n", None])
def test_weights_that_are_none_are_refused(package, component, content):
    path = package / component / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(ValueError, match=f"{component}.*is not a readable safetensors file"):
        load_pipeline(package)


def test_a_pickle_is_never_read(package):
    path = package / "stylizer" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(path), package / "stylizer" / "diffusion_pytorch_model.bin")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"diffusion_pytorch_model\.safetensors does not exist"):
        load_pipeline(package)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(package, value):
    path = package / "encoder" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    name = sorted(tensors)[-1]
    tensors[name].view(-1)[3] = value
    save_file(tensors, path)
    with pytest.raises(ValueError, match=f"StyleEncoder: it has values that are not finite in {name}"):
        load_pipeline(package)


def without(*names):
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if name not in names}


def changed(name, change):
    return lambda tensors: tensors | {name: change(tensors[name]).contiguous()}


UP = "adapter.out.weight.up"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            changed("codes", lambda codes: unit_codes(3, seed=0, size=16)),
            "style 'alpha' has codes of 16 floats, this package takes 8",
        ),
        (changed("codes", lambda codes: codes[0]), r"must be a tensor \(K, D\)"),
        (changed("codes", torch.zeros_like), "root mean square 1"),
        (changed("codes", lambda codes: codes[:2]), "must have a palette for each of 2 codes, got 3"),
        (changed("means", lambda means: means[:2]), "must hold a mean and a covariance for each palette"),
        (changed("means", lambda means: means[:, :2]), r"a palette has a mean \(3,\) and a covariance \(3, 3\), got \(2,\)"),
        (changed("covariances", lambda covariances: covariances * torch.inf), "a palette must be finite"),
        (changed("means", lambda means: means + 1e20), r"must be one of colours in \[-1, 1\]"),
        (changed("covariances", lambda covariances: -covariances), "covariance .* symmetric"),
        (changed(UP, lambda up: up * torch.nan), "not finite in its adapter: out.weight.up"),
        (changed(UP, lambda up: up[:, :1]), "'alpha' was learned for another network: out.weight.(up|down) does not fit"),
        (changed(UP, lambda up: up[:5]), "learned for another network"),
        (changed(UP, lambda up: up[None]), "learned for another network"),
        (without(UP), "learned for another network: out.weight.down does not fit"),
        (lambda tensors: tensors | {"adapter.stem.norm.affine.weight": torch.zeros(16)}, "learned for another network"),
        (lambda tensors: tensors | {"adapter.nonsense": torch.zeros(8)}, "learned for another network: nonsense does not fit"),
        (lambda tensors: tensors | {"more": torch.zeros(1)}, "is not a style file: it holds 'more'"),
        (without("codes"), "is not a style file"),
        (lambda tensors: tensors | {"adapter.big": torch.zeros(40_000_000, dtype=torch.half)}, "is too large for a style file"),
    ],
)
def test_hostile_style_files_are_refused_in_one_sentence(package, edit, message):
    path = package / "styles" / "alpha.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    save_file(edit(load_file(path)), path, metadata)
    with pytest.raises(ValueError, match=message) as error:
        load_pipeline(package)
    assert "\n" not in str(error.value)


def test_missing_parts_are_named(package):
    (package / "encoder" / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"encoder/config\.json does not exist"):
        load_pipeline(package)
    (package / "model_index.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"it has no model_index\.json"):
        load_pipeline(package)


def test_a_package_needs_no_styles(package):
    shutil.rmtree(package / "styles")
    assert load_pipeline(package).styles == []


def test_an_enlarger_is_a_part_of_the_package(tiny_pipe, tmp_path):
    enlarger = UpscaleGenerator(base_channels=4, num_blocks=1)
    StyleTransferPipeline(tiny_pipe.stylizer, tiny_pipe.encoder, enlarger, tiny_pipe.named.values()).save_pretrained(tmp_path)
    assert (tmp_path / "enlarger" / "styletransfer.models.upscale_generator.py").is_file()
    loaded = load_pipeline(tmp_path).enlarger
    assert loaded.config.scale == enlarger.config.scale and not loaded.training
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, enlarger.state_dict()[name])


def test_networks_that_do_not_fit_together_are_refused(tiny_pipe):
    with pytest.raises(ValueError, match="the encoder's codes have 16 floats, the stylizer takes 8"):
        StyleTransferPipeline(tiny_pipe.stylizer, StyleEncoder(code_size=16, base_channels=4))


def test_only_safetensors_are_written(tiny_pipe, tmp_path):
    with pytest.raises(ValueError, match="a package is made of safetensors files"):
        tiny_pipe.save_pretrained(tmp_path, safe_serialization=False)


def test_a_device_that_is_not_there_is_refused(tiny_package):
    with pytest.raises(ValueError, match="device 'nonsense' cannot be used"):
        load_pipeline(tiny_package, device="nonsense")
