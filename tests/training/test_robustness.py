"""Tests of robustness on paintings whose answer is known."""

import pytest
import torch

from styletransfer.models.domain_generator import DomainGenerator
from styletransfer.pipelines.translation import TranslationPipeline
from tests.conftest import picture
from tests.tiny import scene
from training.evaluate.metrics.pictures import standard
from training.evaluate.robustness import adversarial_gain, flicker, identity, jpeg_gain, rise_with_strength


def photo(seed: int = 0) -> torch.Tensor:
    return scene(256, 256, seed) * 0.8


def test_a_painter_on_tensors_is_the_pipeline(tiny_pipe):
    image = picture((256, 256))
    for strength in (0.5, 1.0):
        shown = tiny_pipe(image, style="alpha", strength=strength, size=256, output_type="pt").images[0]
        painted = tiny_pipe.on_tensors(standard(image)[None], "alpha", strength)[0]
        torch.testing.assert_close((painted + 1) / 2, shown, atol=0.01, rtol=0)  # pictures have 256 values


def test_a_translator_on_tensors_is_the_pipeline():
    torch.manual_seed(0)
    pipe = TranslationPipeline(DomainGenerator(num_domains=2, base_channels=4, num_blocks=1).eval(), ["plain", "ink"])
    image = picture((256, 256))
    shown = pipe(image, style="ink", strength=0.5, output_type="pt").images[0]
    painted = pipe.on_tensors(standard(image)[None], "ink", 0.5)[0]
    torch.testing.assert_close((painted + 1) / 2, shown, atol=1e-4, rtol=0)


def test_adversarial_gain_by_hand():
    assert adversarial_gain(identity, photo()) == pytest.approx(1)
    assert adversarial_gain(lambda x, strength=1.0: 3 * x, photo()) == pytest.approx(3, rel=1e-4)


def test_adversarial_gain_finds_what_chance_does_not():
    """The mean of a picture answers to a change of one sign alone: chance moves it by 1 / sqrt(pixels) of what is possible."""
    gray = torch.zeros(1, 3, 64, 64)
    assert adversarial_gain(lambda x, strength=1.0: x.mean().expand_as(x), gray) > 0.9


def test_jpeg_gain_by_hand():
    assert jpeg_gain(identity, photo()) == pytest.approx(1)
    assert jpeg_gain(lambda x, strength=1.0: -2 * x, photo()) == pytest.approx(2, rel=1e-4)
    assert jpeg_gain(lambda x, strength=1.0: x * 0, photo()) == 0


def test_flicker_knows_what_follows_the_camera():
    pattern = torch.randn(1, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    still = flicker(identity, photo())
    assert 0 < still < 0.5
    assert flicker(lambda x, strength=1.0: -x, photo()) == pytest.approx(still, rel=1e-3)
    assert flicker(lambda x, strength=1.0: (x + pattern / 4).clamp(-1, 1), photo()) > 2 * still  # stays on the screen
    assert flicker(lambda x, strength=1.0: x * 0, photo()) == 0


def test_rise_with_strength_by_hand():
    assert rise_with_strength(identity, photo()) == 0
    assert rise_with_strength(lambda x, strength: x * (1 - strength), photo()) == 1
    assert rise_with_strength(lambda x, strength: x * (1 - min(strength, 0.5)), photo()) == 0.5
