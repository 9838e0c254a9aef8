"""A recipe: the phases, adversarial games and weighted terms of a training, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from training.engine.pool import ImagePool
from training.losses.adversarial import Adversarial, mean_output
from training.losses.lipschitz import Lipschitz, between, slopes

WHOLE = (0.0, 1.0)  # of the training
UNBOUNDED = Lipschitz()


@dataclass(frozen=True)
class Term:
    """A weighted loss: `loss` is called with what the step holds under the names in `on`, `during` a part of the training."""

    name: str
    loss: Callable[..., Tensor]
    on: tuple[str, ...]
    weight: float = 1.0
    phase: str = "generator"
    during: tuple[float, float] = WHOLE


@dataclass(frozen=True)
class Game:
    """`discriminator` tells the step's `real` from its `fake`, with `given` (labels, say) beside the image.

    Args:
        given: Name of what the discriminator gets beside the image: labels, say.
        emphasis: Name of a (B,) tensor that weighs each fake, on both sides of the game.
        lipschitz: What keeps the discriminator smooth.
        pool: Show it earlier fakes too, out of this many (Shrivastava et al. 2017, sec. 2.3); 0 for the new alone.
        augment: Differentiable augmentation of what the discriminator gets, in both phases (Zhao et al. 2020, DiffAugment).
        during: Part of the training in which it is played.
    """

    discriminator: str
    real: str
    fake: str
    loss: Adversarial
    given: str | None = None
    weight: float = 1.0
    emphasis: str | None = None
    lipschitz: Lipschitz = UNBOUNDED
    pool: int = 0
    augment: Callable[[Tensor], Tensor] | None = None
    during: tuple[float, float] = WHOLE


@dataclass(frozen=True)
class Phase:
    """The networks in `players` are trained together, every `every` updates, on the losses of this phase."""

    name: str
    players: tuple[str, ...]
    every: int = 1


class Step:
    """What exists in one training step: the entries of the batch, and one cached property for each image made from them.

    Args:
        nets: The networks by name.
        batch: Tensors by name.
        progress: Part of the training that is done, 0..1.
        pools: Earlier fakes by discriminator, for the games that show them.
    """

    gallery: tuple[str, ...] = ()  # images that a sample grid shows, left to right
    # (input, output) of each generator, for the doctor: ("photo", "fake"), ("z", "fake")
    made_of: tuple[tuple[str, str], ...] = ()

    def __init__(
        self, nets: dict, batch: dict[str, Tensor], progress: float = 0.0, pools: Mapping[str, ImagePool] = MappingProxyType({})
    ):
        self.nets, self.batch, self.progress, self.pools = nets, batch, progress, pools
        self.phase = None
        self.outputs: dict[tuple, list[Tensor]] = {}

    def __getitem__(self, name: str):
        if name in self.batch:
            return self.batch[name]
        if not name.startswith("_") and hasattr(type(self), name):
            return getattr(self, name)
        raise KeyError(f"{type(self).__name__} has no {name!r}; the batch holds {', '.join(self.batch)}")

    def enter(self, phase: Phase) -> None:
        self.phase = phase
        self.outputs.clear()

    def outputs_on(self, game: Game, name: str) -> list[Tensor]:
        """The discriminator's outputs on the image (or its features) `name`, kept for this phase; detached while it trains."""
        if (game.discriminator, name) not in self.outputs:
            image = self[name]
            if game.discriminator in self.phase.players:
                image = tree_map(Tensor.detach, image)
                if game.pool and name == game.fake:
                    image = self.pools[game.discriminator](image)
            if game.augment is not None:
                image = game.augment(image)
            self.outputs[game.discriminator, name] = self.nets[game.discriminator](image, *self.given(game))
        return self.outputs[game.discriminator, name]

    def given(self, game: Game) -> tuple:
        return (self[game.given],) if game.given else ()


