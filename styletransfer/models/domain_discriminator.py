"""The discriminator of StarGAN: real or not, and of which domain."""

from itertools import pairwise

from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from styletransfer.models.layers import pad_to_multiple
from styletransfer.models.network import Network


class DomainDiscriminator(Network):
    """Patch discriminator with a classifier of domains (StarGAN, Choi et al. 2018, table 5, https://arxiv.org/abs/1711.09020).

    No norm: a gradient penalty is taken of each image alone. The class is averaged over windows, so that any size works.

    Args:
        num_domains: Domains to tell apart.
        base_channels: Width of the first layer; doubled at each layer.
        num_layers: Layers with stride 2; 6 suit 128 px.

    Example:
        `verdicts, logits = DomainDiscriminator(num_domains=4)(torch.rand(2, 3, 128, 128) * 2 - 1, classes=True)`
    """

    @register_to_config
    def __init__(self, num_domains: int, base_channels: int = 64, num_layers: int = 6):
        super().__init__()
        widths = [3, *(base_channels * 2**level for level in range(num_layers))]
        self.trunk = nn.Sequential()
        for before, after in pairwise(widths):
            self.trunk.extend([nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.01)])
        self.verdict = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)
        self.domain = nn.Conv2d(widths[-1], num_domains, 1, bias=False)

    def forward(self, image: Tensor, classes: bool = False) -> list[Tensor] | tuple[list[Tensor], Tensor]:
        """A list of one verdict (B, 1, h, w) on `image` (B, 3, H, W) in [-1, 1], H and W at least 16; higher is more real.

        With `classes`, the logits (B, num_domains) of its domain come along.
        """
        x = self.trunk(pad_to_multiple(image, 2**self.config.num_layers))
        verdicts = [self.verdict(x)]
        return (verdicts, self.domain(x).mean(dim=(2, 3))) if classes else verdicts
