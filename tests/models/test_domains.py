"""The networks of StarGAN and the heads of CUT against their papers."""

import pytest
import torch
from torch import nn

from styletransfer.models.domain_discriminator import DomainDiscriminator
from styletransfer.models.domain_generator import DomainGenerator
from styletransfer.models.patch_head import PatchHead
from tests.tiny import NETWORKS, image


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_published_sizes():
    """Choi et al. 2018, tables 4 and 5, with five domains: kernels, and scale and shift of each norm but the first."""
    blocks = 12 * (256 * 256 * 9 + 2 * 256)
    inward = 8 * 64 * 49 + 64 + 64 * 128 * 16 + 128 * 256 * 16 + 2 * (128 + 256)
    outward = 256 * 128 * 16 + 128 * 64 * 16 + 64 * 3 * 49 + 2 * (128 + 64)
    trunk = sum(16 * a * b + b for a, b in [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1024), (1024, 2048)])
    with torch.device("meta"):  # counted, not allocated
        assert count(DomainGenerator(num_domains=5)) == inward + blocks + outward
        # one class for each window in place of one for 2 x 2 of them
        assert count(DomainDiscriminator(num_domains=5)) == trunk + 2048 * 9 + 2048 * 5


def test_the_label_decides_at_every_pixel():
    generator = NETWORKS["domain_generator"].build().eval()
    pictures = image()[:1].expand(3, -1, -1, -1)
    with torch.no_grad():
        results = generator(pictures, torch.tensor([0, 1, 0]))
    # a norm right after the label would leave nothing of it, or with zero padding only a trace at the borders
    difference = (results[0] - results[1])[:, 16:-16, 16:-16].square().mean().sqrt()
    assert difference > 0.1 * results[0].std(), difference
    torch.testing.assert_close(results[0], results[2])


@pytest.mark.parametrize(
    ("label", "error", "message"),
    [
        (torch.tensor([0]), ValueError, r"must be \(2,\).*got \(1,\)"),
        (torch.tensor([0, 3]), RuntimeError, "smaller than num_classes"),
    ],
)
def test_wrong_labels_are_refused(label, error, message):
    with pytest.raises(error, match=message):
        NETWORKS["domain_generator"].build()(image(), label)


def test_the_discriminator_judges_windows_and_names_one_domain():
    discriminator = DomainDiscriminator(num_domains=5, base_channels=2)
    with torch.no_grad():
        (verdict,), logits = discriminator(image(128, 128), classes=True)
        (alone,) = discriminator(image(128, 128))
    assert verdict.shape == (2, 1, 2, 2) and logits.shape == (2, 5)
    assert torch.equal(verdict, alone)


def test_heads_give_unit_vectors_of_each_place_alone():
    head = PatchHead(channels=(3, 8), size=16)
    first, second = torch.randn(2, 5, 3), torch.randn(2, 7, 8)
    with torch.no_grad():
        vectors = head(first, second)
        reordered = head(first.flip(1), second)
    assert [vector.shape for vector in vectors] == [(2, 5, 16), (2, 7, 16)]
    torch.testing.assert_close(vectors[0].norm(dim=2), torch.ones(2, 5))
    torch.testing.assert_close(reordered[0], vectors[0].flip(1))
    torch.testing.assert_close(reordered[1], vectors[1])
