"""A discriminator with the architecture of a classification network."""

from itertools import pairwise
from urllib.error import URLError

import torch
import torchvision
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import pad_to_multiple
from styletransfer.models.network import Network

WEIGHTS = {"vgg16": torchvision.models.VGG16_Weights.DEFAULT, "resnet18": torchvision.models.ResNet18_Weights.DEFAULT}
CHANNELS = {"vgg16": (64, 128, 256, 512, 512), "resnet18": (64, 64, 128, 256, 512)}  # of each stage
VGG_STAGES = (0, 4, 9, 16, 23, 30)  # a stage ends before the pooling that the next one begins with


class BackboneDiscriminator(Network):
    """The first stages of VGG-16 or ResNet-18 (Simonyan & Zisserman 2015; He et al. 2016), then a verdict at each position.

    The weights are random; `load_imagenet` puts trained ones in their place. Batch normalisation keeps its stored statistics in
    training too: the statistics of a batch would tell real batches from fake ones, and they break gradient penalties.

    Args:
        backbone: "vgg16" or "resnet18".
        num_stages: Stages of the backbone, 1 to 5. Four judge at 1 / 8 (VGG-16) or 1 / 16 (ResNet-18) of the resolution.

    Example:
        `verdicts = BackboneDiscriminator("resnet18")(torch.rand(1, 3, 128, 128) * 2 - 1)`
    """

    @register_to_config
    def __init__(self, backbone: str = "vgg16", num_stages: int = 4):
        super().__init__()
        if backbone not in WEIGHTS:
            raise ValueError(f"backbone must be one of {', '.join(WEIGHTS)}, got {backbone!r}")
        if not 1 <= num_stages <= 5:
            raise ValueError(f"num_stages must be from 1 to 5, got {num_stages}")
        self.stages = split(random_network(backbone))[:num_stages]
        statistics = WEIGHTS[backbone].transforms()  # of ImageNet, for RGB in [0, 1]
        self.register_buffer("mean", torch.tensor(statistics.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(statistics.std).view(1, 3, 1, 1), persistent=False)
        self.head = nn.Conv2d(CHANNELS[backbone][num_stages - 1], 1, 1)
        self.train()

    def load_imagenet(self) -> None:
        """Copy torchvision's ImageNet weights, which are downloaded, into the backbone."""
        backbone = self.config.backbone
        try:
            trained = getattr(torchvision.models, backbone)(weights=WEIGHTS[backbone])
        except (URLError, OSError) as error:
            raise OSError(f"could not download torchvision's {backbone} weights ({error}); train from random weights") from None
        self.stages.load_state_dict(split(trained)[: self.config.num_stages].state_dict())

    def train(self, mode: bool = True) -> "BackboneDiscriminator":
        super().train(mode)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return self

    def forward(self, image: Tensor, features: bool = False) -> list[Tensor] | tuple[list[Tensor], list[list[Tensor]]]:
        """Verdicts, a list of one (B, 1, h, w), on `image` (B, 3, H, W) in [-1, 1], H and W at least 16; higher is more real.

        With `features`, the activations of every stage come along, as those of `PatchDiscriminator` do.
        """
        x = (pad_to_multiple(image, 2 ** len(self.stages)) + 1) / 2
        x = (x - self.mean) / self.deviation
        activations = []
        for stage in self.stages:
            x = stage(x)  # (B, C, H / s, W / s)
            activations.append(x)
        verdicts = [self.head(x)]
        return (verdicts, [activations]) if features else verdicts


def random_network(backbone: str) -> nn.Module:
    if backbone == "resnet18":
        return torchvision.models.resnet18()
    # without its classifier, which has nine tenths of the parameters
    features = torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["D"])
    for layer in features:
        if isinstance(layer, nn.Conv2d):  # as torchvision draws them (He et al. 2015)
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return features


def split(network: nn.Module) -> nn.Sequential:
    """The five stages of a torchvision network."""
    layers = getattr(network, "features", network)
    if isinstance(layers, nn.Sequential):
        return nn.Sequential(*(layers[start:end] for start, end in pairwise(VGG_STAGES)))
    stem = nn.Sequential(network.conv1, network.bn1, network.relu)
    first = nn.Sequential(network.maxpool, network.layer1)
    return nn.Sequential(stem, first, network.layer2, network.layer3, network.layer4)
