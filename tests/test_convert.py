"""Published checkpoints become packages that give what the published network gives, and nothing else does."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from styletransfer import load_pipeline
from styletransfer.convert.__main__ import main
from styletransfer.convert.checkpoint import convert
from styletransfer.convert.kinds import KINDS
from tests.conftest import picture
from tests.references import animegan2, resnet, transformer_net, unet
from tests.tiny import image

REFERENCES = {
    "cyclegan-resnet9": lambda: resnet.cyclegan(4, 9),
    "cyclegan-resnet6": lambda: resnet.cyclegan(4, 6),
    "pix2pix-unet256": lambda: unet.UNet(4, 8),
    "pix2pix-unet128": lambda: unet.UNet(4, 7),
    "cut-resnet9": lambda: resnet.cut(4, 9),
    "cut-resnet6": lambda: resnet.cut(4, 6),
    "fast-neural-style": lambda: transformer_net.TransformerNet(4),
    "animegan2": lambda: animegan2.Generator(4),
}


def published(kind: str) -> nn.Module:
    """A reference network that reacts to each of its weights: the biases and running statistics are no zeros and ones."""
    torch.manual_seed(0)
    network = REFERENCES[kind]().eval()
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2)
        elif name.endswith(("bias", "running_mean")):
            value.normal_(0, 0.3)
        elif value.ndim == 1:
            value.normal_(1, 0.3)
    if kind == "fast-neural-style":  # colours go up to 255
        network.deconv3.conv2d.weight.data *= 100
        network.deconv3.conv2d.bias.data.uniform_(100, 150)
    return network


def answer(network: nn.Module, kind: str, pixels: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network((pixels + 1) * 127.5) / 127.5 - 1 if kind == "fast-neural-style" else network(pixels)


@pytest.fixture
def checkpoint(tmp_path):
    def save(kind: str, **changes) -> Path:
        """The file of a published network; a change to None leaves a tensor out."""
        tensors = published(kind).state_dict() | changes
        torch.save({name: value for name, value in tensors.items() if value is not None}, tmp_path / "latest_net_G.pth")
        return tmp_path / "latest_net_G.pth"

    return save


def test_every_kind_has_a_reference():
    assert REFERENCES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_converted_network_gives_what_the_published_one_gives(kind, checkpoint, tmp_path):
    convert(checkpoint(kind), tmp_path / "package")  # the kind is recognised
    translator = load_pipeline(tmp_path / "package").translator
    pixels = image(256, 256, batch=1)
    wanted = answer(published(kind), kind, pixels)
    assert wanted.std() > 0.01  # the networks do something
    with torch.no_grad():
        torch.testing.assert_close(translator(pixels), wanted, rtol=0, atol=1e-5)


def test_animegan2_agrees_at_odd_sizes_too(checkpoint, tmp_path):
    translator = convert(checkpoint("animegan2"), tmp_path / "package").translator
    with torch.no_grad():
        torch.testing.assert_close(translator(image()), published("animegan2")(image()), rtol=0, atol=1e-5)


def test_pix2pix_by_the_statistics_of_each_image_is_the_published_test_script(checkpoint, tmp_path):
    """Which runs it in training mode, one image at a time (Isola et al. 2017, sec. 3.3); here without the noise of dropout."""
    translator = convert(checkpoint("pix2pix-unet256"), tmp_path / "package", image_statistics=True).translator
    network = published("pix2pix-unet256").train()
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    with torch.no_grad():
        wanted = torch.cat([network(single[None]) for single in image(256, 256)])
        torch.testing.assert_close(translator(image(256, 256)), wanted, rtol=0, atol=1e-5)
        assert (translator(image(256, 256)) - published("pix2pix-unet256")(image(256, 256))).abs().mean() > 0.01


@pytest.mark.parametrize("kind", ["cyclegan-resnet9", "fast-neural-style"])
def test_running_statistics_that_old_checkpoints_have_beside_instance_norm_are_ignored(kind, checkpoint, tmp_path):
    norms = [name for name, module in published(kind).named_modules() if isinstance(module, nn.InstanceNorm2d)]
    extra = {f"{name}.{part}": torch.full((4,), 7.0) for name in norms for part in ("running_mean", "running_var")}
    assert len(extra) >= 30
    translator = convert(checkpoint(kind, **extra), tmp_path / "old").translator
    state = convert(checkpoint(kind), tmp_path / "new").translator.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in translator.state_dict().items())


def test_other_forms_of_the_same_weights(tmp_path):
    """Saved from several devices, in PyTorch's old format, in half precision, as safetensors."""
    state = published("cut-resnet6").state_dict()
    torch.save({f"module.{name}": value for name, value in state.items()}, tmp_path / "module.pth")
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "a.safetensors")
    torch.save({name: value.half() for name, value in state.items()}, tmp_path / "half.pth")
    nets = [
        convert(tmp_path / file, tmp_path / "package").translator
        for file in ("module.pth", "old.pth", "a.safetensors", "half.pth")
    ]
    for name, value in nets[0].state_dict().items():
        assert all(torch.equal(net.state_dict()[name], value) for net in nets[1:3])
        torch.testing.assert_close(nets[3].state_dict()[name], value, rtol=1e-3, atol=1e-3)


