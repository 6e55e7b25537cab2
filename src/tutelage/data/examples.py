"""Examples in memory, which give a network's inputs by the examples' numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from tutelage.data.placing import placed
from tutelage.types import Inputs


@runtime_checkable
class Examples(Protocol):
    """n examples for a network. An example is one unit to predict, or several, as a sentence of words.

    ``take`` gives the network's inputs of the examples with these numbers, ``subset`` these examples alone, and
    ``units`` the numbers of their units, in the order of the network's logits. ``lengths`` gives the size of each
    example for padding, (n,), and ``counts`` its number of units, (n,).
    """

    def __len__(self) -> int: ...
    def take(self, index: np.ndarray) -> Inputs: ...
    def lengths(self) -> np.ndarray: ...
    def subset(self, index: np.ndarray) -> Self: ...
    def counts(self) -> np.ndarray: ...
    def units(self, index: np.ndarray) -> np.ndarray: ...


class Single:
    """Examples of one unit each."""

    def __len__(self) -> int:
        raise NotImplementedError

    def counts(self) -> np.ndarray:
        return np.ones(len(self), dtype=np.int64)

    def units(self, index: np.ndarray) -> np.ndarray:
        return index


class Ragged:
    """Examples of several units each, such as sentences of words.

    Attributes:
        sizes: number of units of each example, (n,).
    """

    sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    def counts(self) -> np.ndarray:
        """Number of units of each example, (n,)."""
        return self.sizes

    @cached_property
    def _starts(self) -> np.ndarray:
        starts: np.ndarray = np.cumsum(self.sizes) - self.sizes
        return starts

    def units(self, index: np.ndarray) -> np.ndarray:
        """Numbers of the units of the examples numbered ``index``, (units,)."""
        parts = [np.arange(self._starts[i], self._starts[i] + self.sizes[i]) for i in index]
        return np.concatenate(parts) if parts else np.arange(0)


def numbers_of(examples: Examples, units: np.ndarray) -> np.ndarray:
    """Numbers of the examples whose units follow each other in a batch, (n,), in their order.

    Args:
        examples: examples that the batch was taken of.
        units: numbers of the batch's units, as `Examples.units` gives them.

    >>> two = WordFeatures(torch.arange(3.0)[:, None], np.array([2, 1]))
    >>> numbers_of(two, two.units(np.array([1, 0, 0]))).tolist()
    [1, 0, 0]
    """
    if getattr(type(examples), "units", None) is Single.units:
        return units
    counts = examples.counts()
    starts: np.ndarray = np.cumsum(counts) - counts
    owner = np.searchsorted(starts, units, side="right") - 1
    first: np.ndarray = owner[starts[owner] == units]
    return first


def cut(lengths: Sequence[int] | np.ndarray, units: int, most: int = 4096) -> list[slice]:
    """Batches of examples, as slices, whose padded size is at most ``units``.

    A single example that is longer is a batch of its own.

    Args:
        lengths: length of each example, (n,), in rising order.
        units: padded size of a batch, at most: its number of examples times the longest length.
        most: number of examples of a batch, at most.

    >>> cut([1, 1, 2, 5, 9], units=6)
    [slice(0, 3, None), slice(3, 4, None), slice(4, 5, None)]
    """
    slices, start = [], 0
    if len(lengths) and lengths[0] == lengths[-1]:  # all alike, as the many rows of a large pool
        step = max(min(units // max(int(lengths[0]), 1), most), 1)
        return [slice(start, min(start + step, len(lengths))) for start in range(0, len(lengths), step)]
    for i, length in enumerate(lengths):
        if i > start and ((i - start + 1) * length > units or i - start == most):
            slices.append(slice(start, i))
            start = i
    return [*slices, slice(start, len(lengths))] if len(lengths) else []


@dataclass(frozen=True)
class Features(Single):
    """Rows of features, one for each example.

    Attributes:
        rows: features, (n, ...).
        computed: results that others computed from these rows, by a key of theirs; they live as long as the rows.

    >>> Features(torch.eye(3)).take(np.array([2])).tolist()
    [[0.0, 0.0, 1.0]]
    """

    rows: Tensor
    computed: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, index: np.ndarray) -> Tensor:
        return self.rows.index_select(0, torch.as_tensor(index, device=self.rows.device))

    def lengths(self) -> np.ndarray:
        return np.ones(len(self.rows), dtype=np.int64)

    def subset(self, index: np.ndarray) -> Features:
        return Features(self.take(index))


@dataclass(frozen=True)
class Chosen(Single):
    """Some of other examples of one unit each, which are read when they are asked for.

    Attributes:
        of: the other examples.
        index: numbers of those that are chosen, (n,).

    >>> Chosen(Features(torch.eye(3)), np.array([2, 0])).take(np.array([0])).tolist()
    [[0.0, 0.0, 1.0]]
    """

    of: Examples
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    def take(self, index: np.ndarray) -> Inputs:
        return self.of.take(self.index[index])

    def lengths(self) -> np.ndarray:
        found: np.ndarray = self.of.lengths()[self.index]
        return found

    def subset(self, index: np.ndarray) -> Chosen:
        return Chosen(self.of, self.index[index])


@dataclass(frozen=True)
class WordFeatures(Ragged):
    """Sentences as rows of features, one for each word.

    Attributes:
        rows: features of all words, (words, d).
        sizes: number of words of each sentence, (n,).
        computed: results that others computed from these rows, see `Features`.

    >>> two = WordFeatures(torch.arange(3.0)[:, None], np.array([2, 1]))
    >>> two.take(np.array([1, 0])).ravel().tolist(), two.units(np.array([1, 0])).tolist()
    ([2.0, 0.0, 1.0], [2, 0, 1])
    """

    rows: Tensor
    sizes: np.ndarray
    computed: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def take(self, index: np.ndarray) -> Tensor:
        return self.rows.index_select(0, torch.as_tensor(self.units(index), device=self.rows.device))

    def lengths(self) -> np.ndarray:
        return self.sizes

    def subset(self, index: np.ndarray) -> WordFeatures:
        return WordFeatures(self.take(index), self.sizes[index])


@dataclass(frozen=True)
class Tokens(Single):
    """Token ids of texts. A batch is padded to its longest text.

    Args:
        ids: token ids of each text.
        pad: token id of the padding.
        device: device of the batches.

    >>> Tokens([[5, 6], [7]]).take(np.array([0, 1]))["attention_mask"].tolist()
    [[1, 1], [1, 0]]
    """

    ids: Sequence[Sequence[int]]
    pad: int = 0
    device: torch.device | str = "cpu"

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: np.ndarray, length: int = 0) -> dict[str, Tensor]:
        """Token ids and attention mask of a batch, padded to its longest text, or to a length that is above it."""
        ids, mask = padded([self.ids[i] for i in index], self.pad, length)
        return {"input_ids": placed(ids, self.device), "attention_mask": placed(mask, self.device)}

    def lengths(self) -> np.ndarray:
        return np.array([len(r) for r in self.ids])

    def subset(self, index: np.ndarray) -> Tokens:
        return Tokens([self.ids[i] for i in index], self.pad, self.device)


@dataclass(frozen=True)
class WordTokens(Ragged):
    """Sentences as windows of token ids, with the places where words begin.

    Args:
        windows: token ids of each sentence's windows, of which a sentence has one or more.
        first: positions of the words' first tokens, for each window of each sentence.
        sizes: number of words of each sentence, (n,).
        pad: token id of the padding.
        device: device of the batches.

    >>> WordTokens([[[5, 6, 7]]], [[[0, 2]]], np.array([2])).take(np.array([0]))["first"].tolist()
    [[True, False, True]]
    """

    windows: Sequence[Sequence[Sequence[int]]]
    first: Sequence[Sequence[Sequence[int]]]
    sizes: np.ndarray
    pad: int = 0
    device: torch.device | str = "cpu"

    def take(self, index: np.ndarray, length: int = 0) -> dict[str, Tensor]:
        """Token ids, attention mask and first tokens, padded to the longest window, or to a length that is above it."""
        ids, mask = padded([w for i in index for w in self.windows[i]], self.pad, length)
        first = torch.zeros_like(mask, dtype=torch.bool)
        for row, places in enumerate(p for i in index for p in self.first[i]):
            first[row, torch.as_tensor(places)] = True
        batch = {"input_ids": ids, "attention_mask": mask, "first": first}
        return {name: placed(t, self.device) for name, t in batch.items()}

    def lengths(self) -> np.ndarray:
        return np.array([sum(map(len, w)) for w in self.windows])

    def subset(self, index: np.ndarray) -> WordTokens:
        windows, first = [self.windows[i] for i in index], [self.first[i] for i in index]
        return WordTokens(windows, first, self.sizes[index], self.pad, self.device)


def padded(rows: Sequence[Sequence[int]], pad: int, least: int = 0) -> tuple[Tensor, Tensor]:
    """Token ids padded to the longest row, (n, t), and their attention mask, (n, t): 1 for a token, 0 for padding.

    Args:
        rows: token ids of each row.
        pad: token id of the padding.
        least: t, at least.
    """
    tensors = [torch.as_tensor(r) for r in rows]
    ids = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=pad)
    ids = torch.nn.functional.pad(ids, (0, max(least - ids.shape[1], 0)), value=pad)
    length = torch.tensor([len(r) for r in rows])
    return ids, (torch.arange(ids.shape[1]) < length[:, None]).long()
