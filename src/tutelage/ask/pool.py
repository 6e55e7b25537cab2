"""The rows that may be asked for, checked and read block by block, so that a million of them need no copy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from tutelage.copies import groups_of

BLOCK = 8192
"""Number of rows that are read at a time."""

OFF = 1e-3
"""Largest difference between the sum of a row's probabilities and 1."""


@dataclass(frozen=True)
class Pool:
    """Rows of features, those with and those without a label, and what a model says of them.

    Args:
        rows: features of all rows, (n, d), of any real type, finite; they are never copied whole.
        probabilities: probabilities of the classes, (n, c), or of several models, (m, n, c); None where no model is.
        labelled: numbers of the rows with a label, (l,), rising.
        candidates: numbers of the rows that may be asked for, (u,), rising: those without a label, one of each group of
            copies, and none of a group of which a row has a label.
        rank: place of each candidate in an order that depends on its features and the seed alone, (u,): it settles
            ties, and so an answer does not depend on the order of the rows.
        rank_of_labelled: the same of the labelled rows, (l,).
        centre: number for each feature that is subtracted, (d,).
        scale: number that the centred features are divided by, above 0.
        seed: seed of all draws.
    """

    rows: np.ndarray
    probabilities: np.ndarray | None
    labelled: Int[np.ndarray, " l"]
    candidates: Int[np.ndarray, " u"]
    rank: Int[np.ndarray, " u"]
    rank_of_labelled: Int[np.ndarray, " l"]
    centre: Float[np.ndarray, " d"]
    scale: float
    seed: int

    @staticmethod
    def of(rows: Any, probabilities: Any, labelled: Any, seed: int, copies: Any = None) -> Pool:
        """A checked pool.

        Args:
            rows: features, (n, d).
            probabilities: probabilities, (n, c) or (m, n, c), or None.
            labelled: numbers of the rows with a label, (l,), in any order.
            seed: seed of all draws, a whole number of at least 0.
            copies: group of each row, (n,), equal for copies of each other; None takes no rows for copies.

        Raises:
            ValueError: an argument is of the wrong shape or holds what it may not.
        """
        x = np.asanyarray(rows)
        if x.ndim != 2 or 0 in x.shape or x.dtype.kind not in "fiub":
            raise ValueError(f"rows must be numbers of shape (n, d), at least one of each, got {_what(x)}")
        whole("seed", seed, 0, 2**32 - 1)
        known = _numbers("labelled", labelled, len(x))
        p = None if probabilities is None else _probabilities(np.asanyarray(probabilities), len(x))
        groups = np.arange(len(x)) if copies is None else _groups(copies, len(x))
        centre, scale, keys = _survey(x, int(seed))
        order = np.lexsort((np.arange(len(x)), keys))
        place = np.empty(len(x), dtype=np.int64)
        place[order] = np.arange(len(x))
        first = order[np.unique(groups[order], return_index=True)[1]]  # of each group the first by rank
        left = np.sort(first[~np.isin(groups[first], groups[known])])
        return Pool(x, p, known, left, _ranked(place[left]), _ranked(place[known]), centre, scale, int(seed))

    def __len__(self) -> int:
        return len(self.candidates)

    def read(self, index: Int[np.ndarray, " b"]) -> Float[np.ndarray, "b d"]:
        """The features of some rows, centred, divided by the scale, float32, (b, d), within [-1, 1]."""
        block = self.rows[index].astype(np.float64)
        block -= self.centre
        block /= self.scale
        found: np.ndarray = block.astype(np.float32)
        return found

    def blocks(self, index: Int[np.ndarray, " m"]) -> Iterator[tuple[slice, Float[np.ndarray, "b d"]]]:
        """Blocks of the features of some rows, in order: the slice of ``index`` that each is, and the block."""
        for start in range(0, len(index), BLOCK):
            part = slice(start, start + BLOCK)
            yield part, self.read(index[part])

    def of_probabilities(self) -> Pool:
        """The same rows, whose features are the probabilities, (n, c)."""
        p = self.said()
        return replace(self, rows=p, centre=np.zeros(p.shape[1]), scale=1.0)

    def said(self) -> np.ndarray:
        """The probabilities of one model for all rows, (n, c).

        Raises:
            ValueError: there are none, or those of several models.
        """
        if self.probabilities is None:
            raise ValueError("probabilities must be given to this selector, got None; cluster and coreset need none")
        if self.probabilities.ndim != 2:
            shape = self.probabilities.shape
            raise ValueError(f"probabilities must have shape (n, c), got {shape}; variation alone takes several models")
        return self.probabilities


