"""What a preset's networks are worth on samples of part "held": the `scorer` of a `Preset`. Lower is better; the first decides.

Samples, noise and random directions are the same at each look, so that the scores of two moments can be compared.

    >>> judge = AgainstTruth(partial(pairs, Pairs(world="ink"), 0, "held"), by_network("g"))
    >>> judge({"g": UNetGenerator()})
    {'color_distance': 0.41}
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, default_collate

from training.data.streams import pairs, unpaired
from training.evaluate.metrics.swd import sliced_wasserstein_distance
from training.evaluate.metrics.truth import color_distance
from training.losses.neighbors import nearest_neighbor_distance
from training.losses.perceptual import content_distance
from training.options import Unpaired
from training.steps.painting import Painting

COUNT = 16  # results that are judged one by one
CROWD = 32  # translations that are judged as a crowd
DRAWN = 128  # pictures from noise
CHUNK = 8  # of them at a time

Nets = dict[str, nn.Module]
Batch = dict[str, Tensor]
Make = Callable[[Nets, Batch], Tensor]  # results (B, 3, H, W) of the networks


def by_network(name: str, of: str = "source", given: str | None = None) -> Make:
    """What the network `name` makes of the entry `of` of a batch, `given` another entry."""
    return lambda nets, batch: nets[name](batch[of], *([batch[given]] if given else []))


@dataclass(frozen=True)
class Held:
    """Samples of a stream, the same at each look. The stream is opened at the first."""

    stream: Callable[[], Dataset]
    count: int
    start: int = 0

    @cached_property
    def samples(self) -> list[Batch]:
        data = self.stream()
        return [data[position] for position in range(self.start, self.start + self.count)]

    def __getitem__(self, name: str) -> Tensor:
        """All entries of a name."""
        return torch.stack([sample[name] for sample in self.samples])

    def batches(self, nets: Nets) -> Iterator[Batch]:
        """On the device of the networks."""
        device = next(next(iter(nets.values())).parameters()).device
        for first in range(0, self.count, CHUNK):
            batch = default_collate(self.samples[first : first + CHUNK])
            yield {name: value.to(device) for name, value in batch.items()}

    @torch.no_grad()
    def made(self, nets: Nets, make: Make) -> Tensor:
        """All results as a pipeline gives them, in [-1, 1], on the CPU."""
        return torch.cat([make(nets, batch).float().clamp(-1, 1).cpu() for batch in self.batches(nets)])


@dataclass(frozen=True)
class AgainstTruth:
    """Mean colour distance of results to the entry `truth`: the true rendering in a computed world, or the target of a pair."""

    held: Held
    make: Make
    truth: str = "target"

    def __call__(self, nets: Nets) -> dict[str, float]:
        return {"color_distance": color_distance(self.held.made(nets, self.make), self.held[self.truth]).mean().item()}


@dataclass(frozen=True)
class AgainstCrowd:
    """Sliced Wasserstein distance, mean over its levels, of results to real pictures: as a crowd, no pair is alike.

    Args:
        held: Samples with the entry `real`, and what `make` needs.
        make: The results.
        real: Entry of the real pictures.
        labels: Entries of the kind of a real picture and of the kind that its result should be. Each kind is then judged for
            itself, or results that stay as they are would look perfect.
    """

    held: Held
    make: Make
    real: str = "real"
    labels: tuple[str, str] | None = None

    def __call__(self, nets: Nets) -> dict[str, float]:
        results, reals = self.held.made(nets, self.make), self.held[self.real]
        if self.labels is None:
            return {"sliced_wasserstein": swd(reals, results)}
        have, want = (self.held[name] for name in self.labels)
        kinds = sorted(set(have.tolist()) & set(want.tolist()))
        return {"sliced_wasserstein": sum(swd(reals[have == kind], results[want == kind]) for kind in kinds) / len(kinds)}


def swd(reals: Tensor, fakes: Tensor) -> float:
    count = min(len(reals), len(fakes))
    levels = sliced_wasserstein_distance(reals[:count], fakes[:count], patches=32, directions=64)
    return sum(levels.values()) / len(levels)


def without_pairs(config: Unpaired, seed: int, make: Callable[[str, str], Make]) -> AgainstTruth | AgainstCrowd:
    """The judge of a translation learned without pairs: by the truth, where the world is computed, else by other pictures of b.

    Args:
        make: Given the entry to translate and the one to look at: the results.
    """
    if config.world is not None:
        return AgainstTruth(Held(partial(pairs, config, seed, "held"), COUNT), make("source", "target"))
    return AgainstCrowd(Held(partial(unpaired, config, seed, "held"), CROWD), make("a", "b"), real="b")


@dataclass(frozen=True)
class WithNoise(Dataset):
    """The samples of `data`, each with a noise vector `z` (z_size,) of its own."""

    data: Dataset
    z_size: int

    def __getitem__(self, position: int) -> Batch:
        own = torch.Generator().manual_seed(position)
        return self.data[position] | {"z": torch.randn(self.z_size, generator=own)}


def from_noise(stream: Callable[[], Dataset], z_size: int, start: int = 0) -> AgainstCrowd:
    """The judge of a network `g` that makes pictures from noise, by the samples {"real"} of a stream."""
    return AgainstCrowd(Held(lambda: WithNoise(stream(), z_size), DRAWN, start), by_network("g", "z"))


@dataclass(frozen=True)
class InTurn(Dataset):
    """A sample of each of the streams in turn, with the number of its stream from `first` on as `label`."""

    streams: tuple[Dataset, ...]
    first: int = 0

    def __getitem__(self, position: int) -> Batch:
        turn, number = divmod(position, len(self.streams))
        return self.streams[number][turn] | {"label": torch.tensor(self.first + number)}


@dataclass(frozen=True)
class Restored:
    """Distance of restored pictures to the pictures: on frozen features, as colours alone prefer blur, and of colours."""

    held: Held
    make: Make
    features: nn.Module
    distance: Callable[[dict[int, Tensor], dict[int, Tensor]], Tensor]

    @torch.no_grad()
    def __call__(self, nets: Nets) -> dict[str, float]:
        seen, colors = [], []
        for batch in self.held.batches(nets):
            result = self.make(nets, batch).float().clamp(-1, 1)
            seen.append(self.distance(self.features(result), self.features(batch["real"])))
            colors.append(color_distance(result, batch["real"]).mean())
        return {"feature_distance": torch.stack(seen).mean().item(), "color_distance": torch.stack(colors).mean().item()}


@dataclass(frozen=True)
class Painted:
    """Painted photos: nearest-neighbour distance to the painting whose style they take, and content distance to the photo.

    The sum that decides weighs them as the training does.
    """

    held: Held
    features: nn.Module
    style: float
    content: float
    step: type[Painting] = Painting
    frozen: Nets = field(default_factory=dict)

    @torch.no_grad()
    def __call__(self, nets: Nets) -> dict[str, float]:
        styles, contents = [], []
        for batch in self.held.batches(nets):
            step = self.step(nets | self.frozen | {"features": self.features}, batch)
            seen = self.features(step.full)
            styles.append(nearest_neighbor_distance(seen, step.painting_style))
            contents.append(content_distance(seen, step.content))
        style, content = (torch.stack(values).mean().item() for values in (styles, contents))
        both = (self.style * style + self.content * content) / (self.style + self.content)
        return {"style_and_content": both, "neighbor_distance": style, "content_distance": content}
