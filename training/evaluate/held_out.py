"""What a preset's networks are worth on samples of part "held": the `scorer` of a `Preset`. Lower is better; the first decides.

Samples, noise and random directions are the same at each look, so that the scores of two moments can be compared.

    >>> scorer = AgainstTruth(partial(pairs, Pairs(world="ink"), 0, "held"), by_network("g"))
    >>> scorer({"g": UNetGenerator()})
    {'color_distance': 0.41}
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, default_collate

from training.data.streams import pairs, unpaired
from training.evaluate.metrics.swd import sliced_wasserstein
from training.evaluate.metrics.truth import color_distance
from training.options import Unpaired

COUNT = 16  # results that are scored one by one
CROWD = 32  # translations that are scored as a crowd
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
    def mean(self, nets: Nets, measure: Callable[[Batch], dict[str, Tensor]]) -> dict[str, float]:
        """Mean over the samples of what `measure` finds of a batch, values (B,) or their mean."""
        totals: dict[str, Tensor] = {}
        for first, batch in zip(range(0, self.count, CHUNK), self.batches(nets), strict=True):
            for name, value in measure(batch).items():
                totals[name] = totals.get(name, 0) + value.mean() * min(CHUNK, self.count - first)
        return {name: (total / self.count).item() for name, total in totals.items()}

    @torch.no_grad()
    def made(self, nets: Nets, make: Make) -> Tensor:
        """All results as a pipeline gives them, in [-1, 1], on the CPU."""
        return torch.cat([make(nets, batch).float().clamp(-1, 1).cpu() for batch in self.batches(nets)])


@dataclass(frozen=True)
class AgainstTruth:
    """Mean distances of results to the entry `truth`: the true rendering in a computed world, or the target of a pair.

    Args:
        held: Samples with the entry `truth`, and what `make` needs.
        make: The results.
        distances: By the name of the score, from results and truths (B, 3, H, W) to values (B,) or their mean.
    """

    held: Held
    make: Make
    truth: str = "target"
    distances: dict[str, Callable[[Tensor, Tensor], Tensor]] = field(default_factory=lambda: {"color_distance": color_distance})

    def __call__(self, nets: Nets) -> dict[str, float]:
        def measure(batch: Batch) -> dict[str, Tensor]:
            result = self.make(nets, batch).float().clamp(-1, 1)
            return {name: distance(result, batch[self.truth]) for name, distance in self.distances.items()}

        return self.held.mean(nets, measure)


@dataclass(frozen=True)
class AgainstCrowd:
    """Sliced Wasserstein distance, mean over its levels, of results to real pictures: as a crowd, no pair is alike.

    Args:
        held: Samples with the entry `real`, and what `make` needs.
        make: The results.
        real: Entry of the real pictures.
        labels: Entries of the kind of a real picture and of the kind that its result should be. Each kind is then scored for
            itself, or results that stay as they are would look perfect.
        patches, directions: Of `sliced_wasserstein_distance`.
    """

    held: Held
    make: Make
    real: str = "real"
    labels: tuple[str, str] | None = None
    patches: int = 32
    directions: int = 64

    def __call__(self, nets: Nets) -> dict[str, float]:
        results, reals = self.held.made(nets, self.make), self.held[self.real]
        have, want = (self.held[name] for name in self.labels) if self.labels else torch.zeros(2, len(reals))
        kinds = sorted({*have.tolist()} & {*want.tolist()})
        swd = partial(sliced_wasserstein, patches=self.patches, directions=self.directions)
        return {"sliced_wasserstein": sum(swd(reals[have == kind], results[want == kind]) for kind in kinds) / len(kinds)}


def without_pairs(config: Unpaired, seed: int, make: Callable[[str, str], Make]) -> AgainstTruth | AgainstCrowd:
    """The scorer of a translation learned without pairs: by the truth, where the world is computed, else by other pictures of b.

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
    """The scorer of a network `g` that makes pictures from noise, by the samples {"real"} of a stream."""
    return AgainstCrowd(Held(lambda: WithNoise(stream(), z_size), DRAWN, start), by_network("g", "z"))
