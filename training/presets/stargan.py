"""Many domains in one generator: StarGAN."""

from math import log2

from torch.nn.functional import cross_entropy, l1_loss

from styletransfer.models.domain_discriminator import DomainDiscriminator
from styletransfer.models.domain_generator import DomainGenerator
from training.config import Stargan
from training.data.streams import labelled
from training.losses.adversarial import WASSERSTEIN
from training.losses.lipschitz import GradientPenalty
from training.packages import TranslatorExport
from training.recipe import Game, Phase, Recipe, Term
from training.steps.labels import Labels
from training.trainer import Preset


def stargan(config: Stargan) -> Preset:
    """One generator and one discriminator that also tells the domains apart (Choi et al. 2018, https://arxiv.org/abs/1711.09020)."""
    data = labelled(config.data, config.seed)
    # as many layers as leave 2 x 2 windows: the 6 of table 5 at 128 px
    layers = min(6, int(log2(config.data.crop)) - 1)
    nets = {
        "g": DomainGenerator(num_domains=len(data.domains), base_channels=config.width, num_blocks=config.blocks),
        "d": DomainDiscriminator(num_domains=len(data.domains), base_channels=config.width, num_layers=layers),
    }
    recipe = Recipe(
        step=Labels,
        # sec. 4.2: one generator update after five of the discriminator
        phases=(Phase("generator", ("g",), every=5), Phase("discriminator", ("d",))),
        games=(Game("d", "image", "fake", WASSERSTEIN, lipschitz=GradientPenalty(10.0)),),  # eq. 8
        terms=(
            Term("domain", cross_entropy, ("fake_logits", "target"), config.classes),  # eq. 3
            Term("cycle", l1_loss, ("back", "image"), config.cycle),  # eq. 4
            Term("domain", cross_entropy, ("image_logits", "label"), config.classes, phase="discriminator"),  # eq. 2
        ),
    )
    return Preset(
        nets=nets,
        recipe=recipe,
        data=data,
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=TranslatorExport(config, "g", data.domains),
        betas=(0.5, 0.999),  # sec. 4.2
        clip_norm=1000.0,  # the paper clips nothing, and a Wasserstein critic's gradients are often beyond 20
    )
