"""A client of a federation: rows that stay at their place, the training on them, and all that leaves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Features, Loader
from tutelage.fit.build import DROPOUT, HIDDEN
from tutelage.fit.fit import without_pool
from tutelage.methods import Method
from tutelage.modalities.head import Head
from tutelage.tasks import Task
from tutelage.train import Training, train
from tutelage.types import Labels, Params


@dataclass(frozen=True)
class Moments:
    """What a client tells of its features before the first round, so that all clients standardise them alike.

    Attributes:
        rows: number of rows.
        mean: mean of each feature, (d,), float64.
        spread: sum of squared deviations from that mean, (d,), float64.
    """

    rows: int
    mean: Tensor
    spread: Tensor

    @staticmethod
    def of(rows: Tensor) -> Moments:
        """Moments of rows of features, (n, d)."""
        rows = rows.double().cpu()
        mean = rows.mean(0)
        return Moments(len(rows), mean, (rows - mean).square().sum(0))


@dataclass(frozen=True)
class Update:
    """What a client sends to the server after its training in a round; no row of its own is in it.

    Attributes:
        name: name of the client.
        weights: the network's tensors, by name.
        rows: number of rows that it learnt from.
        numbers: losses, and the share of the pool whose pseudo-labels counted, by name.
    """

    name: str
    weights: Params
    rows: int
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class Client:
    """A client: its rows, as features, and the training on them.

    Args:
        name: name of the client; no two of a federation have the same.
        task: what is answered of each row.
        labelled: features of the rows with a label; may be empty.
        target: their class numbers, (n,).
        pool: features of the rows without a label; may be empty.
        strong: disturbed copies of the pool, for methods that read a strong view.
        batch_labelled, batch_unlabelled: rows of each in a step.
    """

    name: str
    task: Task
    labelled: Features
    target: Labels
    pool: Features
    strong: Sequence[Features] = ()
    batch_labelled: int = 64
    batch_unlabelled: int = 128

    def rows(self, method: Method) -> int:
        """Number of rows that a method learns from: those with a label, and the others where it uses the pool."""
        return len(self.labelled) + len(self.pool) * without_pool(method, self.pool).uses_pool

    def moments(self) -> Moments:
        """Moments of the features of all rows."""
        return Moments.of(torch.cat([self.labelled.rows, self.pool.rows]))

    def trained(self, network: nn.Module, method: Method, training: Training) -> Update:
        """Train from the weights of a network on the client's own rows.

        Args:
            network: the global model, left as it is.
            method: the method; a client without unlabelled rows learns its labels alone.
            training: of this client in this round, with a seed of its own.
        """
        learns = without_pool(method, self.pool)
        assert isinstance(learns, Method)
        loader = Loader(
            self.labelled,
            self.target,
            self.pool,
            self.batch_labelled,
            self.batch_unlabelled,
            training.seed,
            self.strong,
        )
        run = train(learns, self.task, network, loader, replace(training, records=1))
        numbers = {name: n for name, n in run.history[-1].items() if name not in ("step", "round")}
        return Update(self.name, run.seats["student"].module.state_dict(), self.rows(method), numbers)

    def with_labels(self, index: np.ndarray) -> Client:
        """The same client with some of its labelled rows alone, by their numbers."""
        return replace(self, labelled=self.labelled.subset(index), target=self.target[torch.as_tensor(index)])


def beginning(moments: Sequence[Moments], classes: int, per_feature: bool, seed: int) -> Head:
    """The network that the first round begins with: random weights, standardised by the features of all clients.

    The clients' moments give those of all rows together, see `pooled`.

    Args:
        moments: of each client, in the order of their names.
        classes: number of classes.
        per_feature: whether each feature has its own scale, and is silenced where it never changes; else one serves
            all.
        seed: seed of the random weights.
    """
    all_rows = pooled(moments)
    head = head_of(len(all_rows.mean), classes, seed)
    variance = all_rows.spread / all_rows.rows
    scale = (variance if per_feature else variance.mean().expand_as(variance)).sqrt()
    size = all_rows.mean.abs()
    still = scale <= 1e-6 * (size if per_feature else size.max().expand_as(size)).clamp(max=1)
    head.mean.copy_(all_rows.mean)
    head.scale.copy_(torch.where(still, torch.ones_like(scale), scale))
    return head.silence(still) if per_feature else head


def head_of(features: int, classes: int, seed: int) -> Head:
    """A head with random weights, of the shape that a fit gives a head on a frozen encoder's features.

    Args:
        features: number of features.
        classes: number of classes.
        seed: seed of the weights; torch's own random state is left alone.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Head(features, classes, HIDDEN, DROPOUT)


def pooled(moments: Sequence[Moments]) -> Moments:
    """Moments of the rows of all clients together.

    Source: Chan, Golub and LeVeque, The American Statistician 37, 1983.

    >>> x = torch.tensor([[1.0], [2.0], [6.0]], dtype=torch.float64)
    >>> parts = [Moments(2, x[:2].mean(0), torch.tensor([0.5])), Moments(1, x[2], torch.tensor([0.0]))]
    >>> pooled(parts).mean.item(), pooled(parts).spread.item()
    (3.0, 14.0)
    """
    rows = sum(m.rows for m in moments)
    mean = torch.stack([m.mean * (m.rows / rows) for m in moments]).sum(0)
    spread = torch.stack([m.spread + m.rows * (m.mean - mean).square() for m in moments]).sum(0)
    return Moments(rows, mean, spread)
