"""Prints of items: what is kept of items to know their copies again."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from tutelage.copies.exact import groups_of
from tutelage.copies.shingles import FACTOR, keys_of


class Prints(ABC):
    """Prints of n items, from which no item can be read."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def groups(self) -> Int[np.ndarray, " n"]:
        """Group number of each item, int64, (n,): equal for copies, numbered by first occurrence, from 0."""

    @abstractmethod
    def and_those_of(self, others: Self) -> Self:
        """Prints of these items and, after them, of others."""

    @abstractmethod
    def kept(self) -> dict[str, np.ndarray]:
        """Arrays to be kept with a model, by name; they may tell less of long items."""

    @classmethod
    @abstractmethod
    def read(cls, kept: Mapping[str, np.ndarray]) -> Self:
        """Prints made of the arrays that `kept` gave.

        Raises:
            ValueError: the arrays do not fit together.
        """

    @abstractmethod
    def take(self, index: Int[np.ndarray, " m"]) -> Self:
        """Prints of the items of these numbers, (m,)."""

    def head(self, count: int) -> Self:
        """Prints of the first items, or of all where there are no more."""
        return self.take(np.arange(min(count, len(self))))

    @abstractmethod
    def matched(self, known: Self) -> Bool[np.ndarray, " n"]:
        """Mask of the items that are copies of items that are known, (n,), each by itself.

        Args:
            known: prints of the items that are known.
        """

    def plain(self, mask: Bool[np.ndarray, " n"]) -> Self:
        """The same prints, of which those of a mask, (n,), are known by equality alone."""
        return self

    def closer(self, members: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
        """Group number of some nearly equal items, int64, (m,): equal where they share what is rare among them.

        Args:
            members: numbers of the items, (m,).
        """
        return np.arange(len(members))

    def within(self, known: Self, labelled: int = 0) -> Int[np.ndarray, " n"]:
        """Of what each item is a copy, int8, (n,): 0 of none, 1 of an item that is known, 2 of a labelled one of these.

        Args:
            known: prints of the items that are known.
            labelled: number of items, the first ones, that are known with their labels.

        >>> known = Keys.of([b"a", b"b"])
        >>> Keys.of([b"b", b"c", b"a"]).within(known, labelled=1).tolist()
        [1, 0, 2]
        """
        found: np.ndarray = self.matched(known).astype(np.int8) + self.matched(known.head(labelled))
        return found


@dataclass(frozen=True)
class Keys(Prints):
    """Hashes of items that are copies only where they are equal.

    Attributes:
        keys: hash of each item, (n,).

    >>> Keys.of([b"a", b"b", b"a"]).groups().tolist()
    [0, 1, 0]
    """

    keys: UInt64[np.ndarray, " n"]

    @classmethod
    def of(cls, identities: Sequence[Hashable]) -> Self:
        """Prints of items with these keys, each a text, bytes, or another value with a text of its own."""
        return cls(keys_of([key.hex() if isinstance(key, bytes) else str(key) for key in identities]))

    @classmethod
    def of_rows(cls, rows: Float[np.ndarray, "n ..."]) -> Self:
        """Prints of rows of numbers, which are equal where they are so in 32 bits; 0 and -0 are one number.

        >>> Keys.of_rows(np.array([[0.0, 1.0], [1.0, 0.0], [-0.0, 1.0]])).groups().tolist()
        [0, 1, 0]
        """
        flat = np.asarray(rows, dtype=np.float32).reshape(len(rows), math.prod(np.shape(rows)[1:]))
        numbers = (flat + 0).view(np.uint32)
        keys = np.full(len(rows), numbers.shape[1], dtype=np.uint64)
        for column in numbers.T:
            keys = (keys ^ column) * FACTOR
            keys ^= keys >> np.uint64(29)
        return cls(keys)

    def __len__(self) -> int:
        return len(self.keys)

    def groups(self) -> Int[np.ndarray, " n"]:
        return groups_of(self.keys)

    def and_those_of(self, others: Self) -> Self:
        return type(self)(np.concatenate([self.keys, others.keys]))

    def take(self, index: Int[np.ndarray, " m"]) -> Self:
        return type(self)(self.keys[index])

    def matched(self, known: Self) -> Bool[np.ndarray, " n"]:
        found: np.ndarray = np.isin(self.keys, known.keys)
        return found

    def kept(self) -> dict[str, np.ndarray]:
        return {"keys": self.keys.view(np.int64)}

    @classmethod
    def read(cls, kept: Mapping[str, np.ndarray]) -> Self:
        return cls(one_number_each(kept, "keys").view(np.uint64))


def one_number_each(kept: Mapping[str, np.ndarray], name: str) -> Int[np.ndarray, " n"]:
    """The int64 array of a name, (n,).

    Raises:
        ValueError: there is none of this form.
    """
    found = kept.get(name)
    if found is None or found.dtype != np.int64 or found.ndim != 1:
        raise ValueError(f"{name} must be whole numbers of 64 bits, got {None if found is None else found.dtype}")
    return found
