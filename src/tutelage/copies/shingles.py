"""Sets of hashed word 3-grams, by which nearly equal texts are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int, UInt64

WORDS = 3
"""Number of words of a shingle."""

LEAST_WORDS = 8
"""Number of words from which on a text can be nearly equal to another; shorter ones are equal or not."""

AT_ONCE = 50_000
"""Number of texts whose words are held in memory at once."""

FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""Odd number by which the hashes of the words of a shingle are told apart by their order."""


@dataclass(frozen=True)
class Sets:
    """Sets of 64-bit hashes, one for each of n items.

    Attributes:
        hashes: hashes of all sets, one set after the other, (m,); a hash may be there twice in a set.
        counts: number of hashes of each set, (n,); 0 where an item is compared with no other.

    >>> Sets(np.array([7, 8, 9], dtype=np.uint64), np.array([2, 1])).owners.tolist()
    [0, 0, 1]
    """

    hashes: UInt64[np.ndarray, " m"]
    counts: Int[np.ndarray, " n"]

    @property
    def owners(self) -> Int[np.ndarray, " m"]:
        """Number of the item that each hash belongs to, (m,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def take(self, index: Int[np.ndarray, " m"]) -> Sets:
        """Sets of some of the items.

        Args:
            index: numbers of the items, (m,).

        >>> Sets(np.array([7, 8, 9], dtype=np.uint64), np.array([2, 1])).take(np.array([1])).hashes.tolist()
        [9]
        """
        starts, counts = (np.cumsum(self.counts) - self.counts)[index], self.counts[index]
        places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return Sets(self.hashes[np.repeat(starts, counts) + places], counts)

    def lowest(self, most: int) -> Sets:
        """The lowest distinct hashes of each set, cut to their upper 32 bits.

        Args:
            most: number of hashes of a set, at most.

        >>> Sets(np.array([3 << 32, 1 << 32, 1 << 32], dtype=np.uint64), np.array([3])).lowest(1).hashes.tolist()
        [4294967296]
        """
        entries = np.unique(self.owners.astype(np.uint64) << np.uint64(32) | self.hashes >> np.uint64(32))
        owner = (entries >> np.uint64(32)).astype(np.int64)
        counts = np.bincount(owner, minlength=len(self.counts))
        kept = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner] < most
        return Sets(entries[kept] << np.uint64(32), counts.clip(max=most))


def keys_of(words: Sequence[str]) -> UInt64[np.ndarray, " n"]:
    """Hash of each text or word, (n,), the same in every process.

    >>> bool(keys_of(["good soup"])[0] == keys_of(["bad soup", "good soup"])[1])
    True
    """
    column = np.empty(len(words), dtype=object)
    column[:] = words
    return pd.util.hash_array(column)


def shingles_of(texts: Sequence[str]) -> Sets:
    """Hashes of the word 3-grams of folded texts; none of a text of fewer than LEAST_WORDS words.

    Args:
        texts: n folded texts, with one blank between words, see `folded`.

    >>> shingles_of(["a b c d e f g h", "too short"]).counts.tolist()
    [6, 0]
    """
    hashes, counts = [np.empty(0, dtype=np.uint64)], np.zeros(len(texts), dtype=np.int64)
    for start in range(0, len(texts), AT_ONCE):
        some = [text.split(" ") for text in texts[start : start + AT_ONCE]]
        long = [i for i, words in enumerate(some) if len(words) >= LEAST_WORDS]
        if not long:
            continue
        lengths = np.array([len(some[i]) for i in long])
        words = keys_of([word for i in long for word in some[i]])
        found = (words[:-2] * FACTOR + words[1:-1]) * FACTOR + words[2:]
        found ^= found >> np.uint64(32)
        whole = np.ones(len(words), dtype=bool)  # whether a shingle begins at a word
        ends = np.cumsum(lengths)
        whole[ends - 1] = whole[ends - 2] = False
        hashes.append(found[whole[:-2]])
        counts[start + np.array(long)] = lengths - (WORDS - 1)
    return Sets(np.concatenate(hashes), counts)
