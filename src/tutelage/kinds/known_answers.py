"""Answers of the last time: rows of a table that grew which a model has labelled already are not labelled again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tutelage.data.columns import spaced
from tutelage.kinds.entries import POOL
from tutelage.model import Model
from tutelage.tables import PREDICTED, PROBABILITY, USUAL, DataError, Notes, as_label, holds_table
from tutelage.tables.blocks import Block, in_blocks
from tutelage.tables.several import files_of
from tutelage.types import Tick

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

TRIED = 256
"""Rows of an answer, at most, that are labelled anew to see whether it is the model's; evenly spaced."""

SAME = 0.02
"""Relative difference of 1 - p up to which two probabilities p of a class are the same: that of other batches."""

AGREE = 0.9
"""Share of these rows, at least, whose probability must be the same."""

TIED = 1e-3
"""Difference of the probabilities of two classes up to which either may be said to be the likeliest."""


@dataclass
class Knowing(Model):
    """A model that knows some of its answers, and computes those of other items alone.

    Of an item that it knows it gives the probability of the likeliest class, and the rest to all others alike.

    Attributes:
        kind: kind of the items.
        keys: hashes of the items that it knows, ascending, (m,), uint64.
        said: class number of each, (m,).
        sure: probability of that class, (m,).
        taken: number of items that it was asked of and knew.
        asked: number of items that it was asked of.
    """

    kind: Any = None
    keys: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    said: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    sure: np.ndarray = field(default_factory=lambda: np.zeros(0))
    taken: int = 0
    asked: int = 0

    def probabilities(self, items: Any, tick: Tick | None = None) -> np.ndarray:
        """Probabilities of each class for items, (n, c), float64; see the class."""
        items = items if isinstance(items, np.ndarray) else list(items)
        classes, keys = len(self.classes), self.kind.pool_keys(items) if len(items) else self.keys[:0]
        at = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        known = self.keys[at] == keys if len(self.keys) else np.zeros(len(keys), dtype=bool)
        self.taken, self.asked = self.taken + int(known.sum()), self.asked + len(keys)
        top, found = self.sure[at[known]], np.empty((len(keys), classes))
        found[known] = ((1 - top) / max(classes - 1, 1))[:, None]
        found[np.flatnonzero(known), self.said[at[known]]] = top
        if not known.all():
            others = items[~known] if isinstance(items, np.ndarray) else [items[i] for i in np.flatnonzero(~known)]
            found[~known] = super().probabilities(others, tick)
        return found

    def count(self, taken: int, asked: int) -> None:
        """Count items that a copy of the model in another process was asked of: those that it knew, and all."""
        self.taken, self.asked = self.taken + taken, self.asked + asked

    def words(self) -> str:
        """Sentence on how many answers were known."""
        others = "" if self.taken == self.asked else "; the others are new"
        return f"{self.taken:,} of {self.asked:,} rows were labelled before, and are copied{others}."


def knowing(kind: Kind, model: Model, path: Path) -> Knowing:
    """The model with its answers of an earlier time.

    That the answers are the model's is tried on some of them; rows without a label, such as those of which a promise
    gave none, are not known.

    Args:
        kind: kind of the items, with its options.
        model: fitted model.
        path: table that `tutelage predict` wrote, or a folder or pattern of such.

    Raises:
        DataError: the table cannot be read, holds no predictions, or those of another model.
        ValueError: items of this kind are not kept with their predictions in a table.
    """
    if not kind.stores:
        raise ValueError(f"--known is for texts and rows of numbers, not for {kind.words.things}; leave it out")
    if not path.exists() and not any(sign in str(path) for sign in "*?["):
        raise DataError(f"--known {path}: no such file")
    kind.require_items(path)
    code, keys, said, sure = {str(c): i for i, c in enumerate(model.classes)}, [], [], []
    some: list[Any] = []
    for items, labels, top in _answers(kind, path):
        number = np.array([code.get(label, -1) for label in labels], dtype=np.int64)
        strange = [label for label, k in zip(labels, number.tolist(), strict=True) if k < 0 and label]
        if strange:
            raise DataError(f"--known {path}: it has the label {strange[0]!r}, no class of this model: {OTHER}")
        good = np.flatnonzero((number >= 0) & (top > 1 / len(code)) & (top <= 1))
        keys.append(kind.pool_keys(items)[good] if len(items) else np.zeros(0, dtype=np.uint64))
        said.append(number[good])
        sure.append(top[good])
        some += [(items[i], number[i], top[i]) for i in spaced(good, TRIED)]
    _require_own(model, path, spaced(some, TRIED))
    every, first = np.unique(np.concatenate(keys), return_index=True)
    own = {f.name: getattr(model, f.name) for f in fields(Model)}
    answers = np.concatenate(said)[first], np.concatenate(sure)[first]
    return Knowing(**own, kind=kind, keys=every, said=answers[0], sure=answers[1])


OTHER = "name an answer of this very model, or leave out --known"
"""What to do about an answer of another model."""


def _answers(kind: Kind, path: Path) -> Iterator[tuple[Sequence[Any], list[str], np.ndarray]]:
    """Items, labels ("" of none) and probabilities of an answer, block by block."""
    for file in files_of(path):
        if not holds_table(file):
            raise DataError(f"--known {file}: no table")
        for table in in_blocks(file, USUAL, Notes()):
            names = [str(name) for name in table.frame.columns]
            if PREDICTED not in names or PROBABILITY not in names:
                raise DataError(f"--known {file}: no columns {PREDICTED} and {PROBABILITY}, as tutelage predict writes")
            numbered = (re.fullmatch(rf"{PREDICTED}_([0-9]+)", name) for name in names)
            last = max((int(found[1]) for found in numbered if found), default=0)
            end = f"_{last}" if f"{PROBABILITY}_{last}" in names else ""  # beside columns of the user's of such names
            found = kind.entries(Block.of(file, table), USUAL, Notes(), POOL)
            if len(found) != len(table.frame):
                raise DataError(f"--known {file}: some of its rows cannot be read as {kind.words.things}: {OTHER}")
            labels = [as_label(cell) or "" for cell in table.frame[f"{PREDICTED}{end}"]]
            top = pd.to_numeric(table.frame[f"{PROBABILITY}{end}"], errors="coerce").fillna(0.0)
            yield found.items, [str(label) for label in labels], top.to_numpy(np.float64)


def _require_own(model: Model, path: Path, some: Sequence[tuple[Any, int, float]]) -> None:
    """Check that answers are those of a model, by labelling some of their items anew.

    Raises:
        DataError: there are none, or they are not.
    """
    if not some:
        raise DataError(f"--known {path}: no row of it has a label")
    items: Any = [item for item, _, _ in some]
    items = np.stack(items) if isinstance(items[0], np.ndarray) else items
    p = model.probabilities(items)
    said, top = np.array([k for _, k, _ in some]), np.array([t for _, _, t in some])
    other = p.max(1) - p[np.arange(len(said)), said] > TIED
    same = ~other & (np.abs(p.max(1) - top) <= 1e-12 + SAME * (1 - p.max(1)))
    if same.mean() < AGREE:
        raise DataError(
            f"--known {path}: of {len(some)} rows that were labelled anew {int((~same).sum())} have another label or "
            f"probability there, so that it is the answer of another model: {OTHER}"
        )
    if other.any():
        raise DataError(
            f"--known {path}: of {len(some)} rows that were labelled anew {int(other.sum())} have another label there, "
            f"so that labels were changed since the model gave them: name its answer as it was written, or leave out "
            "--known"
        )
