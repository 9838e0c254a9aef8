"""What a style code promises."""

import torch

from styletransfer.models.style_encoder import StyleEncoder
from tests.tiny import image


def encoder() -> StyleEncoder:
    torch.manual_seed(0)
    return StyleEncoder(code_size=8, base_channels=4, size=32).eval().requires_grad_(False)


def test_codes_have_unit_root_mean_square():
    for size in [(16, 16), (65, 70), (40, 300)]:
        rms = encoder()(image(*size)).square().mean(dim=1).sqrt()
        torch.testing.assert_close(rms, torch.ones(2), rtol=0, atol=1e-3)


def test_a_large_painting_costs_no_more_and_says_nearly_the_same():
    small = torch.nn.functional.interpolate(image(8, 8), size=(32, 32), mode="bicubic")
    large = torch.nn.functional.interpolate(small, size=(256, 256), mode="bicubic")
    similarity = torch.nn.functional.cosine_similarity(encoder()(small), encoder()(large))
    assert similarity.min() > 0.98


def test_different_paintings_have_different_codes():
    codes = encoder()(torch.cat([image(32, 32), image(32, 32) * 0.2 + torch.tensor([0.7, 0.0, -0.7]).view(1, 3, 1, 1)]))
    assert torch.nn.functional.cosine_similarity(codes[:2], codes[2:]).max() < 0.98
