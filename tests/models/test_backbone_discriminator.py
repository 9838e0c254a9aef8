"""BackboneDiscriminator: it is torchvision's network up to a stage, and its statistics stay."""

from urllib.error import URLError

import pytest
import torch
import torchvision

from styletransfer.models.backbone_discriminator import WEIGHTS, BackboneDiscriminator
from tests.tiny import image


def networks(backbone: str, num_stages: int) -> tuple[BackboneDiscriminator, torch.nn.Module]:
    """A discriminator, and torchvision's network of which its weights came."""
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, backbone)().eval()
    ours = BackboneDiscriminator(backbone=backbone, num_stages=num_stages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchvision.models, backbone, lambda weights=None: theirs)
        ours.load_imagenet()
    return ours, theirs


def normalized(picture: torch.Tensor) -> torch.Tensor:
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((picture + 1) / 2 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)


@torch.no_grad()
def test_vgg_stages_end_where_the_paper_pools():
    ours, theirs = networks("vgg16", 5)
    picture = image(64, 64)
    (verdict,), (activations,) = ours(picture, features=True)
    assert verdict.shape == (2, 1, 4, 4)
    assert [tuple(x.shape[1:3]) for x in activations] == [(64, 64), (128, 32), (256, 16), (512, 8), (512, 4)]
    for stage, relu in enumerate((3, 8, 15, 22, 29)):  # relu1_2, relu2_2, relu3_3, relu4_3, relu5_3
        wanted = theirs.features[: relu + 1](normalized(picture))
        torch.testing.assert_close(activations[stage], wanted)


@torch.no_grad()
def test_resnet_stages():
    ours, theirs = networks("resnet18", 5)
    picture = image(64, 64)
    activations = ours(picture, features=True)[1][0]
    assert [tuple(x.shape[1:3]) for x in activations] == [(64, 32), (64, 16), (128, 8), (256, 4), (512, 2)]
    x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(normalized(picture)))))
    torch.testing.assert_close(activations[4], theirs.layer4(theirs.layer3(theirs.layer2(theirs.layer1(x)))))


def test_statistics_do_not_move_in_training():
    discriminator = BackboneDiscriminator(backbone="resnet18", num_stages=2)
    before = {name: value.clone() for name, value in discriminator.named_buffers()}
    assert discriminator.train()(image())[0].requires_grad
    assert all(torch.equal(value, before[name]) for name, value in discriminator.named_buffers())
    assert discriminator.head.training


def test_imagenet_weights_replace_the_random_ones(monkeypatch):
    discriminator = BackboneDiscriminator(backbone="vgg16", num_stages=2)
    trained = torchvision.models.vgg16()
    asked = []
    monkeypatch.setattr(torchvision.models, "vgg16", lambda weights=None: asked.append(weights) or trained)
    assert not torch.equal(discriminator.stages[1][1].weight, trained.features[5].weight)
    discriminator.load_imagenet()
    assert asked == [WEIGHTS["vgg16"]]
    assert torch.equal(discriminator.stages[1][1].weight, trained.features[5].weight)


def test_without_a_network_the_download_fails_in_words(monkeypatch):
    discriminator = BackboneDiscriminator(backbone="resnet18", num_stages=1)

    def offline(weights=None):
        raise URLError("no route to host")

    monkeypatch.setattr(torchvision.models, "resnet18", offline)
    with pytest.raises(OSError, match=r"could not download torchvision's resnet18 weights .*train from random weights"):
        discriminator.load_imagenet()


def test_wrong_arguments():
    with pytest.raises(ValueError, match="vgg16, resnet18, got 'vgg11'"):
        BackboneDiscriminator(backbone="vgg11")
    with pytest.raises(ValueError, match="from 1 to 5, got 6"):
        BackboneDiscriminator(num_stages=6)
