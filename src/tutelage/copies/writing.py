"""Copies among texts: equal after folding and without their frames, or nearly equal by their word 3-grams."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, UInt64

from tutelage.copies.exact import groups_of, joined_groups
from tutelage.copies.folding import folded
from tutelage.copies.frames import unframed, unsigned
from tutelage.copies.near import near_groups, near_matches
from tutelage.copies.prints import Prints, one_number_each
from tutelage.copies.shingles import Sets, keys_of, shingles_of

SIGNED_AT_MOST = 2
"""Number of different texts below the same words and a line "--" up to which what is below may be a signature."""

RARE = 8
"""A shingle is rare among nearly equal texts where at most one in so many of them, or two, have it."""

SKETCH = 128
"""Shingles of a text that are kept with a model at most: those of the lowest hashes."""


@dataclass(frozen=True)
class Writings(Prints):
    """Prints of n texts.

    Texts are copies where they are equal after `folded`, or without their frames (`unframed`), or where one is the
    other without a signature (`unsigned`); from 8 words on also where the Jaccard similarity of their word 3-grams is
    0.8 or more (`near_groups`).

    Attributes:
        whole: hash of each folded text, (n,).
        bare: hash of each folded text without what follows a line "--", (n,).
        keys: hash of each folded text without its frames, (n,).
        shingles: hashes of the word 3-grams of each of these.
        frames: keys of the frames.

    >>> long = "the soup at the corner was good and it was cheap as well and we will go there again"
    >>> texts = ["Good soup!", "good  SOUP", long, long.replace("again", "soon"), "good soups"]
    >>> Writings.of(texts).groups().tolist()
    [0, 0, 1, 1, 2]
    """

    whole: UInt64[np.ndarray, " n"]
    bare: UInt64[np.ndarray, " n"]
    keys: UInt64[np.ndarray, " n"]
    shingles: Sets
    frames: frozenset[int] = field(default=frozenset())

    @classmethod
    def of(cls, texts: Sequence[str], frames: Collection[int] | None = ()) -> Self:
        """Prints of texts.

        Args:
            texts: n texts, as they are written.
            frames: keys of frames that are known already; None takes no frames away, as of single sentences.
        """
        number, first = pd.factorize(np.array(texts, dtype=object))
        different = first.tolist()  # frames stand around different texts, so that equal ones are gone through once
        whole = [folded(text) for text in different]
        cut, known = (whole, frozenset[int]()) if frames is None else unframed(different, frames)
        bare = whole if frames is None else [unsigned(text) for text in different]
        of_whole, of_bare, of_cut = (keys_of(part)[number] for part in (whole, bare, cut))
        return cls(of_whole, of_bare, of_cut, shingles_of(cut).take(number), known)

    def __len__(self) -> int:
        return len(self.keys)

    def groups(self) -> Int[np.ndarray, " n"]:
        equal, count = groups_of(self.keys), len(self)
        first = np.unique(equal, return_index=True)[1]
        near = near_groups(self.shingles.take(first))[equal]
        every = count + groups_of(np.r_[self.whole, self.keys, self.bare])
        whole, cut, bare = np.split(every, 3)  # a text is also equal to the whole of another, unframed
        said = np.flatnonzero(self._signed & np.isin(bare, np.r_[whole, cut]))
        texts = np.r_[np.tile(np.arange(count), 3), said]
        return joined_groups(5 * count, texts, np.r_[whole, cut, 4 * count + near, bare[said]])[:count]

    @property
    def _signed(self) -> Bool[np.ndarray, " n"]:
        """Mask of the texts that may be another one with a signature, (n,).

        Where more than SIGNED_AT_MOST different texts are below the same words, what is below is no signature.
        """
        signed = self.bare != self.whole
        different = np.unique(np.stack([self.bare[signed], self.whole[signed]]), axis=1)[0]
        bare, times = np.unique(different, return_counts=True)
        found: np.ndarray = signed & ~np.isin(self.bare, bare[times > SIGNED_AT_MOST])
        return found

    def take(self, index: Int[np.ndarray, " m"]) -> Self:
        whole, bare, keys = self.whole[index], self.bare[index], self.keys[index]
        return replace(self, whole=whole, bare=bare, keys=keys, shingles=self.shingles.take(index))

    def plain(self, mask: Bool[np.ndarray, " n"]) -> Self:
        keys, bare = (np.where(mask, self.whole, numbers) for numbers in (self.keys, self.bare))
        counts = np.where(mask, 0, self.shingles.counts)
        hashes = self.shingles.hashes[~mask[self.shingles.owners]]
        return replace(self, keys=keys, bare=bare, shingles=Sets(hashes, counts))

    def closer(self, members: Int[np.ndarray, " m"]) -> Int[np.ndarray, " m"]:
        sets, m = self.shingles.take(members), len(members)
        number, values = pd.factorize(sets.hashes)
        pairs = np.unique(np.stack([number, sets.owners]), axis=1)
        often = np.bincount(pairs[0], minlength=len(values))
        rare = (often >= 2) & (often <= max(2, m // RARE))
        shared = pairs[:, rare[pairs[0]]]
        return joined_groups(m + len(values), shared[1], m + shared[0])[:m]

    def and_those_of(self, others: Self) -> Self:
        pairs = ((self.whole, others.whole), (self.bare, others.bare), (self.keys, others.keys))
        whole, bare, keys = (np.concatenate(pair) for pair in pairs)
        one, two = self.shingles, others.shingles
        both = Sets(np.r_[one.hashes, two.hashes], np.r_[one.counts, two.counts])
        return type(self)(whole, bare, keys, both, self.frames | others.frames)

    def matched(self, known: Self) -> Bool[np.ndarray, " n"]:
        there = np.r_[known.whole, known.keys]
        found = np.isin(self.whole, np.r_[there, known.bare[known._signed]]) | np.isin(self.keys, there)
        found |= self._signed & np.isin(self.bare, there)
        left = np.flatnonzero(~found)
        one, two = self.sketched().shingles.take(left), known.sketched().shingles
        found[left] = near_matches(one, two.take(np.unique(known.keys, return_index=True)[1]))
        return found

    def sketched(self) -> Self:
        """The same prints with at most SKETCH shingles a text, each of 32 bits."""
        return replace(self, shingles=self.shingles.lowest(SKETCH))

    def kept(self) -> dict[str, np.ndarray]:
        small = self.shingles.lowest(SKETCH)
        return {
            "whole": self.whole.view(np.int64), "bare": self.bare.view(np.int64), "keys": self.keys.view(np.int64),
            "counts": small.counts,
            "shingles": (small.hashes >> np.uint64(32)).astype(np.uint32).view(np.int32),
            "frames": np.array(sorted(self.frames), dtype=np.uint64).view(np.int64),
        }  # fmt: skip

    @classmethod
    def read(cls, kept: Mapping[str, np.ndarray]) -> Self:
        whole, keys, counts, frames = (one_number_each(kept, name) for name in ("whole", "keys", "counts", "frames"))
        bare = one_number_each(kept, "bare") if "bare" in kept else whole
        shingles = kept.get("shingles")
        if shingles is None or shingles.dtype != np.int32 or not len(whole) == len(bare) == len(keys) == len(counts):
            raise ValueError("whole, bare, keys, counts and shingles are not of the same texts")
        if counts.min(initial=0) < 0 or counts.sum() != len(shingles):
            raise ValueError(f"counts must sum to the {len(shingles)} shingles, got {counts.sum()}")
        hashes = shingles.view(np.uint32).astype(np.uint64) << np.uint64(32)
        known = frozenset(frames.view(np.uint64).tolist())
        whole, bare, keys = (numbers.view(np.uint64) for numbers in (whole, bare, keys))
        return cls(whole, bare, keys, Sets(hashes, counts), known)


def same_texts(texts: Sequence[str]) -> Int[np.ndarray, " n"]:
    """Group number of each text, int64, (n,): equal for copies, numbered by first occurrence; see `Writings`.

    >>> same_texts(["Good soup!", "good  SOUP", "bad soup"]).tolist()
    [0, 0, 1]
    """
    return Writings.of(texts).groups()
