"""PatchNCE against a plain loop and values worked out by hand."""

import math

import pytest
import torch
import torch.nn.functional as F

from training.losses.contrastive import TEMPERATURE, patch_contrast


def vectors(places: int, seed: int, size: int = 4) -> torch.Tensor:
    return F.normalize(torch.randn(2, places, size, generator=torch.Generator().manual_seed(seed)), dim=2)


def test_against_a_loop():
    result, photo = [vectors(5, 0), vectors(3, 1)], [vectors(5, 2), vectors(3, 3)]
    layers = []
    for query, key in zip(result, photo, strict=True):
        losses = []
        for b in range(2):  # negatives are other places of the same image
            for n in range(query.shape[1]):
                scores = [math.exp(float(query[b, n] @ key[b, m]) / TEMPERATURE) for m in range(key.shape[1])]
                losses.append(-math.log(scores[n] / sum(scores)))
        layers.append(sum(losses) / len(losses))
    assert patch_contrast(result, photo).item() == pytest.approx(sum(layers) / 2, rel=1e-5)


def test_by_hand():
    one, other = torch.eye(2)[None], torch.eye(2).flip(0)[None]
    assert patch_contrast([one], [one]).item() == pytest.approx(math.log1p(math.exp(-1 / 0.07)), abs=1e-6)
    assert patch_contrast([one], [other]).item() == pytest.approx(1 / 0.07, rel=1e-5)
    flat = torch.ones(1, 8, 4) / 2  # all places alike: a guess among eight
    assert patch_contrast([flat], [flat]).item() == pytest.approx(math.log(8), rel=1e-5)


def test_the_photo_is_given():
    result, photo = vectors(5, 0).requires_grad_(), vectors(5, 1).requires_grad_()
    patch_contrast([result], [photo]).backward()
    assert result.grad.any() and photo.grad is None
