"""A linear probe: multinomial logistic regression on frozen statistics."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)  # from strong to weak: each fit starts from the one before


@dataclass(frozen=True)
class LinearProbe:
    """Which class a picture belongs to, from a row of its statistics.

    Example:
        `LinearProbe.fit({"photo": torch.randn(50, 4), "monet": torch.randn(50, 4) + 1}).probabilities(torch.zeros(1, 4))`
    """

    classes: tuple[str, ...]
    mean: Tensor  # (D,)
    deviation: Tensor  # (D,)
    weight: Tensor  # (D + 1, C), the last row is the bias
    penalty: float
    recall: dict[str, float]  # of each class, cross validated on the examples

    @classmethod
    def fit(cls, examples: dict[str, Tensor], penalties: tuple[float, ...] = PENALTIES, folds: int = 5) -> "LinearProbe":
        """Fit to rows (N, D) of each class; the L2 penalty is the best of `penalties` by cross-validated log loss.

        All classes weigh the same, however many examples they have, in the fit and in the choice of the penalty.
        """
        rows = torch.cat(list(examples.values())).double()
        labels = torch.cat([torch.full((len(part),), index) for index, part in enumerate(examples.values())])
        # fold k holds every k-th example of each class out
        fold = torch.cat([torch.arange(len(part)) % folds for part in examples.values()])
        fewest = min(examples, key=lambda name: len(examples[name]))
        if len(examples[fewest]) < folds:
            raise ValueError(f"every class needs at least {folds} examples, but {fewest!r} has {len(examples[fewest])}")
        parts = []
        for k in range(folds):
            mean, deviation = standardisation(rows[fold != k])
            parts.append((fold == k, with_ones((rows - mean) / deviation)))
        balance = balanced(labels)
        weights, lowest, right, best = [None] * folds, float("inf"), None, None
        for penalty in penalties:
            log_probability = torch.zeros(len(rows), len(examples), dtype=torch.float64)
            for k, (held, x) in enumerate(parts):
                weights[k] = regress(x[~held], labels[~held], len(examples), penalty, weights[k])
                log_probability[held] = (x[held] @ weights[k]).log_softmax(dim=1)
            loss = float(balance @ F.nll_loss(log_probability, labels, reduction="none"))
            if loss > lowest:
                break  # weaker penalties overfit more, and cost the most
            lowest, best, right = loss, penalty, log_probability.argmax(dim=1) == labels
        recall = {name: float(right[labels == index].double().mean()) for index, name in enumerate(examples)}
        mean, deviation = standardisation(rows)
        weight = regress(with_ones((rows - mean) / deviation), labels, len(examples), best)
        return cls(tuple(examples), mean, deviation, weight, best, recall)

    def probabilities(self, rows: Tensor) -> Tensor:
        """Probability of each class, (N, C), for rows (N, D)."""
        return (with_ones((rows.double() - self.mean) / self.deviation) @ self.weight).softmax(dim=1)

    def taken_for(self, rows: Tensor, name: str) -> Tensor:
        """Whether each row is assigned to the class `name`, (N,)."""
        return self.probabilities(rows).argmax(dim=1) == self.classes.index(name)


def regress(x: Tensor, labels: Tensor, classes: int, penalty: float, start: Tensor | None = None) -> Tensor:
    """Weights (D, C) with the least class-balanced cross entropy + penalty / 2 * ||W||^2, the bias left free."""
    weight = torch.zeros(x.shape[1], classes, dtype=x.dtype) if start is None else start.clone()
    weight.requires_grad_()
    balance = balanced(labels)
    optimizer = torch.optim.LBFGS(
        [weight], max_iter=300, tolerance_grad=1e-5, tolerance_change=1e-8, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = balance @ F.cross_entropy(x @ weight, labels, reduction="none") + penalty / 2 * weight[:-1].square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weight.detach()


def balanced(labels: Tensor) -> Tensor:
    """A weight for each example; those of a class sum to 1 / number of classes."""
    counts = labels.bincount().double()
    return 1 / (counts[labels] * len(counts))


def standardisation(rows: Tensor) -> tuple[Tensor, Tensor]:
    deviation, mean = torch.std_mean(rows, dim=0)
    return mean, deviation.clamp_min(1e-6)


def with_ones(x: Tensor) -> Tensor:
    return torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype)], dim=1)
