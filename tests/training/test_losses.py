"""Each loss against a plain loop and a value worked out by hand."""

import math

import pytest
import torch

from training.losses.adversarial import GAMES, mean_verdict
from training.losses.codes import domain_similarity
from training.losses.color import palette_distance
from training.losses.lipschitz import GradientNorm
from training.losses.perceptual import content_distance, gram_matrix, style_distance


def test_gram_matrix_against_a_loop():
    x = torch.randn(2, 3, 4, 5)
    gram = gram_matrix(x)
    for b in range(2):
        for i in range(3):
            for j in range(3):
                want = sum(x[b, i, h, w] * x[b, j, h, w] for h in range(4) for w in range(5)) / (3 * 4 * 5)
                torch.testing.assert_close(gram[b, i, j], want)


def test_content_distance_by_hand():
    photo = {7: torch.full((1, 2, 2, 2), 2.0)}
    result = {7: torch.full((1, 2, 2, 2), 3.0), 9: torch.rand(1)}
    assert content_distance(result, photo).item() == pytest.approx(1 / 13)
    assert content_distance(photo, photo).item() == 0


def test_style_distance_by_hand():
    one = {1: torch.ones(1, 1, 2, 2)}
    two = {1: 2 * torch.ones(1, 1, 2, 2)}  # Gram 1 against 4
    assert style_distance(two, one).item() == pytest.approx(9 / 17)
    assert style_distance(one, two).item() == pytest.approx(9 / 17)
    assert style_distance(two, one, torch.tensor([0.5])).item() == pytest.approx(9 / 34)


def test_style_distance_ignores_where_things_are():
    features = {1: torch.randn(1, 4, 6, 6)}
    shuffled = {1: features[1].flatten(2)[:, :, torch.randperm(36)].view(1, 4, 6, 6)}
    assert style_distance(shuffled, features).item() == pytest.approx(0, abs=1e-6)


def test_palette_distance_by_hand():
    black, grey = -torch.ones(2, 3, 8, 8), torch.zeros(2, 3, 8, 8)
    torch.manual_seed(0)
    axes = torch.nn.functional.normalize(torch.randn(16, 3), dim=1)
    want = axes.sum(dim=1).square().mean().item()
    torch.manual_seed(0)
    assert palette_distance(grey, black).item() == pytest.approx(want, rel=1e-5)
    flipped = torch.rand(1, 3, 8, 8)
    assert palette_distance(flipped, flipped.flip(3)).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("lsgan", (4 + 9) / 2, 4),  # real 3, fake 3: (3 - 1)^2 and 3^2; (3 - 1)^2
        ("hinge", 0 + 4, -3),
        ("logistic", math.log1p(math.exp(-3)) + math.log1p(math.exp(3)), math.log1p(math.exp(-3))),
        ("relativistic", math.log(2), math.log(2)),
        ("wasserstein", 0, -3),
    ],
)
def test_games_by_hand(name, discriminator, generator):
    verdict = torch.full((1, 1, 1, 1), 3.0)
    assert GAMES[name].discriminator(verdict, verdict).item() == pytest.approx(discriminator)
    assert GAMES[name].generator(verdict, verdict).item() == pytest.approx(generator)


@pytest.mark.parametrize("name", GAMES)
def test_both_sides_pull_apart(name):
    """The discriminator wants real above fake; the generator wants its fake to rise, also where the fake is hopeless."""
    real, fake = (torch.tensor(value).view(1, 1, 1, 1).requires_grad_() for value in (0.5, -6.0))
    fake_at_even = torch.zeros(1, 1, 1, 1, requires_grad=True)
    GAMES[name].discriminator(torch.zeros(1, 1, 1, 1), fake_at_even).sum().backward()
    if name != "lsgan":  # its target for fakes is 0
        assert fake_at_even.grad.item() > 0
    GAMES[name].generator(real, fake).sum().backward()
    assert fake.grad.item() <= -0.5  # not saturated: a saturating loss would give about -0.002


def test_mean_verdict_weighs_scales_alike():
    verdicts = [torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 1, 1)]
    assert mean_verdict(verdicts).item() == 0.5


def test_gradient_penalty_by_hand():
    # D(x) = 3 * mean(x): the gradient is 3 / n everywhere, its squared norm 9 / n
    image = torch.rand(2, 3, 4, 4)

    def judge(x):
        return [3 * x.mean(dim=1, keepdim=True)]

    penalty = GradientNorm(weight=4.0, on=("real", "fake"), every=1)
    assert penalty.penalty(judge, image, image).item() == pytest.approx(2 * 4 / 2 * 9 / 48, rel=1e-5)
    assert GradientNorm(4.0, every=16).penalty(judge, image, image).item() == pytest.approx(16 * 4 / 2 * 9 / 48, rel=1e-5)


def test_domain_similarity_by_hand():
    code = torch.tensor([[1.0, 0.0], [3.0, 0.0], [1.0, 1.0], [-1.0, 0.0]])
    # other domains: (0, 2) and (1, 2) have cosine sqrt(1 / 2), (2, 3) a negative one; (0, 3) and (1, 3) are opposite
    assert domain_similarity(code, torch.tensor([0, 0, 1, 2])).item() == pytest.approx((0.5 + 0.5) / 5)
    assert domain_similarity(code, torch.tensor([4, 4, 4, 4])).item() == 0
