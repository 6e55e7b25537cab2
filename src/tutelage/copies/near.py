"""Sets that are nearly equal: an exact join by prefixes, which compares only sets that share one of their rarest."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from scipy.sparse import csr_array

from tutelage.copies.exact import joined_groups
from tutelage.copies.shingles import Sets

LEAST = 0.8
"""Jaccard similarity from which on two sets are nearly equal."""

WINDOW = 256
"""Sets with an element in common up to which each is compared with each; of more, each with so many beside it."""

LEADERS = 32
"""Sets, at most, with which all sets are compared that have one element in common, where these are more than WINDOW."""

PAIRS = 1_000_000
"""Number of pairs of sets that are compared at once."""


def near_groups(sets: Sets, least: float = LEAST) -> Int[np.ndarray, " n"]:
    """Group number of each set, int64, (n,), numbered by first occurrence: sets are joined where J >= ``least``.

        J(A, B) = |A n B| / |A u B|

    Two sets of that similarity share an element among the |A| - ceil(least |A|) + 1 rarest of each, so that only those
    are compared that do. The join is exact, except where more than WINDOW sets have such an element in common: of these
    each is compared with those beside it in the order of a hash, and with at most LEADERS of all. So the work is linear
    in the number of sets.

    Args:
        sets: n sets of hashes; empty ones are alone.
        least: least similarity, in (0, 1].

    Source: prefix filtering, Chaudhuri, Ganti, Kaushik, ICDE 2006; by positions, Xiao et al., WWW 2008.

    >>> words = [[1, 2, 3, 4, 5], [9], [1, 2, 3, 4, 5, 6]]
    >>> near_groups(Sets(np.concatenate(words).astype(np.uint64), np.array([5, 1, 6]))).tolist()
    [0, 1, 0]
    """
    return _Join(sets, least).groups()


def near_matches(sets: Sets, known: Sets, least: float = LEAST) -> Bool[np.ndarray, " n"]:
    """Mask of the sets, (n,), that are nearly equal to one that is known; see `near_groups`.

    Args:
        sets: n sets of hashes.
        known: sets of hashes that are known.
        least: least similarity, in (0, 1].

    >>> numbers = np.arange(1, 12, dtype=np.uint64)
    >>> near_matches(Sets(numbers, np.array([5, 6])), Sets(numbers[:5], np.array([5]))).tolist()
    [True, False]
    """
    if not len(known.counts) or not len(sets.counts):
        return np.zeros(len(sets.counts), dtype=bool)
    both = Sets(np.r_[known.hashes, sets.hashes], np.r_[known.counts, sets.counts])
    join = _Join(both, least, len(known.counts))
    join.groups()
    pairs = np.concatenate([np.empty(0, dtype=np.int64), *join.first, *join.second])
    found = np.zeros(join.count, dtype=bool)
    found[pairs] = True
    return found[len(known.counts) :]


@dataclass
class _Join:
    """A join of sets of hashes with themselves.

    Attributes:
        sets: the sets.
        least: least similarity.
        known: number of sets, the first ones, each of which is compared with the others alone; 0: each with each.
        first, second: numbers of the sets of each pair that is nearly equal.
        group: group number of each set by the pairs so far, (n,).
    """

    sets: Sets
    least: float
    known: int = 0
    first: list[np.ndarray] = field(default_factory=list)
    second: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.count = len(self.sets.counts)
        self.group = np.arange(self.count)
        number, values = pd.factorize(self.sets.hashes)
        often = np.bincount(number, minlength=len(values))
        rank = np.empty(len(values), dtype=np.int64)
        rank[np.argsort(often, kind="stable")] = np.arange(len(values))
        entries = np.sort(self.sets.owners << 32 | rank[number])  # the rarest of each set first
        entries = entries[np.r_[True, entries[1:] != entries[:-1]]] if len(entries) else entries
        owner, element = entries >> 32, entries & 0xFFFFFFFF
        self.sizes = np.bincount(owner, minlength=self.count)
        starts = np.r_[0, np.cumsum(self.sizes)]
        self.table = csr_array(
            (np.ones(len(entries), dtype=np.int32), element, starts), shape=(self.count, max(len(values), 1))
        )
        place = np.arange(len(entries)) - starts[owner]
        prefix = place <= (self.sizes - np.ceil(self.least * self.sizes - 1e-9).astype(np.int64))[owner]
        owner, element, place = owner[prefix], element[prefix], place[prefix]
        shared = np.bincount(element, minlength=len(values))[element] > 1
        owner, element, place = owner[shared], element[shared], place[shared]
        lowest = np.full(self.count, np.iinfo(np.uint64).max, dtype=np.uint64)
        np.minimum.at(lowest, self.sets.owners, self.sets.hashes)
        order = np.lexsort((owner, self.sizes[owner], lowest[owner], element))  # sets with one lowest hash are alike
        self.owner, self.element, self.place = owner[order], element[order], place[order]

    def groups(self) -> Int[np.ndarray, " n"]:
        """The groups, after all pairs that may be nearly equal were compared."""
        waiting, count = [], 0
        bounds = np.flatnonzero(np.r_[True, self.element[1:] != self.element[:-1], True])
        left = np.repeat(bounds[1:], np.diff(bounds)) - np.arange(len(self.owner))  # entries of the element from here
        self._leaders(bounds[:-1][np.diff(bounds) > WINDOW], bounds)
        for apart in range(1, min(WINDOW, int(left.max(initial=0)))):
            at = np.flatnonzero(left > apart)
            if not len(at):
                break
            waiting.append(self._likely(at, at + apart))
            count += len(waiting[-1][0])
            if count > PAIRS:
                self._compare(waiting)
                waiting, count = [], 0
        self._compare(waiting)
        return self._joined()

    def _leaders(self, starts: np.ndarray, bounds: np.ndarray) -> None:
        """Compare all sets that have a common element with some of them, where they are many."""
        ends = bounds[np.searchsorted(bounds, starts) + 1]
        for begin, end in zip(starts.tolist(), ends.tolist(), strict=True):
            led = np.zeros(end - begin, dtype=bool)
            for _ in range(LEADERS):
                others = np.flatnonzero(~led) + begin
                if len(others) < 2:
                    break
                at = np.full(len(others) - 1, others[0])
                self._compare([self._likely(at, others[1:])])
                led |= self.group[self.owner[begin:end]] == self.group[self.owner[others[0]]]

    def _likely(self, at: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those pairs of sets, given by entries with one element, whose sizes and places allow the similarity."""
        one, two = self.owner[at], self.owner[beside]
        sizes = self.sizes[one], self.sizes[two]
        rest = np.minimum(sizes[0] - self.place[at], sizes[1] - self.place[beside])
        needed = self.least / (1 + self.least) * (sizes[0] + sizes[1]) - 1e-9
        keep = (rest >= needed) & (self.group[one] != self.group[two])
        keep &= not self.known or (one < self.known) != (two < self.known)
        return one[keep], two[keep]

    def _compare(self, waiting: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Compare pairs, and join the sets of those that are nearly equal."""
        if not waiting:
            return
        one, two = (np.concatenate([pair[side] for pair in waiting]) for side in (0, 1))
        keys = np.unique(np.minimum(one, two) * self.count + np.maximum(one, two))
        found = False
        for start in range(0, len(keys), PAIRS):
            one, two = np.divmod(keys[start : start + PAIRS], self.count)
            apart = self.group[one] != self.group[two]
            one, two = one[apart], two[apart]
            alike = self._alike(one, two)
            self.first.append(one[alike])
            self.second.append(two[alike])
            found |= bool(alike.any())
        if found:
            self._joined()

    def _alike(self, one: np.ndarray, two: np.ndarray) -> Bool[np.ndarray, " p"]:
        """Whether the sets of each pair are nearly equal, (p,)."""
        if not len(one):
            return np.zeros(0, dtype=bool)
        both = np.asarray((self.table[one] * self.table[two]).sum(1))
        found: np.ndarray = both >= self.least * (self.sizes[one] + self.sizes[two] - both) - 1e-9
        return found

    def _joined(self) -> Int[np.ndarray, " n"]:
        """Group numbers by all pairs so far, (n,)."""
        none = [np.empty(0, dtype=np.int64)]
        self.group = joined_groups(self.count, np.concatenate(none + self.first), np.concatenate(none + self.second))
        return self.group
