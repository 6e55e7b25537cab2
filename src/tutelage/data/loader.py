"""Batches as a function of the seed and the step: a loader has no state, so a resumed run gets the same batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from tutelage.data.examples import Examples, numbers_of
from tutelage.data.groups import Groups
from tutelage.data.heard import Heard
from tutelage.data.shuffle import Shuffle
from tutelage.types import Batch, Views

SHUFFLED_IN_MEMORY = 2**22
"""Numbers, at most, whose shuffle is held in memory, 8 bytes each; that of more is computed batch by batch."""


class Stream:
    """An endless sequence of shuffles of ``range(size)``, cut into batches by step.

    A shuffle of up to SHUFFLED_IN_MEMORY numbers is a permutation in memory, that of more is a `Shuffle`.

    Args:
        size: number of numbers to draw from.
        batch: number of numbers in a batch, at most ``size``.
        seed: one or more whole numbers.
        weights: how often each number is drawn beside the others, (size,), above 0: a shuffle of as many draws then
            holds a number about ``size * weight / sum of weights`` times. None: each number is in each shuffle once.

    >>> stream = Stream(3, 2, 0)
    >>> sorted([*stream.at(0).tolist(), *stream.at(1)[:1].tolist()])
    [0, 1, 2]
    """

    def __init__(self, size: int, batch: int, *seed: int, weights: np.ndarray | None = None) -> None:
        self.size, self.batch, self.seed, self.weights = size, batch, seed, weights
        self._epochs: dict[int, np.ndarray | Shuffle] = {}
        self._deal: Callable[[int, tuple[int, ...]], np.ndarray | Shuffle] = Shuffle
        if weights is not None:
            self._deal = lambda size, seed: _drawn(np.random.default_rng(seed), weights)
        elif size <= SHUFFLED_IN_MEMORY:
            self._deal = lambda size, seed: np.random.default_rng(seed).permutation(size)

    def _epoch(self, number: int) -> np.ndarray | Shuffle:
        if number not in self._epochs:
            if len(self._epochs) > 1:
                del self._epochs[min(self._epochs)]
            self._epochs[number] = self._deal(self.size, (self.seed[0], number, *self.seed[1:]))
        return self._epochs[number]

    def at(self, step: int) -> np.ndarray:
        """Numbers of batch ``step``, (batch,), steps counted from 0; empty where there is nothing to draw from."""
        parts, start, left = [np.arange(0)], step * self.batch, self.batch
        while left:
            epoch, offset = divmod(start, self.size)
            parts.append(self._epoch(epoch)[offset : offset + left])
            start, left = start + len(parts[-1]), left - len(parts[-1])
        return np.concatenate(parts)


def _drawn(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """Numbers by their weights, shuffled, see `systematic`."""
    return rng.permutation(systematic(weights, rng.random()))


def systematic(weights: np.ndarray, start: float) -> np.ndarray:
    """As many numbers as there are weights, (n,), ascending, each about as often as its weight says.

    The places (start + k) / n, k = 0 .. n - 1, are looked up among the sums of the weights, so that a number is there
    floor(w) or ceil(w) times, w = n * weight / sum of weights; on average, over all starts, w times.

    Args:
        weights: weights of the numbers, (n,), above 0.
        start: where the first place lies, in [0, 1).

    Source: systematic sampling, Madow, Annals of Mathematical Statistics 20, 1949.

    >>> systematic(np.array([1.0, 0.5, 2.5, 4.0]), 0.5).tolist()
    [1, 2, 3, 3]
    """
    n = len(weights)
    sums = np.cumsum(weights) / weights.sum()
    found: np.ndarray = np.searchsorted(sums, (start + np.arange(n)) / n, side="right").clip(max=n - 1)
    return found


@dataclass
class Loader:
    """Draws labelled and unlabelled batches.

    Args:
        labelled: labelled examples; may be empty.
        target: targets of the units of the labelled examples: class numbers, (units,), or probabilities, (units, c).
        unlabelled: examples of the pool; may be empty.
        batch_labelled, batch_unlabelled: number of labelled and of unlabelled examples in a step; fewer where there are
            fewer.
        seed: seed of the draws, at least 0.
        strong: strong views of the pool's examples, taken in turn, one a step.
        reserve: share of the labelled examples that is held back as ``Batch.reserved``, in [0, 1).
        said: probabilities of the pool's units by a teacher that was brought, (units, c), for methods that learn from
            it; rows of NaN where it is silent. None: there is no such teacher.
        heard: what such teachers said beyond that table; None: nothing is known.
        groups: which labelled examples are copies of one item; an item is drawn as one, and then one of its copies by
            their shares, an item that counts more as much more often. None: each example is an item.

    Raises:
        ValueError: there is a reserve, but fewer than two labelled examples.
    """

    labelled: Examples
    target: Tensor
    unlabelled: Examples
    batch_labelled: int = 128
    batch_unlabelled: int = 256
    seed: int = 0
    strong: Sequence[Examples] = ()
    reserve: float = field(default=0.0, kw_only=True)
    said: Tensor | None = field(default=None, kw_only=True)
    heard: Heard | None = field(default=None, kw_only=True)
    groups: Groups | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        n, pool = len(self.labelled) if self.groups is None else self.groups.items, len(self.unlabelled)
        if self.reserve:
            self._learnt, self._reserved = self._apart()
            n = len(self._learnt)
        weights = None if self.groups is None else self.groups.importance
        weights = weights[self._learnt] if weights is not None and self.reserve else weights
        self._labelled = Stream(n, min(self.batch_labelled, n), 2 * self.seed, weights=weights)
        self._unlabelled = Stream(pool, min(self.batch_unlabelled, pool), 2 * self.seed + 1)

    def batch(self, step: int, progress: float, with_pool: bool = True) -> Batch:
        """The batch of a step, counted from 0. Without ``with_pool`` its unlabelled part is empty."""
        i, j = self._numbers(step), self._unlabelled.at(step) if with_pool else np.arange(0)
        labelled = {"weak": self.labelled.take(i)} if len(i) else {}
        pool = {"weak": self.unlabelled.take(j)} if len(j) else {}
        if len(j) and self.strong:
            pool["strong"] = self.strong[step % len(self.strong)].take(j)
        units, of_pool = self._tensor(self.labelled.units(i)), self._tensor(self.unlabelled.units(j))
        made = Batch(Views(labelled, units), self.target[units], Views(pool, of_pool), progress)
        return self._with_reserve(made, step) if self.reserve else made

    def _with_reserve(self, batch: Batch, step: int) -> Batch:
        i = self._reserved_numbers(step)
        units = self._tensor(self.labelled.units(i))
        views = Views({"weak": self.labelled.take(i)}, units)
        return replace(batch, reserved=views, reserved_target=self.target[units])

    def _numbers(self, step: int) -> np.ndarray:
        i = self._learnt[self._labelled.at(step)] if self.reserve else self._labelled.at(step)
        return i if self.groups is None else self.groups.drawn(i, 2 * self.seed, step, 3)

    def _reserved_numbers(self, step: int) -> np.ndarray:
        if not self.reserve:
            return np.arange(0)
        count = len(self._reserved)
        i = self._reserved[Stream(count, min(self.batch_labelled, count), 2 * self.seed, 1).at(step)]
        return i if self.groups is None else self.groups.drawn(i, 2 * self.seed, step, 4)

    def parts(self, whole: Batch, step: int, count: int) -> list[Batch]:
        """The batch of a step in parts, each of which has labelled and unlabelled examples if the batch has.

        Args:
            whole: the batch.
            step: its step.
            count: number of parts, at most; there are fewer where the batch has fewer examples of either kind.

        >>> from tutelage.data import Features
        >>> loader = Loader(Features(torch.eye(3)), torch.arange(3), Features(torch.eye(5)), 3, 4)
        >>> [(len(part.labelled), len(part.unlabelled)) for part in loader.parts(loader.batch(0, 0.0), 0, 2)]
        [(2, 2), (1, 2)]
        """
        strong = self.strong[step % len(self.strong)] if self.strong else None
        found = []
        for i, j in self._pieces(whole, count):
            labelled = {"weak": self.labelled.take(i)} if len(i) else {}
            pool = {"weak": self.unlabelled.take(j)} if len(j) else {}
            pool |= {"strong": strong.take(j)} if len(j) and strong is not None else {}
            units, of_pool = self._tensor(self.labelled.units(i)), self._tensor(self.unlabelled.units(j))
            found.append(Batch(Views(labelled, units), self.target[units], Views(pool, of_pool), whole.progress))
        return found

    def _pieces(self, whole: Batch, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Numbers of the labelled examples and of the pool's in each part of a batch."""
        i = numbers_of(self.labelled, whole.labelled.index.cpu().numpy())
        j = numbers_of(self.unlabelled, whole.unlabelled.index.cpu().numpy())
        parts = min([count, *(len(index) for index in (i, j) if len(index))])
        return list(zip(np.array_split(i, parts), np.array_split(j, parts), strict=True))

    def reserving(self, share: float) -> Self:
        """A loader that holds back this share of the labelled examples; the loader itself for 0."""
        return replace(self, reserve=share) if share else self

    def one_each(self) -> tuple[Examples, Tensor]:
        """The labelled examples, one of each item, and the targets of their units; see `Groups.first`."""
        if self.groups is None or not self.groups.shared:
            return self.labelled, self.target
        index = self.groups.first(self._class_of_each)
        return self.labelled.subset(index), self.target[self._tensor(self.labelled.units(index))]

    @property
    def _class_of_each(self) -> np.ndarray | None:
        """Class number of each labelled example, (n,); None where an example has several units."""
        if len(self.target) != len(self.labelled):
            return None
        found: np.ndarray = (self.target.argmax(1) if self.target.is_floating_point() else self.target).cpu().numpy()
        return found

    def _apart(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the labelled items that are learnt, and of those held back, whose class shares are alike."""
        n, target = len(self.labelled) if self.groups is None else self.groups.items, self._class_of_each
        if n < 2:
            raise ValueError(f"a reserve needs at least 2 labelled examples, got {n}")
        order = np.random.default_rng((2 * self.seed, 0, 2)).permutation(n)
        if target is not None:  # an example is a unit: by class, so that each gives its share
            target = target if self.groups is None else target[self.groups.first(target)]
            order = order[target[order].argsort(kind="stable")]
        count = min(max(round(self.reserve * n), 1), n - 1)
        reserved = order[((np.arange(count) + 0.5) * n / count).astype(np.int64)]
        return np.setdiff1d(np.arange(n), reserved), np.sort(reserved)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of examples that a batch has: labelled ones, those of the pool, and those held back."""
        reserved = min(self.batch_labelled, len(self._reserved)) if self.reserve else 0
        return self._labelled.batch, self._unlabelled.batch, reserved

    @property
    def pool_units(self) -> int:
        """Number of units of the pool."""
        return int(self.unlabelled.counts().sum())

    def _tensor(self, index: np.ndarray) -> Tensor:
        return torch.as_tensor(index, device=self.target.device)


def batches(
    loaders: Sequence[Loader], step: int, progress: float, with_pool: bool = True,
    views: Sequence[str] = ("weak", "strong"),
) -> Batch:  # fmt: skip
    """The batches of several loaders as one, whose tensors have a dimension more before theirs: the loaders' number.

    Args:
        loaders: loaders of `Features` whose batches have equal shapes, and whose pools are the same examples.
        step, progress, with_pool: as of `Loader.batch`.
        views: names of the views of the pool that are wanted.

    >>> from tutelage.data import Features
    >>> one = Loader(Features(torch.eye(2)), torch.arange(2), Features(torch.eye(3)), 2, 2)
    >>> batches([one, one], 0, 0.0).unlabelled["weak"].shape
    torch.Size([2, 2, 3])
    """
    first = loaders[0]
    labelled, target = _labelled(loaders, [loader._numbers(step) for loader in loaders])
    reserved, reserved_target = _labelled(loaders, [loader._reserved_numbers(step) for loader in loaders])
    j = torch.as_tensor(np.stack([loader._unlabelled.at(step) if with_pool else np.arange(0) for loader in loaders]))
    pool = {"weak": first.unlabelled} if j.numel() else {}
    if j.numel() and first.strong and "strong" in views:
        pool["strong"] = first.strong[step % len(first.strong)]
    at = {name: _rows(examples).index_select(0, j.flatten()) for name, examples in pool.items()}
    at = {name: t.view(*j.shape, *t.shape[1:]) for name, t in at.items()}
    return Batch(labelled, target, Views(at, j), progress, reserved, reserved_target)


def _labelled(loaders: Sequence[Loader], numbers: Sequence[np.ndarray]) -> tuple[Views, Tensor]:
    """The labelled examples of these numbers by each loader, and their targets, stacked."""
    index = torch.as_tensor(np.stack(numbers))
    target = _selected([loader.target for loader in loaders], index)
    rows = {"weak": _selected([_rows(loader.labelled) for loader in loaders], index)} if index.numel() else {}
    return Views(rows, index), target


def _selected(tensors: Sequence[Tensor], index: Tensor) -> Tensor:
    """Rows (k, n, ...) of each of k tensors by an index, (k, n)."""
    found = tensors[0].new_empty(*index.shape, *tensors[0].shape[1:])
    for rows, i, out in zip(tensors, index, found, strict=True):
        torch.index_select(rows, 0, i, out=out)
    return found


def _rows(examples: Examples) -> Tensor:
    rows: object = getattr(examples, "rows", None)
    if not isinstance(rows, Tensor):
        raise TypeError(f"only rows of features can be stacked, got {type(examples).__name__}")
    return rows
