"""Pictures from noise: DCGAN, Wasserstein critics, R3GAN, and learning from few pictures. They differ in numbers only."""

import dataclasses
from functools import partial

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from styletransfer.models.dcgan_discriminator import DCGANDiscriminator
from styletransfer.models.dcgan_generator import DCGANGenerator
from training.data.augment import diff_augment
from training.data.streams import pictures
from training.engine.preset import Preset
from training.engine.recipe import Game, Phase, Recipe
from training.evaluate.held_out import AgainstCrowd
from training.evaluate.held_out import from_noise as by_noise
from training.losses.adversarial import GAMES
from training.losses.lipschitz import GradientNorm, GradientPenalty, Lipschitz, SpectralNorm, WeightClipping
from training.options import Dcgan, Few, R3gan, Wgan
from training.packaging.package import NoiseExport
from training.steps.noise import Noise

# weight 1 lies in the range that R3GAN takes at 64 px: 2 at first, 0.2 in the end (Huang et al. 2024, published FFHQ-64 settings)
LIPSCHITZ: dict[str, Lipschitz] = {
    "none": Lipschitz(),
    "clip": WeightClipping(0.01),  # Arjovsky et al. 2017, alg. 1
    "gp": GradientPenalty(10.0),  # Gulrajani et al. 2017, sec. 4
    "spectral": SpectralNorm(),
    "r1": GradientNorm(1.0, on=("real",), every=1),
    "r2": GradientNorm(1.0, on=("fake",), every=1),
    "r1r2": GradientNorm(1.0, on=("real", "fake"), every=1),
}
FAR = 2**40  # a place in a stream that no training reaches, where nothing is held out


def dcgan(config: Dcgan) -> Preset:
    """Radford et al. 2016 with the non-saturating game; other games and Lipschitz methods by option."""
    return from_noise(config, pictures(config.data, config.seed), held(config), betas=(0.5, 0.999))  # sec. 4


def wgan(config: Wgan) -> Preset:
    """Arjovsky et al. 2017, by default with the gradient penalty of Gulrajani et al. 2017."""
    return from_noise(config, pictures(config.data, config.seed), held(config), betas=(0.0, 0.9))  # Gulrajani et al. 2017, alg. 1


def r3gan(config: R3gan) -> Preset:
    """The relativistic game with R1 and R2 (Huang et al. 2024, https://arxiv.org/abs/2501.05441) on DCGAN's networks."""
    return from_noise(config, pictures(config.data, config.seed), held(config), betas=(0.0, 0.99))


def few(config: Few) -> Preset:
    """Crops of a few pictures, all changed before they are judged (Zhao et al. 2020, sec. 3.3: real and fake, both phases)."""
    data = CropsOfFew(config)
    # held out are other crops: nothing else is to be learned
    return from_noise(config, data, by_noise(lambda: data, config.z_size, FAR), betas=(0.5, 0.999))


def held(config: Dcgan) -> AgainstCrowd:
    return by_noise(partial(pictures, config.data, config.seed, "held"), config.z_size)


def from_noise(config: Dcgan, data: Dataset, judge: AgainstCrowd, betas: tuple[float, float]) -> Preset:
    size = config.data.crop

    class Sized(Noise):
        z_size = config.z_size

    game = Game(
        "d",
        real="real",
        fake="fake",
        loss=GAMES[config.game],
        lipschitz=LIPSCHITZ[config.lipschitz],
        augment=diff_augment if config.augment else None,
    )
    return Preset(
        nets={
            # keywords: diffusers takes a positional argument for a default and forgets it in from_config
            "g": DCGANGenerator(z_size=config.z_size, base_channels=config.width, image_size=size),
            "d": DCGANDiscriminator(base_channels=config.width, image_size=size),
        },
        recipe=Recipe(
            step=Sized,
            phases=(Phase("generator", ("g",), every=config.discriminator_updates), Phase("discriminator", ("d",))),
            games=(game,),
        ),
        data=data,
        rates={"generator": config.rate, "discriminator": config.rate},
        averaged=("g",),
        export=NoiseExport(config, "g"),
        judge=judge,
        betas=betas,
    )


class CropsOfFew(Dataset):
    """Endless crops {"real"} of the first `config.pictures` pictures of the data, which are half as large again as a crop."""

    def __init__(self, config: Few, part: str = "train"):
        self.seed, self.crop = config.seed, config.data.crop
        data = pictures(dataclasses.replace(config.data, crop=self.crop * 3 // 2), config.seed, part)
        self.pictures = [data[number]["real"] for number in range(config.pictures)]

    def __getitem__(self, position: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.seed, position])
        picture = self.pictures[rng.integers(len(self.pictures))]
        top, left = rng.integers(picture.shape[-1] - self.crop + 1, size=2)
        return {"real": picture[:, top : top + self.crop, left : left + self.crop]}
