"""Losses on features against plain loops and values worked out by hand."""

import pytest
import torch

from training.losses.matching import constancy, feature_l1, feature_matching


def draw(seed: int, batch: int = 2) -> dict[int, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return {3: torch.randn(batch, 4, 3, 5, generator=random), 8: 10 * torch.randn(batch, 2, 2, 2, generator=random)}


def test_feature_matching_by_hand():
    result = {1: torch.tensor([[[[1.0, 3.0]], [[0.0, 0.0]]]])}  # channel means 2 and 0
    real = {1: torch.tensor([[[[1.0, 1.0]], [[2.0, 4.0]]]])}  # 1 and 3
    assert feature_matching(result, real).item() == pytest.approx((1 + 9) / (4 + 0 + 1 + 9))
    assert feature_matching(real, real).item() == 0


def test_feature_matching_against_a_loop():
    result, real = draw(0), draw(1, batch=3)
    total = 0.0
    for layer in real:
        gap = size = 0.0
        for channel in range(real[layer].shape[1]):
            means = [torch.stack([x[layer][b, channel].mean() for b in range(len(x[layer]))]).mean() for x in (result, real)]
            gap, size = gap + (means[0] - means[1]) ** 2, size + means[0] ** 2 + means[1] ** 2
        total += gap / size / len(real)
    torch.testing.assert_close(feature_matching(result, real), total)


def test_feature_matching_compares_sets_not_pairs():
    real = draw(2)
    mixed = {layer: value.flip(0, 3) for layer, value in real.items()}
    assert feature_matching(mixed, real).item() == pytest.approx(0, abs=1e-6)
    assert feature_l1(mixed, real) > 0.1


def test_feature_l1_by_hand():
    photo = {7: torch.full((1, 2, 2, 2), 2.0)}
    result = {7: torch.full((1, 2, 2, 2), -3.0), 9: torch.rand(1)}
    assert feature_l1(result, photo).item() == pytest.approx(5 / 5)
    assert feature_l1({7: photo[7] / 2}, photo).item() == pytest.approx(1 / 3)
    assert feature_l1(photo, photo).item() == 0


def test_feature_l1_against_a_loop():
    result, photo = draw(3), draw(4)
    shares = []
    for layer in photo:
        for a, b in zip(result[layer], photo[layer], strict=True):
            gap, size = 0.0, 0.0
            for x, y in zip(a.flatten(), b.flatten(), strict=True):
                gap, size = gap + abs(x - y), size + abs(x) + abs(y)
            shares.append(gap / size)
    torch.testing.assert_close(feature_l1(result, photo), torch.stack(shares).mean())


def test_constancy_by_hand():
    photo = {12: torch.tensor([[[[2.0, 4.0]]], [[[1.0, 1.0]]]])}  # f = 3 and 1
    result = {12: torch.tensor([[[[1.0, 1.0]]], [[[2.0, 0.0]]]]), 4: torch.rand(1)}  # 1 and 1
    assert constancy(result, photo).item() == pytest.approx((4 / 10 + 0) / 2)


def test_constancy_asks_what_and_not_where():
    photo = draw(5)
    moved = {layer: value.flip(2) for layer, value in photo.items()}
    assert constancy(moved, photo).item() == pytest.approx(0, abs=1e-6)
    assert constancy(draw(6), photo) > 0.1


@pytest.mark.parametrize("loss", [feature_matching, feature_l1, constancy])
def test_zeros_have_a_finite_gradient(loss):
    result = {1: torch.zeros(1, 2, 3, 3, requires_grad=True)}
    loss(result, {1: torch.zeros(1, 2, 3, 3)}).backward()
    assert result[1].grad.isfinite().all()