@dataclass(frozen=True)
class Recipe:
    step: Callable[..., Step]  # a class of steps, or partial(Class, number=...)
    phases: tuple[Phase, ...]
    games: tuple[Game, ...] = ()
    terms: tuple[Term, ...] = ()

    def losses(self, step: Step, phase: Phase, update: int = 0) -> dict[str, Tensor]:
        """The weighted losses of a phase by name; their sum is what the players minimise."""
        step.enter(phase)
        losses = {
            term.name: term.weight * term.loss(*(step[name] for name in term.on))
            for term in self.terms
            if term.phase == phase.name and within(step.progress, term.during)
        }
        for game in self.games:
            if not within(step.progress, game.during):
                continue
            if game.discriminator in phase.players:
                losses |= self.discriminator_losses(step, game, update)
            elif phase.name == "generator":
                losses[f"fool_{game.discriminator}"] = game.weight * self.play(step, game, game.loss.generator, game.loss.paired)
        return losses

    def discriminator_losses(self, step: Step, game: Game, update: int) -> dict[str, Tensor]:
        losses = {game.discriminator: self.play(step, game, game.loss.discriminator, real=True)}
        if update % game.lipschitz.every == 0:
            penalty = game.lipschitz.penalty(self.discriminator_of(step, game), step[game.real], step[game.fake])
            if penalty is not None:
                losses[f"{game.discriminator}_penalty"] = penalty
        return losses

    def discriminator_of(self, step: Step, game: Game) -> Callable[[Tensor], list[Tensor]]:
        """The discriminator of a game as a function of the image alone, as it sees it in training."""

        def discriminate(image: Tensor) -> list[Tensor]:
            seen = image if game.augment is None else game.augment(image)
            net = step.nets[game.discriminator]
            # the bare forward: a prepared one computes in bf16, and a compiled one has no second derivative
            return type(net).forward(net, seen, *step.given(game))

        return discriminate

    def slopes(self, step: Step) -> dict[str, Tensor]:
        """Mean slope of each discriminator of images at points between real and fake: what a Lipschitz method should bound."""
        measured = {}
        for game in (game for game in self.games if within(step.progress, game.during)):
            real, fake = step[game.real], step[game.fake]
            if isinstance(real, Tensor) and real.shape == fake.shape:
                measured[f"{game.discriminator}/slope"] = slopes(self.discriminator_of(step, game), between(real, fake)).mean()
        return measured

    def play(self, step: Step, game: Game, side: Callable, real: bool) -> Tensor:
        fakes = step.outputs_on(game, game.fake)
        reals = step.outputs_on(game, game.real) if real else [None] * len(fakes)
        value = mean_output([side(a, b) for a, b in zip(reals, fakes, strict=True)])
        return (value * step[game.emphasis]).mean() if game.emphasis else value.mean()

    def check(self, nets: dict, batch: dict[str, Tensor]) -> None:
        """Compute every loss once, so that a misspelt name fails before the first update, and in words."""
        phases = {phase.name for phase in self.phases}
        for term in self.terms:
            if term.phase not in phases:
                raise ValueError(f"term {term.name!r} belongs to phase {term.phase!r}, but the recipe has {', '.join(phases)}")
        players = [name for phase in self.phases for name in phase.players]
        for name in players + [game.discriminator for game in self.games]:
            if name not in nets:
                raise ValueError(f"the recipe trains {name!r}, but the networks are {', '.join(nets)}")
        for game in self.games:
            if game.discriminator not in players:
                raise ValueError(f"no phase trains the discriminator {game.discriminator!r}")
        # every part of the training once: the start of each term and game
        for progress in sorted({part.during[0] for part in (*self.terms, *self.games)}):
            step = self.step(nets, batch, progress, self.make_pools())
            for phase in self.phases:
                for name, loss in self.losses(step, phase).items():
                    if loss.ndim or not torch.isfinite(loss):
                        raise ValueError(f"loss {name!r} of phase {phase.name!r} must be one finite number, got {loss}")

    def make_pools(self) -> dict[str, ImagePool]:
        return {game.discriminator: ImagePool(game.pool) for game in self.games if game.pool}


def within(progress: float, during: tuple[float, float]) -> bool:
    """Whether `progress` lies in a part of the training; the end belongs to it only at 1."""
    return during[0] <= progress < during[1] or progress >= 1 == during[1]
