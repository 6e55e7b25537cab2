"""An encoder that is adapted to the labels, in a fit: each fold gets an encoder of its own."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from tutelage.adapting.how import Adapting
from tutelage.adapting.run import kept, learnt, seconds
from tutelage.data import Examples
from tutelage.fit.build import Build, Items
from tutelage.fit.comparison import Adapted
from tutelage.fit.cost import AdaptingCost
from tutelage.fit.forecast import ADAPTING
from tutelage.fit.problem import Problem
from tutelage.fit.setup import Store, StoredPart
from tutelage.modalities.base import Encodes, features
from tutelage.ops.meter import now, stage
from tutelage.types import Say, Tick

TIMED = 256
"""Items, at most, that are encoded to estimate the time: enough to fill batches as the whole pool does."""

POOL_OF_A_FOLD = 1000
"""Items of the pool, at most, that a fold's encoder encodes: its training sees no more of them, which saves most of the
time where texts are long."""

Finish = Callable[[Problem], Problem]
"""Function that gives a problem what does not depend on features, such as the labels of a brought teacher."""


@dataclass(frozen=True)
class AdaptedFeatures:
    """Problems on features of encoders that are adapted to the labels.

    A fold's encoder learns this fold's labels alone, and no other encoder gives features to the fold. Encoders are
    parts of the store, so that a stopped fit goes on.

    Attributes:
        items: items of the fit.
        labelled: the labelled items as examples, for the numbers of their units.
        build: how a problem is made of them; its reader has the encoder as it is.
        how: how the encoder is adapted.
        seed: seed of the adaptations.
        store: store of finished parts.
        tick: called with the progress.
        finish: function that completes a problem.
        scratch: folder for features of encoders that nobody will need again.
    """

    items: Items
    labelled: Examples
    build: Build
    how: Adapting
    seed: int
    store: Store
    tick: Tick
    finish: Finish
    scratch: Path
    _readers: dict[bytes, Encodes] = field(default_factory=dict, init=False)

    def problems(self) -> Adapted:
        """The problems, each made when it is asked for."""
        return Adapted(self.labels, lambda: self.whole)

    def labels(self) -> Problem:
        """Problem of the labelled items, with an empty pool; its labels-only model is a logistic regression."""
        nothing = np.arange(0)
        return replace(self._problem(self._everything, nothing, self._by_fold(nothing)), decays=())

    @cached_property
    def whole(self) -> Problem:
        """Problem with the pool; a fold sees a part of the pool."""
        return self._problem(self._everything, np.arange(len(self.items.pool)), self._by_fold(self._drawn))

    @property
    def _drawn(self) -> np.ndarray:
        """Numbers of the pool's items that a fold sees, ascending."""
        return np.sort(np.random.default_rng(self.seed).permutation(len(self.items.pool))[:POOL_OF_A_FOLD])

    def _by_fold(self, rows: np.ndarray) -> Callable[[np.ndarray], Problem]:
        """Function that gives the problem of a fold with these items of the pool, each made once."""
        made: dict[bytes, Problem] = {}

        def by_fold(index: np.ndarray) -> Problem:
            if index.tobytes() not in made:
                made[index.tobytes()] = self._problem(index, rows, None)
            return made[index.tobytes()]

        return by_fold

    @property
    def _everything(self) -> np.ndarray:
        return np.arange(len(self.items.labelled))

    def _problem(self, index: np.ndarray, rows: np.ndarray, by_fold: Callable[[np.ndarray], Problem] | None) -> Problem:
        """Problem on the features of the encoder that is adapted to the labels ``index``.

        Args:
            index: numbers of the labelled items.
            rows: numbers of the pool's items.
            by_fold: function that gives the problem of a fold.
        """
        items, whole = self.items, len(rows) == len(self.items.pool)
        part = replace(
            items, pool=items.pool if whole else [items.pool[i] for i in rows], covered=None, target=None,
            truth=None if items.truth is None else items.truth[rows],
        )  # fmt: skip
        with stage(ADAPTING):
            build = replace(self.build, reader=self.reader(index), cache=self.scratch)
            problem = build.of(part).problem(self.tick)
        return self.finish(replace(problem, by_fold=by_fold, pool_rows=None if whole else rows))

    def reader(self, index: np.ndarray) -> Encodes:
        """Reader with the encoder that is adapted to the labelled items of these numbers, (k,), and to no other."""
        key = index.tobytes()
        if key not in self._readers:
            self._readers[key] = self._adapted(index)
        return self._readers[key]

    def _adapted(self, index: np.ndarray) -> Encodes:
        items, groups = self.items, self.items.grouped
        base: Any = self.build.reader
        if groups is not None and groups.shared:  # of copies one is read
            single = len(items.y) == len(items.labelled)
            index = np.intersect1d(index, groups.first(items.y if single else None))
        examples = [items.labelled[i] for i in index]
        y = items.y[self.labelled.units(index)]

        name = f"adapted-{digest(index)}"

        def compute(path: Path | None) -> StoredPart:
            tick = partial(self._ticked, len(index))
            given = base, examples, y, items.task, self.how
            return learnt(*given, seed=self.seed, path=path, tick=tick, name=name), None

        weights, _ = self.store.once(name, compute)
        found: Encodes = kept(base, weights, self.how, examples)
        return found

    def _ticked(self, labels: int, what: str, done: int, total: int) -> None:
        self.tick(f"adapting the encoder to {labels} labels", done, total)

    def cost(self) -> AdaptingCost:
        """Estimate of what adapting costs, timed on a few steps and a few items."""
        reader: Any = self.build.reader
        each = seconds(reader, self.items.labelled, self.items.y, self.items.task, self.how)
        part = [self.items.pool[i] for i in self._drawn]
        read = [item for items in self.build.of(replace(self.items, pool=part)).of_pool for item in items]
        different = list({str(item): item for item in read or self.items.labelled}.values())
        few = neighbours(sorted(different, key=lambda item: len(str(item))), min(TIMED, max(len(different) // 2, 32)))
        with tempfile.TemporaryDirectory() as folder:
            features(reader, few[:2], Path(folder) / "first")  # the first pass is slower than the rest
            start = now()
            features(reader, few, Path(folder) / "rest")
            row = (now() - start) / len(few)
        weights = sum(p.numel() for p in reader.encoder.model.parameters())
        return AdaptingCost(each, row, POOL_OF_A_FOLD, len(different) / max(len(part), 1), weights)


def neighbours(ordered: Sequence[Any], count: int, block: int = 32) -> list[Any]:
    """About so many of the items, in blocks of neighbours at equal distances.

    An encoder reads texts of similar length together: few texts of all lengths would take longer, each, than many.

    Args:
        ordered: items in the order of their lengths.
        count: number of items that are taken.
        block: number of neighbours.

    >>> neighbours(range(12), 4, block=2)
    [0, 1, 6, 7]
    """
    blocks = [ordered[i : i + block] for i in range(0, len(ordered), block)]
    return [item for some in blocks[:: max(len(blocks) * block // count, 1)] for item in some]


def can_adapt(items: Items, problem: Problem, say: Say | None) -> bool:
    """Whether the encoder can be adapted to the labels; a reason against it is said.

    Args:
        items: items of the fit.
        problem: problem on the features of the encoder as it is.
        say: called with the reason.
    """
    counts = np.unique(items.y[items.y >= 0], return_counts=True)[1]
    if not getattr(problem.reader, "adapts", False):
        reason = f"{getattr(problem.reader, 'says', 'the reader')} is no transformer, which could be trained"
    elif len({str(item) for item in items.labelled}) < 2:
        reason = f"all {len(items.labelled)} labelled items are alike"
    elif len(counts) < 2 or counts.min() < 2:
        reason = "that needs at least two labels of each class that has any, of two classes"
    else:
        return True
    if say:
        say(f"The encoder is not adapted: {reason}.")
    return False


def digest(index: np.ndarray) -> str:
    """Name of a set of labelled items, for a part of the store, from their numbers."""
    return hashlib.blake2b(index.astype(np.int64).tobytes(), digest_size=6).hexdigest()
