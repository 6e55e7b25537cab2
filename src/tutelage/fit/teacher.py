"""A brought teacher in a fit: its sources, combined anew for each fold with that fold's labels alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.data import Examples, Features
from tutelage.data.heard import Heard
from tutelage.fit.build import Items, rows_of
from tutelage.fit.described import described_head, described_source, sentences_of
from tutelage.fit.pinned import pinned
from tutelage.fit.problem import Problem, WeakLabels
from tutelage.fit.setup import Store
from tutelage.modalities.base import ReadsMeaning
from tutelage.types import Say
from tutelage.weak import Source, Voted, combine


def brought(
    items: Items, problem: Problem, cache: Path | None, pins: Store | None = None, spares_tested: bool = False,
    say: Say | None = None,
) -> BroughtTeacher | None:  # fmt: skip
    """The teacher that the sources and the descriptions of the classes make together; None where there are neither.

    Args:
        items: items of the fit.
        problem: problem on the features of the encoder as it is, which reads the descriptions, too.
        cache: folder of the feature cache; None keeps nothing.
        pins: store that keeps the features that are read; None keeps none.
        spares_tested: whether nobody is listened to on items of the pool that are copies of test items.
        say: told what is left out.

    Raises:
        ValueError: classes are described, but the items are no texts with an encoder; or a label model reads features,
            but the encoder is trained.
    """
    sources = [_reading(source, problem) for source in items.sources]
    if items.described is not None:
        sources.append(_described(items, problem, cache, pins))
    unheard = items.tested if spares_tested else None
    if unheard is not None and say:
        say(f"Left out: {unheard.sum():,} of {len(unheard):,} unlabelled items, which are copies of test items.")
    return BroughtTeacher(sources, problem.y, unheard) if sources else None


def _reading(source: Source | Voted, problem: Problem) -> Source | Voted:
    """The source, whose label model has the features that it reads."""
    if not isinstance(source, Voted) or not source.reads:
        return source
    if not isinstance(problem.pool, Features) or problem.pool.rows.ndim != 2:
        raise ValueError(f"label model {source.model!r} reads fixed features of each item: leave out finetune")
    rows = torch.cat([rows_of(problem.labelled), rows_of(problem.pool)])
    return replace(source, rows=rows.cpu().numpy())


def _described(items: Items, problem: Problem, cache: Path | None, pins: Store | None) -> Source:
    """What the descriptions of the classes say of the labelled items, and then of the pool's."""
    if not isinstance(problem.reader, ReadsMeaning) or not isinstance(problem.pool, Features):
        raise ValueError("classes are described only to a frozen encoder of texts: leave out finetune")
    sentences, classes = sentences_of(items.described or ())
    reader = problem.reader.meaning
    encoding = pinned(reader, reader.encoding([items.labelled, items.pool, sentences], cache), pins, "described")
    assert encoding is not None
    labelled, pool, rows = (rows_of(found).cpu() for found in encoding.features())
    return described_source(described_head(rows, classes, pool if len(pool) else labelled), labelled, pool)


@dataclass(frozen=True, eq=False)
class BroughtTeacher:
    """What sources said of the labelled items and of the pool's, as weak labels of the pool.

    Attributes:
        sources: what each source said of the labelled items, and then of the pool's, (n, c) each.
        y: class numbers of the labelled items, (l,).
        unheard: mask of the pool's items on which nobody is listened to, (n,); None: everywhere.
    """

    sources: Sequence[Source | Voted]
    y: np.ndarray
    unheard: np.ndarray | None = None

    def labels(self, pool: Examples, index: np.ndarray | None = None, rows: np.ndarray | None = None) -> WeakLabels:
        """Weak labels of the pool by all sources together.

        Args:
            pool: examples of the pool.
            index: numbers of the labelled items whose labels may calibrate the sources; None uses no label.
            rows: numbers in the whole pool of the examples ``pool``, (k,); None: they are all of it.
        """
        known = np.full(len(self.sources[0]), -1)
        if index is not None:
            known[index] = self.y[index]
        p = combine(self.sources, known, held_out=False).probabilities[len(self.y) :]
        p = p if self.unheard is None else np.where(self.unheard[:, None], np.nan, p)
        p = p if rows is None else p[rows]
        covered = np.flatnonzero(~np.isnan(p[:, 0]))
        heard = Heard(partial(self._of_labelled, known), partial(self._each, known, rows))
        return WeakLabels(pool.subset(covered), torch.as_tensor(p[covered], dtype=torch.float32), covered, heard)

    def _of_labelled(self, known: np.ndarray) -> torch.Tensor:
        """What all sources together say of the labelled items, (l, c), each calibrated without its own label.

        Args:
            known: class numbers of the rows whose labels may calibrate the sources, (n,); -1 of the others.
        """
        found = combine(self.sources, known)
        count = len(self.y)
        p = np.where(known[:count, None] < 0, found.probabilities[:count], found.held_out[:count])
        return torch.as_tensor(p, dtype=torch.float32)

    def _each(self, known: np.ndarray, rows: np.ndarray | None) -> torch.Tensor:
        """What each source says of the pool by itself, (units, k, c), calibrated as all together are."""
        alone = [combine([s], known, held_out=False).probabilities[len(self.y) :] for s in self.sources]
        p = np.stack(alone, 1)
        return torch.as_tensor(p if rows is None else p[rows], dtype=torch.float32)

    @cached_property
    def about(self) -> dict[str, Any]:
        """Plain values about the sources, for the summary; empty of rules alone, which have their own.

        "teachers": a dictionary for each source; "calibration": the name of its freedom; "accuracy_on_clean_labels": of
        all sources together, each label predicted by a calibration that has not seen it.
        """
        if all(isinstance(source, Voted) for source in self.sources):
            return {}
        known = np.full(len(self.sources[0]), -1)
        known[: len(self.y)] = self.y
        found = combine(self.sources, known)
        sure = found.held_out[: len(self.y)]
        spoken = ~np.isnan(sure[:, 0])
        right = sure[spoken].argmax(1) == self.y[spoken]
        return {
            "teachers": found.summary["sources"], "calibration": found.summary["calibration"],
            "accuracy_on_clean_labels": float(right.mean()) if len(right) else None,
        }  # fmt: skip

    def of(self, problem: Problem) -> Problem:
        """A problem with this teacher's labels, for which no clean label was used."""
        return replace(problem, weak=self.labels(problem.pool, rows=problem.pool_rows), teacher=self)

    def calibrated(self, problem: Problem) -> Problem:
        """The problem with the teacher calibrated on all labels, and in each fold on that fold's labels alone."""
        features = problem.for_fold

        def by_fold(index: np.ndarray) -> Problem:
            inner = features(index)
            return replace(inner, weak=self.labels(inner.pool, index, inner.pool_rows), by_fold=None)

        everything = np.arange(len(problem.labelled))
        return replace(problem, weak=self.labels(problem.pool, everything, problem.pool_rows), by_fold=by_fold)
