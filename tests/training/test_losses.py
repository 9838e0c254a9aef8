"""Each loss against a plain loop and a value worked out by hand."""

import math

import pytest
import torch

from training.losses.adversarial import GAMES, mean_output
from training.losses.codes import code_similarity
from training.losses.color import low_frequency_distance, out_of_gamut, palette_distance, total_variation
from training.losses.lipschitz import GradientNorm
from training.losses.neighbors import nearest_neighbor_distance
from training.losses.perceptual import content_distance, gram_matrix, moment_distance, style_distance


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


def test_neighbor_distance_by_hand():
    painting = {1: torch.tensor([[1.0, -1.0], [0.0, 0.0]]).view(1, 2, 1, 2)}  # vectors (1, 0) and (-1, 0), of mean 0
    result = {1: torch.tensor([[5.0, 0.0, -3.0, 3.0], [0.0, 2.0, 0.0, 4.0]]).view(1, 2, 2, 2), 2: torch.rand(1)}
    # (5, 0) and (-3, 0) have a neighbour in their direction, (0, 2) is at a right angle to both, (3, 4) has a cosine of 3 / 5
    assert nearest_neighbor_distance(result, painting).item() == pytest.approx((0 + 1 + 0 + 0.4) / 4)
    assert nearest_neighbor_distance(result, painting, torch.tensor([0.5])).item() == pytest.approx(0.7 / 4)
    assert nearest_neighbor_distance(painting, painting).item() == pytest.approx(0, abs=1e-6)


def test_neighbor_distance_against_a_loop():
    random = torch.Generator().manual_seed(0)
    result = {layer: torch.randn(2, 4, 3, 5, generator=random) for layer in (1, 2)}
    painting = {layer: torch.randn(2, 4, 4, 2, generator=random) + 1 for layer in (1, 2)}  # of another size
    distances = []
    for layer in painting:
        for b in range(2):
            mean = painting[layer][b].mean(dim=(1, 2))
            strokes = [painting[layer][b, :, y, x] - mean for y in range(4) for x in range(2)]
            for y in range(3):
                for x in range(5):
                    own = result[layer][b, :, y, x] - mean
                    distances.append(min(1 - own @ other / own.norm() / other.norm() for other in strokes))
    want = sum(distances) / len(distances)
    torch.testing.assert_close(nearest_neighbor_distance(result, painting), want)


def test_neighbor_distance_ignores_where_things_are_and_teaches_the_result_alone():
    features, painting = (torch.randn(1, 4, 6, 6, requires_grad=True) for _ in range(2))
    shuffled = painting.flatten(2)[:, :, torch.randperm(36)].view(1, 4, 6, 6)
    one, other = (nearest_neighbor_distance({1: features}, {1: style}) for style in (painting, shuffled))
    torch.testing.assert_close(one, other)
    one.backward()
    assert features.grad.abs().amin(dim=(0, 1)).min() > 0  # every position


def test_moment_distance_by_hand():
    result = {1: torch.tensor([1.0, 3.0]).view(1, 1, 1, 2)}  # mean 2, deviation 1
    painting = {1: torch.tensor([4.0, 4.0, 4.0]).view(1, 1, 1, 3)}  # mean 4, deviation 0
    assert moment_distance(result, painting).item() == pytest.approx((4 + 1) / (5 + 16), rel=1e-3)
    assert moment_distance(painting, result, torch.tensor([2.0])).item() == pytest.approx(2 * (4 + 1) / (5 + 16), rel=1e-3)


def test_moment_distance_against_a_loop():
    result, painting = ({layer: torch.randn(2, 3, 4, 5) + layer for layer in (1, 2)} for _ in range(2))
    errors = []
    for layer in (1, 2):
        for b in range(2):
            have, want = [], []
            for moments, features in ((have, result), (want, painting)):
                for c in range(3):
                    values = features[layer][b, c].flatten().tolist()
                    mean = sum(values) / 20
                    moments += [mean, math.sqrt(sum((value - mean) ** 2 for value in values) / 20)]
            difference = sum((a - b) ** 2 for a, b in zip(have, want, strict=True))
            errors.append(difference / sum(value**2 for value in have + want))
    assert moment_distance(result, painting).item() == pytest.approx(sum(errors) / 4, rel=1e-4)


def test_strokes_are_free_where_blotches_cost():
    photo = torch.rand(2, 3, 70, 65)
    strokes = torch.tensor([0.2, -0.2]).repeat(33)[:65].expand(2, 3, 70, 65)
    assert low_frequency_distance(photo + strokes, photo).item() == pytest.approx(0, abs=1e-6)
    blotch = torch.zeros(2, 3, 70, 65)
    blotch[..., :32, :32] = 0.4  # one square of four
    assert low_frequency_distance(photo + blotch, photo).item() == pytest.approx(0.4**2 / 4, rel=1e-4)
    assert low_frequency_distance(torch.ones(1, 3, 8, 9), torch.zeros(1, 3, 8, 9)).item() == 1  # of a small crop the whole


def test_total_variation_by_hand():
    image = torch.tensor([[0.0, 1.0], [2.0, 4.0]]).view(1, 1, 2, 2)
    assert total_variation(image).item() == pytest.approx((2 + 3) / 2 + (1 + 2) / 2)
    assert total_variation(torch.full((2, 3, 5, 7), 0.3)).item() == 0


def test_out_of_gamut_by_hand():
    image = torch.tensor([0.5, 1.5, -3.0, -1.0]).view(1, 1, 2, 2)
    assert out_of_gamut(image).item() == pytest.approx((0.5 + 2) / 4)


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
    output = torch.full((1, 1, 1, 1), 3.0)
    assert GAMES[name].discriminator(output, output).item() == pytest.approx(discriminator)
    assert GAMES[name].generator(output, output).item() == pytest.approx(generator)


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


def test_mean_output_weighs_scales_alike():
    outputs = [torch.ones(1, 1, 4, 4), torch.zeros(1, 1, 1, 1)]
    assert mean_output(outputs).item() == 0.5


def test_gradient_penalty_by_hand():
    # D(x) = 3 * mean(x): the gradient is 3 / n everywhere, its squared norm 9 / n
    image = torch.rand(2, 3, 4, 4)

    def judge(x):
        return [3 * x.mean(dim=1, keepdim=True)]

    penalty = GradientNorm(weight=4.0, on=("real", "fake"), every=1)
    assert penalty.penalty(judge, image, image).item() == pytest.approx(2 * 4 / 2 * 9 / 48, rel=1e-5)
    assert GradientNorm(4.0, every=16).penalty(judge, image, image).item() == pytest.approx(16 * 4 / 2 * 9 / 48, rel=1e-5)


def test_code_similarity_by_hand():
    code = torch.tensor([[1.0, 0.0], [3.0, 0.0], [1.0, 1.0], [-1.0, 0.0]])
    # other paintings: (0, 2) and (1, 2) have cosine sqrt(1 / 2), (2, 3) a negative one; (0, 3) and (1, 3) are opposite
    assert code_similarity(code, torch.tensor([0, 0, 1, 2])).item() == pytest.approx((0.5 + 0.5) / 5)
    assert code_similarity(code, torch.tensor([4, 4, 4, 4])).item() == 0
