"""What every network must do, whatever it is for. The networks come from tests/tiny.py."""

import json

import pytest
import torch
from torch.utils._pytree import tree_leaves

from tests.tiny import NETWORKS

pytestmark = pytest.mark.parametrize("tiny", NETWORKS.values(), ids=NETWORKS.keys())


def test_save_and_load_give_the_same_network(tiny, tmp_path):
    network = tiny.build().eval()
    network.save_pretrained(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config.json", "diffusion_pytorch_model.safetensors"]
    torch.manual_seed(1)  # what the file lacks would be drawn anew
    loaded = tiny.network.from_pretrained(tmp_path).eval()
    before, after = network.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    with torch.no_grad():
        # almost: the last bit of a sum depends on where its operands lie in memory
        torch.testing.assert_close(loaded(*tiny.inputs()), network(*tiny.inputs()), rtol=0, atol=1e-6)


def test_the_config_rebuilds_the_network(tiny):
    network = tiny.build()
    config = json.loads(json.dumps({key: value for key, value in network.config.items() if not key.startswith("_")}))
    assert config.items() >= tiny.arguments.items()
    rebuilt = tiny.network(**config)
    assert {k: v.shape for k, v in rebuilt.state_dict().items()} == {k: v.shape for k, v in network.state_dict().items()}


def test_odd_sizes_work(tiny):
    network = tiny.build().eval()
    with torch.no_grad():
        outputs = tree_leaves(network(*tiny.inputs()))
    assert all(output.isfinite().all() and len(output) == 2 for output in outputs)
    if tiny.keeps_size:
        assert [output.shape for output in outputs] == [tiny.inputs()[0].shape]


def test_every_parameter_and_the_image_get_a_gradient(tiny):
    network = tiny.build()
    picture, *rest = tiny.inputs()
    picture.requires_grad_()
    torch.manual_seed(2)
    sum((output * torch.randn_like(output)).sum() for output in tree_leaves(network(picture, *rest))).backward()
    for name, value in [("the image", picture), *network.named_parameters()]:
        assert value.grad is not None and value.grad.isfinite().all() and value.grad.any(), name


def test_images_of_a_batch_do_not_touch_each_other(tiny):
    network = tiny.build().eval()
    with torch.no_grad():
        both = tree_leaves(network(*tiny.inputs()))
        first = tree_leaves(network(*(value[:1] for value in tiny.inputs())))
    for together, alone in zip(both, first, strict=True):
        torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-5)


def test_bfloat16_runs_and_agrees(tiny):
    network = tiny.build().eval()
    with torch.no_grad():
        wanted = tree_leaves(network(*tiny.inputs()))
        half = [value.bfloat16() if value.is_floating_point() else value for value in tiny.inputs()]
        outputs = tree_leaves(network.bfloat16()(*half))
    for output, full in zip(outputs, wanted, strict=True):
        assert output.dtype == torch.bfloat16
        error = (output.float() - full).square().mean().sqrt()
        assert error < 0.1 * full.square().mean().sqrt(), f"relative error {error / full.square().mean().sqrt():.3f}"


def test_wrong_input_is_refused_with_a_message(tiny):
    with pytest.raises(ValueError, match=tiny.refusal):
        tiny.build()(*tiny.wrong())