def whole(name: str, value: Any, low: int, high: int, of: str = "") -> None:
    """Raise ValueError unless the value is a whole number in ``[low, high]``; ``of`` says what the high end is."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number in [{low}, {high}]{of}, got {value!r}")


def class_numbers(y: Any, labels: int, classes: int) -> Int[np.ndarray, " l"]:
    """Class numbers of the labelled rows, (l,).

    Raises:
        ValueError: they are not ``labels`` whole numbers in [0, classes).
    """
    numbers = np.asarray(y)
    if numbers.shape != (labels,) or (labels and numbers.dtype.kind not in "iu"):
        raise ValueError(f"y must be a class number for each labelled row, of shape ({labels},), got {y!r}")
    if labels and (numbers.min() < 0 or numbers.max() >= classes):
        raise ValueError(f"y must be in [0, {classes}), got {numbers[(numbers < 0) | (numbers >= classes)][0]}")
    return numbers.astype(np.int64)


def _what(x: np.ndarray) -> str:
    return f"shape {x.shape} of {x.dtype}"


def _ranked(place: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
    """Places among these alone, from 0."""
    found = np.empty(len(place), dtype=np.int64)
    found[np.argsort(place)] = np.arange(len(place))
    return found


def _numbers(name: str, values: Any, n: int) -> Int[np.ndarray, " l"]:
    """Numbers of rows, rising and distinct."""
    index = np.asarray(values)
    if index.ndim == 1 and len(index) == 0:
        return np.empty(0, dtype=np.int64)
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise ValueError(f"{name} must be numbers of rows, of shape (l,), got {_what(index)}")
    if index.min() < 0 or index.max() >= n:
        raise ValueError(f"{name} must be in [0, {n}), got {index[(index < 0) | (index >= n)][0]}")
    found, times = np.unique(index.astype(np.int64), return_counts=True)
    if len(found) < len(index):
        raise ValueError(f"{name} must be distinct, got {found[times > 1][0]} {times.max()} times")
    return found


def _groups(copies: Any, n: int) -> Int[np.ndarray, " n"]:
    values = np.asarray(copies)
    if values.shape != (n,):
        raise ValueError(f"copies must have shape ({n},), a group for each row, got {values.shape}")
    return groups_of(values)


def _probabilities(p: np.ndarray, n: int) -> np.ndarray:
    if p.ndim not in (2, 3) or p.shape[-2] != n or 0 in p.shape or p.dtype.kind != "f":
        raise ValueError(f"probabilities must have shape ({n}, c), or (m, {n}, c) of several models, got {_what(p)}")
    for model in p if p.ndim == 3 else p[None]:
        for start in range(0, n, BLOCK):
            block = model[start : start + BLOCK].astype(np.float64)
            right = (block >= 0).all(1) & (np.abs(block.sum(1) - 1) <= OFF)  # of a NaN, nothing is right
            if not right.all():
                at = int(np.argmin(right))
                row = block[at].tolist()
                raise ValueError(f"probabilities must be at least 0, their sum 1; row {start + at} holds {row}")
    return p


def _survey(x: np.ndarray, seed: int) -> tuple[np.ndarray, float, np.ndarray]:
    """Mean and range of the features, and a hash of each row and the seed, (n,)."""
    mean, least, most = np.zeros(x.shape[1]), np.full(x.shape[1], np.inf), np.full(x.shape[1], -np.inf)
    keys, key = np.empty(len(x), dtype=np.uint64), seed.to_bytes(8, "little")
    for start in range(0, len(x), BLOCK):
        block = np.ascontiguousarray(x[start : start + BLOCK])
        numbers = block.astype(np.float64)
        if not np.isfinite(numbers).all():
            at, column = np.argwhere(~np.isfinite(numbers))[0]
            value = float(numbers[at, column])
            raise ValueError(f"rows must be finite; row {start + at} holds {value} in column {column}")
        mean += (numbers / len(x)).sum(0)
        least, most = np.minimum(least, numbers.min(0)), np.maximum(most, numbers.max(0))
        said = b"".join(hashlib.blake2b(row.data, digest_size=8, key=key).digest() for row in block)
        keys[start : start + len(block)] = np.frombuffer(said, dtype="<u8")
    mean = np.clip(mean, least, most)  # the mean of equal numbers is that number, to the bit
    scale = float(np.maximum(most / 2 - mean / 2, mean / 2 - least / 2).max()) * 2 or 1.0
    if not np.isfinite(scale):
        raise ValueError(f"rows must lie within {np.finfo(np.float64).max:.0e} of each other, got a wider range")
    return mean, scale, keys
