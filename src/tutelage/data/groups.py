"""Groups of labelled examples: copies of one item, which share a vote, and items that belong together."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


@dataclass(frozen=True, eq=False)
class Groups:
    """Which labelled examples are copies of one item, and which items belong together, such as those of an author.

    An item has one vote, which its copies share; a user may say how much each vote counts. Items of a cluster lie in
    one fold.

    Attributes:
        item: number of the item that each of n examples is a copy of, (n,), from 0.
        times: number of equal examples of equal labels that each example stands for, (n,), at least 1.
        cluster: number of the cluster of each item, (items,), from 0.
        called: word for a cluster, such as "author"; empty where clusters are made of copies alone.
        importance: how much each item's vote counts, (items,), above 0, with mean 1; None counts all alike.

    >>> two = Groups.of(np.array([7, 3, 7]), times=np.array([3, 1, 1]))
    >>> two.item.tolist(), two.weight.tolist(), two.mean(np.array([1.0, 0.0, 0.0])).tolist()
    ([0, 1, 0], [0.75, 1.0, 0.25], [0.75, 0.0])
    """

    item: np.ndarray
    times: np.ndarray
    cluster: np.ndarray
    called: str = field(default="", kw_only=True)
    importance: np.ndarray | None = field(default=None, kw_only=True)

    @staticmethod
    def of(
        item: np.ndarray, times: np.ndarray | None = None, cluster: np.ndarray | None = None, called: str = "",
        weight: np.ndarray | None = None,
    ) -> Groups:  # fmt: skip
        """Groups whose items and clusters are numbered by their first examples.

        Args:
            item: any number for the item of each example, (n,).
            times: number of equal examples that each stands for, (n,); None: each stands for itself.
            cluster: any number for the cluster of each example, (n,), the same for all examples of an item; None: each
                item is a cluster of its own.
            called: word for a cluster.
            weight: how much each example counts, (n,), above 0; an item counts as its examples do on average. None
                counts all items alike.
        """
        numbers, first = _numbered(item)
        times = np.ones(len(item), dtype=np.int64) if times is None else times
        clusters = np.arange(len(first)) if cluster is None else _numbered(cluster[first])[0]
        importance = None if weight is None else np.bincount(numbers, times * weight) / np.bincount(numbers, times)
        if importance is not None:
            importance = None if (importance == importance[:1]).all() else importance / importance.mean()
        return Groups(numbers, times, clusters, called=called, importance=importance)

    @property
    def items(self) -> int:
        """Number of items, each of which has one vote."""
        return len(self.cluster)

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(np.unique(self.cluster))

    @property
    def apart(self) -> bool:
        """Whether each example is an item and a cluster of its own, so that nothing has to be grouped."""
        return self.items == len(self.item) and self.clusters == self.items

    @property
    def plain(self) -> bool:
        """Whether nothing has to be grouped, and all items count alike."""
        return self.apart and self.importance is None

    @property
    def weighs(self) -> bool:
        """Whether examples count differently: copies, which share a vote, or items that count more than others."""
        return self.shared or self.importance is not None

    @property
    def shared(self) -> bool:
        """Whether an item has several examples."""
        return self.items < len(self.item)

    @cached_property
    def share(self) -> np.ndarray:
        """Share of each example in its item's vote, (n,), in (0, 1]; those of an item sum to 1."""
        found: np.ndarray = self.times / np.bincount(self.item, self.times, self.items)[self.item]
        return found

    @cached_property
    def weight(self) -> np.ndarray:
        """Weight of each example, (n,), above 0: its share in its item's vote, times how much this counts."""
        return self.share if self.importance is None else self.share * self.importance[self.item]

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean of the examples' values over each item, (items,), by their shares.

        Args:
            values: a value of each example, (n,).
        """
        return np.bincount(self.item, values * self.share, self.items)

    def first(self, y: np.ndarray | None = None) -> np.ndarray:
        """Number of an example for each item, (items,): the first one of the class that has most of the item's weight.

        Args:
            y: class number of each example, (n,); None takes the first of the heaviest examples.
        """
        heavy = self.weight
        if y is not None and len(y):
            both = self.item * (int(y.max()) + 2) + y + 1
            heavy = np.bincount(both, self.weight)[both]
        order = np.lexsort((np.arange(len(self.item)), -heavy.round(9), self.item))
        found: np.ndarray = order[np.unique(self.item[order], return_index=True)[1]]
        return found

    def clusters_of(self, y: np.ndarray, classes: int) -> np.ndarray:
        """Number of clusters that have an item of each class, (classes,); see `first`.

        Args:
            y: class number of each example, (n,).
            classes: number of classes.
        """
        of = y[self.first(y)]
        pairs = np.unique(np.stack([of, self.cluster]), axis=1)[0]
        return np.bincount(pairs[pairs >= 0], minlength=classes)

    def items_of(self, index: np.ndarray) -> np.ndarray:
        """Numbers of the items of examples, ascending, (k,).

        Args:
            index: numbers of the examples.
        """
        return np.unique(self.item[index])

    def examples_of(self, items: np.ndarray) -> np.ndarray:
        """Numbers of the examples of items, ascending, (k,).

        Args:
            items: numbers of the items.
        """
        return np.flatnonzero(np.isin(self.item, items))

    def subset(self, index: np.ndarray) -> Groups:
        """Groups of the examples of these numbers, (k,)."""
        of = self.item[index]
        weight = None if self.importance is None else self.importance[of]
        return Groups.of(of, self.times[index], self.cluster[of], self.called, weight)

    def drawn(self, items: np.ndarray, *seed: int) -> np.ndarray:
        """Number of an example of each item, (k,), drawn by the shares of its examples.

        Args:
            items: numbers of the items, (k,).
            seed: one or more whole numbers.
        """
        at = items + np.random.default_rng(seed).random(len(items))  # the shares of each item before it sum to 1
        place = np.searchsorted(self._sums, at, side="right")
        found: np.ndarray = self._order[np.clip(place, self._starts[items], self._starts[items + 1] - 1)]
        return found

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.item, kind="stable")

    @cached_property
    def _sums(self) -> np.ndarray:
        found: np.ndarray = np.cumsum(self.share[self._order])
        return found

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.append(0, np.cumsum(np.bincount(self.item, minlength=self.items)))


def _numbered(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of values by their first occurrence, from 0, (n,), and the place of each first occurrence."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()], np.sort(first)
