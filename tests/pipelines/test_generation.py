"""Seeds to pictures, and packages of generators of noise."""

import json
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from styletransfer.models.dcgan_generator import DCGANGenerator
from styletransfer.models.progressive_generator import ProgressiveGenerator
from styletransfer.pipelines.generation import GenerationPipeline, turn


@cache
def networks() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    arguments = {"z_size": 8, "base_channels": 4, "image_size": 32}
    dcgan = DCGANGenerator(**arguments)
    for _ in range(50):
        dcgan(torch.randn(16, 8))  # batch norm learns its statistics, as in training
    return {"dcgan": dcgan.eval(), "progressive": ProgressiveGenerator(**arguments).eval()}


@pytest.fixture(params=["dcgan", "progressive"])
def pipe(request) -> GenerationPipeline:
    return GenerationPipeline(networks()[request.param])


def test_one_seed_one_picture(pipe):
    (picture,) = pipe(seeds=3).images
    assert isinstance(picture, Image.Image) and picture.size == (32, 32)


def test_a_seed_gives_the_same_picture_in_any_company(pipe):
    torch.manual_seed(5)  # the global state does not matter
    many = pipe(seeds=range(20), output_type="np").images  # more than one batch
    assert len(many) == 20
    for seed in (0, 7, 19):
        np.testing.assert_allclose(pipe(seed, output_type="np").images[0], many[seed], atol=1e-4)
    assert np.abs(many[0] - many[1]).mean() > 1e-3


@torch.no_grad()
def test_the_noise_is_that_of_the_seed(pipe):
    z = torch.randn(8, generator=torch.Generator().manual_seed(4))[None]
    wanted = (pipe.noise_generator(z * 0.5).clamp(-1, 1)[0] + 1) / 2
    torch.testing.assert_close(pipe(4, truncation=0.5, output_type="pt").images[0], wanted)


def test_no_noise_no_variety():
    for network in networks().values():
        one, other = GenerationPipeline(network)([1, 2], truncation=0, output_type="pt").images
        torch.testing.assert_close(one, other)


def test_a_quarter_turn_by_hand():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    half = 0.5**0.5  # the sine of 45 degrees over that of 90
    torch.testing.assert_close(turn(a, b, torch.tensor([0.0, 0.5, 1.0])), torch.tensor([[1, 0], [half, 2 * half], [0, 2]]))


def test_a_turn_keeps_the_length_and_takes_equal_steps():
    a, b = torch.nn.functional.normalize(torch.randn(2, 100, generator=torch.Generator().manual_seed(0)))
    way = turn(a, b, torch.linspace(0, 1, 9))
    torch.testing.assert_close(way.norm(dim=1), torch.ones(9))
    steps = way.diff(dim=0).norm(dim=1)
    torch.testing.assert_close(steps, steps.mean().expand(8))


@pytest.mark.parametrize("end", [3.0, -3.0])
def test_a_turn_of_nothing_or_half_a_circle_is_a_straight_line(end):
    wanted = torch.tensor([[3.0], [(3 + end) / 2], [end]])
    torch.testing.assert_close(turn(torch.tensor([3.0]), torch.tensor([end]), torch.linspace(0, 1, 3)), wanted)


def test_between_leads_from_one_seed_to_the_other(pipe):
    way = pipe.between(3, 7, steps=20, truncation=0.8, output_type="np").images  # more than one batch
    assert len(way) == 20
    for seed, picture in ((3, way[0]), (7, way[-1])):
        np.testing.assert_allclose(picture, pipe(seed, truncation=0.8, output_type="np").images[0], atol=1e-4)
    whole = np.abs(way[0] - way[-1]).mean()
    assert all(0 < np.abs(one - other).mean() < whole / 2 for one, other in pairwise(way))
    back = pipe.between(7, 3, steps=20, truncation=0.8, output_type="np").images
    np.testing.assert_allclose(back, way[::-1], atol=1e-4)


def test_between_a_seed_and_itself_nothing_changes(pipe):
    one, *others = pipe.between(5, 5, steps=3, output_type="np").images
    for other in others:
        np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 1}, "steps must be a whole number of at least 2, got 1"),
        ({"steps": 2.5}, "got 2.5"),
        ({"end": -1}, "a seed must be a whole number from 0 to .* got -1"),
        ({"truncation": 3}, "from 0 to 2, got 3"),
        ({"output_type": "latent"}, "one of pil, np, pt"),
    ],
)
def test_between_refuses_wrong_arguments(pipe, arguments, message):
    with pytest.raises(ValueError, match=message):
        pipe.between(**{"start": 0, "end": 1} | arguments)


def test_truncation_means_nothing_to_a_generator_that_scales_its_noise():
    pipe = GenerationPipeline(networks()["progressive"])
    one, other = (pipe(1, truncation=scale, output_type="pt").images[0] for scale in (0.5, 1.5))
    torch.testing.assert_close(one, other)


def test_forms_agree(pipe):
    (array,), (tensor,) = pipe(1, output_type="np").images, pipe(1, output_type="pt").images
    assert array.shape == (32, 32, 3) and tensor.shape == (3, 32, 32)
    np.testing.assert_array_equal(array, tensor.permute(1, 2, 0))
    assert np.abs(np.asarray(pipe(1, return_dict=False)[0][0]) / 255 - array).max() <= 0.5 / 255 + 1e-6


def test_a_package_loads_again(pipe, tmp_path):
    pipe.save_pretrained(tmp_path)
    loaded = GenerationPipeline.from_pretrained(tmp_path)
    assert type(loaded.noise_generator) is type(pipe.noise_generator)
    assert list(pipe(2).images[0].getdata()) == list(loaded(2).images[0].getdata())
    assert "_name_or_path" not in json.loads((tmp_path / "noise_generator" / "config.json").read_text())


def test_a_package_of_something_else_is_refused(pipe, tmp_path):
    pipe.save_pretrained(tmp_path)
    index = json.loads((tmp_path / "model_index.json").read_text())
    index["noise_generator"] = ["os", "system"]
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ValueError, match="one of DCGANGenerator, ProgressiveGenerator"):
        GenerationPipeline.from_pretrained(tmp_path)


def test_half_precision(pipe, tmp_path):
    pipe.save_pretrained(tmp_path)
    half = GenerationPipeline.from_pretrained(tmp_path, dtype=torch.bfloat16)
    one, other = half(2, output_type="np").images[0], pipe(2, output_type="np").images[0]
    assert one.dtype == np.float32 and np.abs(one - other).mean() < 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seeds": []}, "empty list"),
        ({"seeds": [0, 1.5]}, "whole number from 0 to .* got 1.5"),
        ({"seeds": -1}, "got -1"),
        ({"seeds": [True]}, "got True"),
        ({"truncation": 3}, "from 0 to 2, got 3"),
        ({"truncation": float("nan")}, "from 0 to 2, got nan"),
        ({"output_type": "latent"}, "one of pil, np, pt, got 'latent'"),
    ],
)
def test_wrong_arguments_are_refused(pipe, arguments, message):
    with pytest.raises(ValueError, match=message):
        pipe(**arguments)
