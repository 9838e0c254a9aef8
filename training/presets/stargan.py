"""Many domains in one generator: StarGAN."""

from dataclasses import dataclass, field
from functools import partial
from math import log2
from typing import TYPE_CHECKING, ClassVar

from training.options import RATES, Between, Labelled, Pairs, Run

if TYPE_CHECKING:
    from torch import Tensor
    from torch.utils.data import Dataset

    from training.engine.preset import Preset
    from training.evaluate.held_out import AgainstCrowd, AgainstTruth


@dataclass(frozen=True, kw_only=True)
class Stargan(Run):
    """Many domains in one generator (Choi et al. 2018)."""

    preset: ClassVar = "stargan"

    data: Labelled = field(default_factory=Labelled)
    width: int = 64
    """Channels of the first layer."""
    blocks: int = 6
    """Residual blocks."""
    rate: float = 1e-4
    """Learning rate of generator and discriminator."""
    cycle: float = 10.0
    """Weight of the cycle-consistency loss."""
    classes: float = 1.0
    """Weight of the domain classification loss."""

    sizes = ((64, 4), (64, 8), (128, 4), (128, 8))
    target_updates = 4000
    space: ClassVar = {"rate": RATES, "width": (32, 64), "cycle": Between(3, 100), "classes": Between(0.3, 10)}


def stargan(config: Stargan) -> "Preset":
    """One generator and one discriminator that also classifies domains (Choi et al. 2018, https://arxiv.org/abs/1711.09020)."""
    from torch.nn.functional import cross_entropy, l1_loss

    from styletransfer.models.domain_discriminator import DomainDiscriminator
    from styletransfer.models.domain_generator import DomainGenerator
    from training.data.folders import folders_of, scored_on
    from training.data.streams import labelled
    from training.engine.preset import Preset
    from training.engine.recipe import Game, Phase, Recipe, Term
    from training.losses.adversarial import WASSERSTEIN
    from training.losses.lipschitz import GradientPenalty
    from training.packaging.export import translator
    from training.steps.labels import Labels

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
        export=translator(config, "g", data.domains),
        scorer=scorer(config.data, config.seed, len(data.domains)),
        scored_on=scored_on(folders_of(config.data)),
        betas=(0.5, 0.999),  # sec. 4.2
    )


class InTurn:
    """A sample of each of the streams in turn, with the number of its stream from `first` on as `label`."""

    def __init__(self, streams: "tuple[Dataset, ...]", first: int = 0):
        self.streams, self.first = streams, first

    def __getitem__(self, position: int) -> "dict[str, Tensor]":
        from torch import tensor

        turn, number = divmod(position, len(self.streams))
        return self.streams[number][turn] | {"label": tensor(self.first + number)}


def scorer(config: Labelled, seed: int, domains: int) -> "AgainstTruth | AgainstCrowd":
    """Of rendered scenes by the true rendering of plain ones in each world; of folders by other pictures of each domain."""
    from training.data.streams import labelled, pairs
    from training.evaluate.held_out import COUNT, AgainstCrowd, AgainstTruth, Held, by_network

    if config.folder is not None:
        held = Held(partial(labelled, config, seed, "held"), COUNT * domains)
        return AgainstCrowd(held, by_network("g", "image", "target"), real="image", labels=("label", "target"))

    def plain() -> InTurn:
        worlds = tuple(pairs(Pairs(world=world, crop=config.crop), seed, "held") for world in config.worlds)
        return InTurn(worlds, first=1)  # domain 0 are the plain scenes

    return AgainstTruth(Held(plain, COUNT), by_network("g", "source", "label"))
