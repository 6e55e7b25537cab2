"""A shuffle that is computed place by place, so that no permutation is held in memory."""

from __future__ import annotations

import numpy as np

ROUNDS = 6
"""Rounds of the network; from four on no test tells its permutations from random ones (Luby and Rackoff, 1988)."""

MIX, FOLD = np.uint64(0xBF58476D1CE4E5B9), np.uint64(29)
"""Factor and shift that mix the bits of a half (Steele, Lea and Flood, OOPSLA 2014)."""


class Shuffle:
    """A permutation of ``range(size)``, a function of the seed, of which any places can be asked for.

    A number is split into two halves of its bits, and in each round one half is changed by a function of the other, so
    that every round can be undone and the whole is a permutation of the numbers of 2h bits. A number that leaves the
    range is permuted again until it is within ("cycle walking"), less than four times on average.

    Args:
        size: number of numbers, at least 1.
        seed: one or more whole numbers, at least 0.

    Source: Luby and Rackoff, SIAM Journal on Computing 17, 1988; Black and Rogaway, CT-RSA 2002.

    >>> sorted(Shuffle(5, (0, 1)).at(np.arange(5)).tolist())
    [0, 1, 2, 3, 4]
    """

    def __init__(self, size: int, seed: tuple[int, ...]) -> None:
        self.size = size
        half = max(-(-(size - 1).bit_length() // 2), 1)
        self._half, self._low = np.uint64(half), np.uint64((1 << half) - 1)
        self._keys = np.random.SeedSequence(seed).generate_state(ROUNDS, np.uint64)

    def __getitem__(self, places: slice) -> np.ndarray:
        """Numbers at the places of a slice."""
        return self.at(np.arange(*places.indices(self.size)))

    def at(self, places: np.ndarray) -> np.ndarray:
        """Numbers at some places of the permutation, int64, (k,).

        Args:
            places: places, (k,), from 0 to below the size.
        """
        found = self._once(places.astype(np.uint64))
        outside = np.flatnonzero(found >= self.size)
        while len(outside):
            found[outside] = self._once(found[outside])
            outside = outside[found[outside] >= self.size]
        return found.astype(np.int64)

    def _once(self, numbers: np.ndarray) -> np.ndarray:
        """The numbers, uint64, (k,), permuted among those of 2h bits."""
        left, right = numbers >> self._half, numbers & self._low
        for key in self._keys:
            mixed = (right ^ key) * MIX
            mixed ^= mixed >> FOLD
            mixed *= MIX
            left, right = right, left ^ ((mixed >> FOLD) & self._low)
        found: np.ndarray = (left << self._half) | right
        return found