def test_the_package_has_a_card_and_translates(checkpoint, tmp_path, capsys):
    file = checkpoint("cyclegan-resnet9")
    assert main([str(file), "--kind", "cyclegan-resnet9", "-o", str(tmp_path / "horse2zebra")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'horse2zebra'}: ResnetGenerator\n"
    card = (tmp_path / "horse2zebra" / "README.md").read_text()
    assert "# horse2zebra" in card and "--kind cyclegan-resnet9" in card and "license: other" in card and "$" not in card
    assert str(tmp_path) not in card
    pipe = load_pipeline(tmp_path / "horse2zebra")
    assert pipe(picture()).images[0].size == picture().size
    assert np.array_equal(pipe(picture(), strength=0).images[0], picture())
    main([str(file), "-o", str(tmp_path / "horse2zebra"), "--title", "Zebras"])  # a package is replaced
    assert "# Zebras" in (tmp_path / "horse2zebra" / "README.md").read_text()
    assert json.loads((tmp_path / "horse2zebra" / "model_index.json").read_text())["domains"] == {}


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("cyclegan-resnet9", {"model.4.weight": None}, "does not fit CycleGAN, .* 9 blocks: it lacks model.4.weight$"),
        ("cyclegan-resnet9", {"model.2.weight": torch.ones(4)}, "it has unexpected model.2.weight$"),
        (
            "cyclegan-resnet9",
            {"model.4.weight": None, "model.99.bias": torch.ones(4)},
            "it lacks model.4.weight; it has unexpected model.99.bias",
        ),
        (
            "cyclegan-resnet6",
            {"model.26.weight": torch.ones(1), "model.23.weight": torch.ones(1, 4, 7, 7)},
            "it has unexpected model.26.weight",
        ),
        (
            "cyclegan-resnet6",
            {"model.23.weight": torch.ones(1, 4, 7, 7)},
            r"another shape for model.23.weight \(1, 4, 7, 7\) instead of \(3, 4, 7, 7\)",
        ),
        ("cyclegan-resnet6", {"model.1.weight": torch.tensor(1.0)}, r"another shape for model.1.weight \(\) instead of"),
        ("pix2pix-unet128", {"model.model.3.bias": torch.full((3,), torch.nan)}, "not finite in model.model.3.bias"),
        (
            "pix2pix-unet128",
            {"model.model.1.model.2.running_var": None},
            "pix2pix, U-Net of 7 .* lacks model.model.1.model.2.running_var",
        ),
        ("cut-resnet9", {"model.7.filt": torch.ones(8, 1, 3, 3) / 9}, "it has another filter in model.7.filt$"),
        ("cut-resnet9", {"model.7.filt": torch.ones(8, 1, 5, 5) / 25}, "it has another filter in model.7.filt$"),
        ("fast-neural-style", {"in1.weight": None, "in1.scale": torch.ones(4)}, "lacks in1.weight; it has unexpected in1.scale"),
        ("animegan2", {"out_layer.0.bias": torch.ones(3)}, "AnimeGANv2: it has unexpected out_layer.0.bias"),
        ("animegan2", {"step": 7}, r"tensors by name and nothing else, got step \(int\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_list(kind, changes, message, checkpoint, tmp_path):
    with pytest.raises(ValueError, match=message):
        convert(checkpoint(kind, **changes), tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_a_file_of_another_kind_is_named_and_the_list_is_not_endless(checkpoint, tmp_path):
    message = r"lacks model\.model\.0\.weight, .* and \d+ more; it has unexpected .*; it has the names of cyclegan-resnet9$"
    with pytest.raises(ValueError, match=message) as error:
        convert(checkpoint("cyclegan-resnet9"), tmp_path / "package", kind="pix2pix-unet256")
    assert "\n" not in str(error.value) and len(str(error.value)) < 2000


class Bomb:
    """Unpickled, it leaves a file."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_is_never_run(tmp_path):
    mark = tmp_path / "mark"
    (tmp_path / "plain.pkl").write_bytes(pickle.dumps({"model.1.weight": Bomb(mark)}))
    torch.save({"model.1.weight": Bomb(mark)}, tmp_path / "bomb.pth")
    torch.save({"model.1.weight": Bomb(mark)}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    torch.save(published("cut-resnet6"), tmp_path / "network.pth")
    for name in ("plain.pkl", "bomb.pth", "old.pth", "network.pth"):
        with pytest.raises(ValueError, match="it is not opened, as that could run code"):
            convert(tmp_path / name, tmp_path / "package")
    assert not mark.exists()
    torch.load(tmp_path / "bomb.pth", weights_only=False)
    assert mark.exists()  # the bomb is real


def test_files_that_are_no_checkpoints_are_refused(checkpoint, tmp_path):
    whole = checkpoint("cyclegan-resnet6").read_bytes()
    for name, content in {
        "cut.pth": whole[: len(whole) // 2],
        "page.pth": b"<html>not found</html>",
        "empty.pth": b"",
        "page.safetensors": b"<html>",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is (damaged|not a readable)"):
            convert(tmp_path / name, tmp_path / "package")
    for content, message in (
        ({"a": torch.ones(1)}, r"is none of cyclegan-resnet9, .*: it holds a$"),
        ({}, "got {}"),
        ([torch.ones(1)], "got list"),
        ({1: torch.ones(1)}, r"got 1 \(Tensor\)"),
        ({"a": torch.ones(2, 2).to_sparse()}, r"got a \(Tensor\)"),
    ):
        torch.save(content, tmp_path / "other.pth")
        with pytest.raises(ValueError, match=message):
            convert(tmp_path / "other.pth", tmp_path / "package")


def test_the_command_line_refuses_in_one_sentence(checkpoint, tmp_path, capsys):
    file = str(checkpoint("cyclegan-resnet6"))
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("keep me")
    inside = tmp_path / "inside" / "x.pth"
    convert(file, tmp_path / "inside")
    inside.write_bytes(Path(file).read_bytes())
    for arguments, message in (
        ([file, "-o", str(tmp_path / "letters")], "is not empty and no package"),
        ([file, "-o", file], "is not empty and no package"),
        ([str(inside), "-o", str(tmp_path / "inside")], "which would be replaced"),
        ([file, "-o", str(tmp_path / "x"), "--image-statistics"], "a choice for pix2pix"),
        ([str(tmp_path / "none.pth"), "-o", str(tmp_path / "x")], "none.pth does not exist"),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: ") and error.count("\n") == 1 and message in error
    assert (tmp_path / "letters" / "dear.txt").exists() and inside.exists()
    with pytest.raises(ValueError, match="there is no kind 'vae', only cyclegan-resnet9"):
        convert(file, tmp_path / "x", kind="vae")


def test_help_costs_no_torch():
    script = "import sys; from styletransfer.convert.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    script += "print('torch' in sys.modules)"
    lines = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[-1] == "False" and any(line.startswith("  pix2pix-unet256 ") for line in lines)
