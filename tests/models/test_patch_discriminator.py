"""Windows, scales and labels of the patch discriminator."""

import pytest
import torch

from styletransfer.models.patch_discriminator import PatchDiscriminator
from tests.tiny import image


def test_a_verdict_sees_70_pixels():
    discriminator = PatchDiscriminator(base_channels=4, norm="none")  # an instance norm would see everything
    picture = image(192, 192, batch=1).requires_grad_()
    (verdict,) = discriminator(picture)
    verdict[0, 0, verdict.shape[2] // 2, verdict.shape[3] // 2].backward()
    seen = picture.grad.abs().sum(dim=(0, 1))
    assert (seen.any(dim=0).sum(), seen.any(dim=1).sum()) == (70, 70)


def test_scales_halve_and_features_come_along():
    discriminator = PatchDiscriminator(base_channels=4, num_layers=2, num_scales=2)
    verdicts, features = discriminator(image(64, 64), features=True)
    assert [verdict.shape for verdict in verdicts] == [(2, 1, 14, 14), (2, 1, 6, 6)]
    assert [len(scale) for scale in features] == [3, 3]
    assert all(torch.equal(a, b) for a, b in zip(discriminator(image(64, 64)), verdicts, strict=True))


def test_the_label_matters():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(base_channels=4, num_layers=2, num_labels=3).eval()
    one, other = (discriminator(image(), torch.tensor([label, 0]))[0] for label in (1, 2))
    assert not torch.allclose(one[0], other[0]) and torch.equal(one[1], other[1])


def test_the_code_matters_and_labels_and_codes_exclude_each_other():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(base_channels=4, num_layers=2, code_size=8).eval()
    codes = torch.randn(2, 8)
    one, other = (discriminator(image(), torch.stack([code, codes[0]]))[0] for code in codes)
    assert not torch.allclose(one[0], other[0]) and torch.equal(one[1], other[1])
    with pytest.raises(ValueError, match="num_labels=3 and code_size=8"):
        PatchDiscriminator(num_labels=3, code_size=8)


def test_spectral_norm_bounds_the_weights():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(base_channels=4, num_layers=2, norm="spectral")
    with torch.no_grad():
        for _ in range(50):  # one power iteration each
            discriminator(image(32, 32))
    weight = discriminator.columns[0].stem.weight.detach().flatten(1)
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.02)


def test_an_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="spectral, instance or none, got 'batch'"):
        PatchDiscriminator(norm="batch")


@pytest.mark.parametrize(
    ("num_layers", "num_scales", "smallest"), [(3, 1, 24), (3, 2, 47), (3, 3, 93), (2, 2, 23), (1, 1, 6), (1, 4, 41)]
)
def test_a_picture_too_small_for_a_verdict_is_refused(num_layers, num_scales, smallest):
    discriminator = PatchDiscriminator(base_channels=4, num_layers=num_layers, num_scales=num_scales)
    verdicts = discriminator(image(smallest, smallest))
    assert verdicts[-1].shape == (2, 1, 1, 1) and verdicts[-1].isfinite().all()
    with pytest.raises(
        ValueError, match=f"at least {smallest} x {smallest} pixels for {num_layers} layers at {num_scales} scales"
    ):
        discriminator(image(96, smallest - 1))
