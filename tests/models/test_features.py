"""The frozen feature pyramid, with random weights."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from styletransfer.models.features import FeaturePyramid
from tests.tiny import image


def test_layers_are_those_of_the_network():
    pyramid = FeaturePyramid("squeezenet1_1", layers=(1, 4, 7), weights="random")
    kept = pyramid(image())
    assert list(kept) == [1, 4, 7]
    assert [value.shape[1] for value in kept.values()] == [64, 128, 256]
    x = ((image() + 1) / 2 - pyramid.mean) / pyramid.deviation
    for index, module in enumerate(pyramid.modules_in_order):
        x = module(x)
        if index in kept:
            assert torch.equal(kept[index], x)


def test_it_is_frozen_but_gradients_reach_the_image():
    pyramid = FeaturePyramid("squeezenet1_1", layers=(4,), weights="random")
    pyramid.train()
    assert not any(module.training for module in pyramid.modules())
    assert not any(parameter.requires_grad for parameter in pyramid.parameters())
    picture = image(32, 32).requires_grad_()
    pyramid(picture)[4].sum().backward()
    assert picture.grad.any()


def test_weights_from_a_file(tmp_path):
    drawn = FeaturePyramid("squeezenet1_1", weights="random")
    file = tmp_path / "features.safetensors"
    save_file({name: value.clone() + 0.01 for name, value in drawn.modules_in_order.state_dict().items()}, file)
    loaded = FeaturePyramid("squeezenet1_1", weights=str(file))
    assert torch.equal(loaded.modules_in_order[0].weight, drawn.modules_in_order[0].weight + 0.01)


def test_two_random_pyramids_agree_and_leave_the_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, two = (FeaturePyramid("squeezenet1_1", layers=(1,), weights="random") for _ in range(2))
    assert torch.equal(one.modules_in_order[0].weight, two.modules_in_order[0].weight)
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"network": "vgg11"}, ValueError, "squeezenet1_1, vgg16 or vgg19, got 'vgg11'"),
        ({"normalization": "none"}, ValueError, "imagenet, caffe, got 'none'"),
        ({"layers": (99,), "weights": "random"}, ValueError, "indices below 13"),
        ({"weights": "missing.safetensors"}, FileNotFoundError, "missing.safetensors"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        FeaturePyramid(**arguments)


def test_relu_keeps_what_came_before_it():
    pyramid = FeaturePyramid("squeezenet1_1", layers=(0, 1), weights="random")
    kept = pyramid(image(32, 32))
    assert isinstance(pyramid.modules_in_order[1], nn.ReLU)
    assert (kept[0] < 0).any() and torch.equal(kept[1], kept[0].relu())
