"""ResnetGenerator and UNetGenerator against their papers, and the padding that they share."""

import pytest
import torch
from torch import nn

from styletransfer.models.layers import pad_to_multiple
from styletransfer.models.resnet_generator import ResnetGenerator
from styletransfer.models.unet_generator import UNetGenerator
from tests.tiny import image


def count(network: nn.Module) -> float:
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


def test_padding_reflects_as_often_as_needed():
    row = torch.arange(16.0).expand(1, 1, 16, 16)
    wide = pad_to_multiple(row, 64)
    assert wide.shape == (1, 1, 64, 64)
    there, back = list(range(16)), list(range(14, 0, -1))
    assert wide[0, 0, 0].tolist() == (there + back + there + back + there)[:64]
    torch.testing.assert_close(
        pad_to_multiple(image(20, 18), 16), nn.functional.pad(image(20, 18), (0, 14, 0, 12), mode="reflect"), rtol=0, atol=0
    )
    assert pad_to_multiple(row, 8) is row


def published_resnet(blocks: int) -> nn.Sequential:
    """Zhu et al. 2017, sec. 7.2, written down once more as one list: c7s1-64, d128, d256, R256 ..., u128, u64, c7s1-3."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(
                *(nn.ReflectionPad2d(1), nn.Conv2d(16, 16, 3), nn.InstanceNorm2d(16), nn.ReLU()),
                *(nn.ReflectionPad2d(1), nn.Conv2d(16, 16, 3), nn.InstanceNorm2d(16)),
            )

        def forward(self, x):
            return x + self.layers(x)

    up = {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1}
    return nn.Sequential(
        *(nn.ReflectionPad2d(3), nn.Conv2d(3, 4, 7), nn.InstanceNorm2d(4), nn.ReLU()),
        *(nn.Conv2d(4, 8, 3, 2, 1), nn.InstanceNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 16, 3, 2, 1), nn.InstanceNorm2d(16), nn.ReLU()),
        *(Residual() for _ in range(blocks)),
        *(nn.ConvTranspose2d(16, 8, **up), nn.InstanceNorm2d(8), nn.ReLU()),
        *(nn.ConvTranspose2d(8, 4, **up), nn.InstanceNorm2d(4), nn.ReLU()),
        *(nn.ReflectionPad2d(3), nn.Conv2d(4, 3, 7), nn.Tanh()),
    )


def test_resnet_paints_as_the_published_network_with_its_weights():
    published = published_resnet(blocks=2)
    generator = ResnetGenerator(base_channels=4, num_blocks=2, upsample="transposed")
    # the published biases before an instance norm do nothing: only the last one is kept
    *weights, bias = [value for value in published.parameters() if value.ndim == 4] + [published[-2].bias]
    assert len(weights) + 1 == len(list(generator.parameters()))
    generator.load_state_dict(dict(zip(generator.state_dict(), [*weights, bias], strict=True)))
    torch.testing.assert_close(generator(image(64, 72)), published(image(64, 72)), rtol=0, atol=1e-5)


def test_published_sizes():
    with torch.device("meta"):  # counted, not allocated
        assert 11.3 < count(ResnetGenerator(num_blocks=9)) < 11.4
        assert 7.8 < count(ResnetGenerator(num_blocks=6)) < 7.9
        assert 54.3 < count(UNetGenerator()) < 54.5


def test_features_are_the_encoding():
    assert UNetGenerator(base_channels=4, num_downs=3)(image(), features=True).shape == (2, 16, 9, 9)
    assert UNetGenerator(base_channels=4)(image(), features=True).shape == (2, 32, 1, 1)


@pytest.mark.parametrize("blocks", [1, 2, 9])
def test_resnet_features_are_what_the_result_is_made_of(blocks):
    generator = ResnetGenerator(base_channels=4, num_blocks=blocks)
    features = generator(image(), features=True)
    sizes = [(68, 72), (34, 36), (17, 18), (17, 18), (17, 18)][: len(features)]
    assert [layer.shape[1] for layer in features] == generator.feature_channels
    assert [layer.shape[2:] for layer in features] == sizes
    torch.testing.assert_close(features[0][..., :65, :70], image())
    last = generator.blocks[blocks // 2 + 1 :](features[-1])
    torch.testing.assert_close(generator.out(generator.up(last)).tanh()[..., :65, :70], generator(image()))


def test_unet_drops_in_its_three_innermost_decoder_blocks_in_training_only():
    generator = UNetGenerator(base_channels=4)
    assert [block.dropout.p for block in generator.up] == [0.5, 0.5, 0.5, 0, 0, 0, 0]
    assert not torch.equal(generator(image()), generator(image()))
    generator.eval()
    assert torch.equal(generator(image()), generator(image()))


def test_every_skip_connection_of_the_unet_carries():
    generator = UNetGenerator(base_channels=4, num_downs=4).eval()
    for block in generator.up:  # what comes from further inside is silenced: only the skip connections are left
        nn.init.zeros_(block.norm.weight)
    picture = image(64, 64).requires_grad_()
    generator(picture).square().sum().backward()
    assert picture.grad.any()


def test_resize_leaves_a_flat_image_flat_and_transposed_does_not():
    flat = torch.full((1, 3, 96, 96), 0.3)
    for upsample, even in (("resize", True), ("transposed", False)):
        torch.manual_seed(0)
        generator = ResnetGenerator(base_channels=8, num_blocks=1, upsample=upsample).eval()
        nn.init.normal_(generator.out.weight, std=0.2)
        for module in generator.modules():  # normalise with the fixed statistics (0, 1): a flat image has no variance
            if isinstance(module, nn.InstanceNorm2d):
                module.forward = lambda x: x * 5
        with torch.no_grad():
            inside = generator(flat)[..., 40:56, 40:56]
        assert inside.abs().max() > 1e-3
        assert (inside.std(dim=(2, 3)).max() < 1e-3 * inside.abs().max()) == even, upsample


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ResnetGenerator(upsample="bilinear"), "resize or transposed, got 'bilinear'"),
        (lambda: UNetGenerator(num_downs=1), "at least 2, got 1"),
    ],
)
def test_wrong_arguments_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
