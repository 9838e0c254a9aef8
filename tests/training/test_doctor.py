"""The doctor: each detector fires in a run that is made to fail its way, and all stay silent in healthy ones."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest
import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn.functional import l1_loss, softplus

from styletransfer.models.patch_discriminator import PatchDiscriminator
from styletransfer.models.resnet_generator import ResnetGenerator
from training.data.streams import pairs, pictures
from training.engine.doctor import ADVICE, PATIENCE, Doctor, checkerboard, collapsed, no_number
from training.engine.recipe import Game, Phase, Recipe, Step, Term
from training.engine.trainer import Preset, Trainer
from training.losses.adversarial import LOGISTIC, LSGAN, WASSERSTEIN, Adversarial
from training.losses.lipschitz import GradientNorm, Lipschitz
from training.options import Pairs, Pictures, Run

NONE = Lipschitz()
PHASES = (Phase("generator", ("g",)), Phase("discriminator", ("d",)))
SATURATING = replace(LOGISTIC, generator=lambda real, fake: -softplus(fake))  # log(1 - D(G(z))), Goodfellow et al. 2014, eq. 1


class Translated(Step):
    gallery = ("source", "fake")
    made_of = (("source", "fake"),)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self["source"])

    @cached_property
    def negative(self) -> Tensor:
        return -self["source"]


class Dreamt(Step):
    gallery = ("target", "fake")
    made_of = (("z", "fake"),)

    @cached_property
    def target(self) -> Tensor:
        return self["real"]

    @cached_property
    def z(self) -> Tensor:
        return torch.randn(len(self.target), 8)

    @cached_property
    def fake(self) -> Tensor:
        return self.nets["g"](self.z)


class Retoucher(ModelMixin, ConfigMixin):
    @register_to_config
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        return image + self.layers(image)


class Dreamer(ModelMixin, ConfigMixin):
    @register_to_config
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(8, 8 * 8 * 8)
        self.layers = nn.Sequential(
            *(nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(8, 8, 3, padding=1)),
            *(nn.ReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(8, 3, 3, padding=1)),
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(self.stem(z).view(-1, 8, 8, 8)).tanh()


class Toy(Run):
    preset = "toy"


@dataclass(frozen=True)
class Training:
    """A short real training of 32 px pictures; what differs between a failing and a healthy one."""

    generator: type = Retoucher
    arguments: tuple = ()
    step: type[Step] = Translated
    loss: Adversarial = LSGAN
    weight: float = 1.0
    lipschitz: Lipschitz = NONE
    keep: str | None = None  # image that the result is drawn to
    rates: tuple[float, float] = (1e-2, 1e-3)
    updates: int = 60

    def trainer(self, out: Path) -> Trainer:
        torch.manual_seed(0)
        discriminator = PatchDiscriminator(base_channels=4, num_layers=2, norm="none")
        game = Game("d", "target", "fake", self.loss, weight=self.weight, lipschitz=self.lipschitz)
        preset = Preset(
            nets={"g": self.generator(**dict(self.arguments)), "d": discriminator},
            recipe=Recipe(self.step, PHASES, (game,), (Term("l1", l1_loss, ("fake", self.keep), 10),) if self.keep else ()),
            data=pictures(Pictures(crop=32), seed=0) if self.step is Dreamt else pairs(Pairs(world="palette", crop=32), seed=0),
            rates={"generator": self.rates[0], "discriminator": self.rates[1]},
            averaged=(),
            export=lambda nets, folder: None,
            clip_norm=20.0,
        )
        shared = {"device": "cpu", "precision": "no", "tracker": "none", "out": out}
        return Trainer(preset, Toy(updates=self.updates, batch=4, log_every=5, sample_every=1000, **shared))

    def findings(self, out: Path):
        """What the doctor says at each look."""
        trainer = self.trainer(out)
        batches = trainer.batches()
        for _ in range(self.updates):
            trainer.train_one([next(batches)])
            if trainer.is_logged():
                yield trainer.findings


FAILING = {
    "mode_collapse": Training(Dreamer, step=Dreamt, loss=LOGISTIC, rates=(1e-1, 1e-3)),
    "discriminator_too_strong": Training(loss=LOGISTIC, rates=(1e-5, 5e-3)),
    "vanishing_gradient": Training(loss=SATURATING, rates=(1e-5, 1e-2)),
    "identity_shortcut": Training(weight=0.01, keep="source"),
    "colour_inversion": Training(weight=0.01, keep="negative"),
    "checkerboard": Training(
        ResnetGenerator,
        (("base_channels", 8), ("num_blocks", 1), ("upsample", "transposed")),
        keep="target",
        rates=(1e-3, 1e-3),
    ),
}
HEALTHY = {
    "translation": Training(
        ResnetGenerator, (("base_channels", 8), ("num_blocks", 1)), keep="target", rates=(1e-3, 1e-3), updates=40
    ),
    "noise": Training(
        Dreamer,
        step=Dreamt,
        loss=LOGISTIC,
        lipschitz=GradientNorm(1.0, on=("real", "fake"), every=1),
        rates=(1e-3, 1e-3),
        updates=40,
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_run_made_to_fail_is_found_out(name, tmp_path):
    looks = FAILING[name].findings(tmp_path)
    # never at once: a single look may mislead
    assert all(name not in next(looks) for _ in range(PATIENCE - 1))
    assert any(findings.get(name) == ADVICE[name] for findings in looks)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_is_left_in_peace(name, tmp_path):
    looks = list(HEALTHY[name].findings(tmp_path))
    assert len(looks) > 2 * PATIENCE
    assert looks == [{}] * len(looks)


def test_nan_in_a_run_that_explodes(tmp_path):
    trainer = Training(keep="target", rates=(1e30, 1e-3)).trainer(tmp_path)
    with pytest.raises(FloatingPointError, match="NaN at update"):
        trainer.train()
    assert trainer.findings == {"nan": ADVICE["nan"]}


def test_every_finding_has_a_failing_run():
    assert {*FAILING, "nan"} == ADVICE.keys()


def test_a_finding_is_shown_and_logged(tmp_path, capsys):
    trainer = replace(FAILING["mode_collapse"], updates=30).trainer(tmp_path)
    logged = []
    trainer.accelerator.log = lambda values, step: logged.append(values)
    trainer.train()
    assert {"doctor/mode_collapse": 1.0}.items() <= logged[-1].items()
    shown = capsys.readouterr()
    assert ADVICE["mode_collapse"] in shown.out + shown.err


def test_recovery_is_noticed():
    doctor = Doctor(Recipe(Step, ()))
    for _ in range(PATIENCE):
        doctor.count("checkerboard", "fake", True)
    doctor.count("checkerboard", "fake", None)  # an examination without a measurement changes nothing
    step = Step({}, {})
    assert doctor.examine(step, {}).keys() == {"checkerboard"}
    doctor.count("checkerboard", "fake", False)
    assert doctor.examine(step, {}) == {}


def test_a_copying_rehearsal_before_the_game_is_no_shortcut():
    image = torch.rand(2, 3, 32, 32)
    step = Step({}, {"a": image, "fake": image}, progress=0.4)
    step.made_of = (("a", "fake"),)
    game = Game("d", "a", "fake", LSGAN, during=(0.5, 1.0))
    doctor = Doctor(Recipe(Step, (), (game,)))
    assert not any(doctor.examine(step, {}) for _ in range(2 * PATIENCE))
    step.progress = 0.5
    assert [list(doctor.examine(step, {})) for _ in range(PATIENCE)][-1] == ["identity_shortcut"]


def test_what_is_still_raw_is_not_judged():
    image = torch.rand(2, 3, 32, 32)
    step = Step({}, {"a": image, "fake": -image}, progress=0.2)
    step.made_of = (("a", "fake"),)
    doctor = Doctor(Recipe(Step, ()))
    assert not any(doctor.examine(step, {}) for _ in range(2 * PATIENCE))
    step.progress = 0.3
    assert [list(doctor.examine(step, {})) for _ in range(PATIENCE)][-1] == ["colour_inversion"]


def test_a_strong_wasserstein_critic_is_welcome():
    doctor = Doctor(Recipe(Step, PHASES[1:], (Game("d", "a", "fake", WASSERSTEIN),)))
    step = Step({}, {})
    assert not any(doctor.examine(step, {"discriminator/d": -1e6}) for _ in range(2 * PATIENCE))


def test_collapse_of_single_images_is_seen_over_looks():
    """With one image to a batch, the looks before are what it is compared with."""
    torch.manual_seed(0)
    doctor = Doctor(Recipe(Step, ()))
    found = []
    for _ in range(PATIENCE + 1):
        step = Step({}, {"a": torch.rand(1, 3, 32, 32), "fake": torch.full((1, 3, 32, 32), 0.5)}, progress=0.5)
        step.made_of = (("a", "fake"),)
        found.append(list(doctor.examine(step, {})))
    assert found == [[], [], [], ["mode_collapse"]]


def test_collapse_to_three_pictures_but_not_of_twins_among_the_inputs():
    torch.manual_seed(0)
    many, three = torch.rand(12, 3, 16, 16), torch.rand(3, 3, 16, 16).repeat(4, 1, 1, 1)
    assert collapsed(many, three)
    assert not collapsed(many, many.flip(0))
    assert not collapsed(three, three)
    assert collapsed(many[:1], many[:1]) is None


def test_a_grid_counts_where_the_real_images_have_none():
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(2, 3, 5, 5), size=(48, 40), mode="bicubic")
    grid = smooth.clone()
    grid[..., ::2, ::2] += 0.1
    assert checkerboard(grid, smooth) and checkerboard(grid, None)
    assert not checkerboard(smooth, smooth) and not checkerboard(grid, grid)
    invisible = smooth.clone()
    invisible[..., ::2, ::2] += 0.002
    assert not checkerboard(invisible, smooth)


def test_numbers_that_are_none():
    assert no_number("generator/l1", float("nan")) and no_number("generator/l1", float("inf"))
    assert no_number("generator/gradient_norm", float("nan"))
    assert not no_number("generator/gradient_norm", float("inf"))
