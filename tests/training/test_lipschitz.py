"""What keeps a discriminator smooth: each method against plain loops, and its effect on the slope in training."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from styletransfer.models.dcgan_discriminator import DCGANDiscriminator
from training.engine.trainer import Trainer
from training.losses.adversarial import mean_output
from training.losses.lipschitz import (
    LIPSCHITZ,
    GradientNorm,
    GradientPenalty,
    Lipschitz,
    SpectralNorm,
    WeightClipping,
    between,
    slopes,
)
from training.options import Pictures
from training.presets.dcgan import Wgan, wgan

UPDATES = 60
REAL, FAKE = torch.rand(2, 3, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def judge() -> DCGANDiscriminator:
    torch.manual_seed(0)
    return DCGANDiscriminator(base_channels=4, image_size=16)


def linear(image: torch.Tensor) -> list[torch.Tensor]:
    """D(x) = 2 * (sum of x): its slope is 2 * sqrt(n) for n numbers, everywhere."""
    return [2 * image.flatten(1).sum(dim=1, keepdim=True)]


def slope_of_one(judge, image: torch.Tensor) -> float:
    """The slope at one image (C, H, W), by itself, from the gradient of its output."""
    image = image[None].clone().requires_grad_(True)
    mean_output(judge(image)).sum().backward()
    return sum(value.item() ** 2 for value in image.grad.flatten()) ** 0.5


def test_slopes_by_hand_and_against_a_loop(judge):
    assert slopes(linear, REAL).tolist() == pytest.approx([2 * 768**0.5] * 3, rel=1e-5)
    assert slopes(judge, REAL).tolist() == pytest.approx([slope_of_one(judge, image) for image in REAL], rel=1e-4)


def test_slope_is_that_of_a_small_step(judge):
    judge.double()
    image = REAL[:1].double().requires_grad_(True)
    output = judge(image)[0].sum()
    (gradient,) = torch.autograd.grad(output, image)
    step = 1e-6 * gradient / gradient.norm()
    rise = (judge(image + step)[0].sum() - output).item() / 1e-6
    judge.float()
    assert slopes(judge, REAL[:1]).item() == pytest.approx(rise, rel=1e-3)


def test_slopes_are_of_full_precision_inside_autocast(judge):
    wanted = slopes(judge, REAL)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(slopes(judge, REAL.bfloat16().float()), slopes(judge, REAL.bfloat16()))
        assert torch.equal(slopes(judge, REAL), wanted)


def test_points_between_lie_on_their_own_line():
    torch.manual_seed(0)
    points = between(REAL, FAKE)
    shares = ((points - REAL) / (FAKE - REAL)).flatten(1)
    torch.testing.assert_close(shares, shares[:, :1].expand_as(shares), rtol=1e-3, atol=1e-3)
    assert ((shares > 0) & (shares < 1)).all() and shares[:, 0].unique().numel() == 3


def test_gradient_penalty(judge):
    torch.manual_seed(1)
    penalty = GradientPenalty(10.0).penalty(judge, REAL, FAKE).item()
    torch.manual_seed(1)
    wanted = sum((slope_of_one(judge, image) - 1) ** 2 for image in between(REAL, FAKE)) / 3
    assert penalty == pytest.approx(10 * wanted, rel=1e-4)
    assert GradientPenalty(10.0).penalty(linear, REAL, FAKE).item() == pytest.approx(10 * (2 * 768**0.5 - 1) ** 2, rel=1e-4)


@pytest.mark.parametrize(("on", "images"), [(("real",), REAL), (("fake",), FAKE), (("real", "fake"), torch.cat([REAL, FAKE]))])
def test_r1_and_r2(judge, on, images):
    wanted = sum(slope_of_one(judge, image) ** 2 for image in images) / 3
    assert GradientNorm(5.0, on, every=1).penalty(judge, REAL, FAKE).item() == pytest.approx(5 / 2 * wanted, rel=1e-4)
    assert GradientNorm(5.0, on, every=8).penalty(judge, REAL, FAKE).item() == pytest.approx(8 * 5 / 2 * wanted, rel=1e-4)


@pytest.mark.parametrize("method", [GradientPenalty(), GradientNorm(), GradientNorm(on=("fake",))])
def test_penalties_reach_every_weight(judge, method):
    method.penalty(judge, REAL, FAKE).backward()
    # the biases shift outputs: they touch slopes through the leaky ReLUs alone, whose kinks have no gradient
    assert all(p.grad is not None and p.grad.any() for name, p in judge.named_parameters() if name.endswith("weight"))


def test_clipping(judge):
    before = {name: p.detach().clone() for name, p in judge.named_parameters()}
    WeightClipping(0.01).after(judge)
    for name, parameter in judge.named_parameters():
        wanted = [min(max(value, -0.01), 0.01) for value in before[name].flatten().tolist()]
        assert parameter.flatten().tolist() == pytest.approx(wanted)


def test_spectral_norm(judge):
    """The largest singular value of every layer becomes 1; preparing twice changes nothing more."""
    layers = [layer for layer in judge.modules() if isinstance(layer, nn.Conv2d)]
    before = [layer.weight.detach().flatten(1) for layer in layers]
    for _ in range(2):
        SpectralNorm().prepare(judge)
    for _ in range(50):
        judge(REAL)  # one power iteration each
    assert len(layers) == 3
    for layer, weight in zip(layers, before, strict=True):
        wanted = weight / torch.linalg.svdvals(weight)[0]
        torch.testing.assert_close(layer.weight.detach().flatten(1), wanted, rtol=1e-3, atol=1e-4)
        assert torch.linalg.svdvals(layer.weight.flatten(1))[0].item() == pytest.approx(1, abs=1e-3)


class Patches(Dataset):
    """Four patches of colour a picture: what the critic learns from does not change with the drawn scenes."""

    def __getitem__(self, position: int) -> dict[str, torch.Tensor]:
        colours = torch.rand(3, 2, 2, generator=torch.Generator().manual_seed(position)) * 2 - 1
        return {"real": colours.repeat_interleave(8, dim=1).repeat_interleave(8, dim=2)}


def trained_slope(method: Lipschitz, out: Path) -> float:
    """Slope of a fast Wasserstein critic after 60 updates against a slow generator, as the trainer measures it."""
    torch.manual_seed(0)
    config = Wgan(
        data=Pictures(crop=16),
        z_size=4,
        width=4,
        batch=4,
        updates=UPDATES,
        log_every=UPDATES,
        sample_every=10 * UPDATES,
        out=out,
        device="cpu",
        precision="no",
        tracker="none",
    )
    preset = wgan(config)
    games = (dataclasses.replace(preset.recipe.games[0], lipschitz=method),)
    recipe = dataclasses.replace(preset.recipe, games=games)
    rates = {"generator": 1e-4, "discriminator": 1e-2}
    preset = dataclasses.replace(preset, recipe=recipe, rates=rates, data=Patches())
    trainer = Trainer(preset, config)
    batches = trainer.batches()
    for _ in range(UPDATES):
        logged = trainer.train_one([next(batches)])
    return logged["d/slope"].item()


@pytest.fixture(scope="module")
def free_slope(tmp_path_factory: pytest.TempPathFactory) -> float:
    return trained_slope(Lipschitz(), tmp_path_factory.mktemp("free"))


class Dropped(GradientPenalty):
    """What well-known code bases do: they announce the penalty and never add it."""

    def penalty(self, judge, real, fake):
        return None


@pytest.mark.parametrize("name", [name for name in LIPSCHITZ if name != "none"])
def test_every_method_bounds_the_slope_in_training(name, free_slope, tmp_path):
    slope = trained_slope(LIPSCHITZ[name], tmp_path)
    assert slope < free_slope / 5, f"{slope:.2f} with {name}, {free_slope:.2f} without"


def test_the_gradient_penalty_holds_the_slope_near_one(tmp_path):
    assert 0.5 < trained_slope(GradientPenalty(10.0), tmp_path) < 2


def test_a_dropped_penalty_would_be_noticed(free_slope, tmp_path):
    assert trained_slope(Dropped(), tmp_path) == pytest.approx(free_slope)
