"""Sources: what teachers say of rows, as tables of probabilities, and the one label model that adds them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import softmax

from tutelage.weak.by_features import BY_FEATURES
from tutelage.weak.calibration import FLOOR, Calibration, chosen, fitted, folds_of
from tutelage.weak.label_models import DEFAULT, label
from tutelage.weak.votes import Votes


@dataclass(frozen=True, eq=False)
class Source:
    """What a teacher says of n rows.

    Args:
        name: name of the teacher, for people.
        table: probabilities of the c classes, (n, c); a row of NaN is silent.
        learnt: mask of the rows whose labels the teacher learnt itself, (n,); None: it learnt none.

    Raises:
        ValueError: the table is not of that shape, a row is part NaN, a probability is outside [0, 1], or a row does
            not sum to one within 1e-3.

    >>> Source("old model", np.array([[0.9, 0.1], [np.nan, np.nan]])).covered.tolist()
    [True, False]
    """

    name: str
    table: np.ndarray
    learnt: np.ndarray | None = None

    def __post_init__(self) -> None:
        table = np.asarray(self.table, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] < 2:
            raise ValueError(f"source {self.name!r} must be of shape (rows, classes), got {table.shape}")
        gaps = np.isnan(table)
        said = table[~gaps.any(1)]
        if (gaps.any(1) != gaps.all(1)).any():
            row = int(np.flatnonzero(gaps.any(1) != gaps.all(1))[0])
            raise ValueError(f"source {self.name!r}, row {row}: a row is all NaN or none, got {table[row]}")
        if said.size and not (said.min() >= 0 and said.max() <= 1 and np.abs(said.sum(1) - 1).max() <= 1e-3):
            raise ValueError(f"source {self.name!r} must hold probabilities that sum to one in each row")
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.table.shape[1])

    @property
    def covered(self) -> np.ndarray:
        """Mask of the rows that the teacher speaks of, (n,)."""
        return np.asarray(~np.isnan(self.table[:, 0]))

    def where(self, keep: np.ndarray) -> Source:
        """What the teacher says of the rows that a mask, (n,), or row numbers, (k,), select."""
        return replace(self, table=self.table[keep], learnt=None if self.learnt is None else self.learnt[keep])


@dataclass(frozen=True, eq=False)
class Voted:
    """Votes of rules on n rows, which a label model turns into a source by the labels that may be used.

    Attributes:
        name: name of the rules together, for people.
        votes: the votes.
        model: name of the label model; one that reads features counts as the default one until there are features.
        rows: features of the rows, (n, d); None: they were not read.
    """

    name: str
    votes: Votes
    model: str = DEFAULT
    rows: np.ndarray | None = None

    @property
    def reads(self) -> bool:
        """Whether the label model reads features."""
        return self.model in BY_FEATURES

    def __len__(self) -> int:
        return len(self.votes)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.votes.classes)

    @property
    def covered(self) -> np.ndarray:
        """Mask of the rows that a rule votes on, (n,)."""
        return self.votes.covered

    def where(self, keep: np.ndarray) -> Voted:
        """Votes on the rows that a mask, (n,), or row numbers, (k,), select."""
        return replace(self, votes=self.votes.subset(keep), rows=None if self.rows is None else self.rows[keep])

    def source(self, y: np.ndarray) -> Source:
        """The source that the label model makes of the votes.

        Args:
            y: class numbers of the rows whose labels may be used, (n,); -1 is unknown.
        """
        covered = self.covered
        table = np.full((len(self), self.classes), np.nan)
        if covered.any():
            model = DEFAULT if self.reads and self.rows is None else self.model
            table[covered] = label(self.votes, model, y, self.rows)[covered]
        return Source(self.name, table)


@dataclass(frozen=True, eq=False)
class Combined:
    """What several sources say together.

    Attributes:
        probabilities: probabilities of the classes, (n, c); NaN where all sources are silent.
        held_out: the same of the labelled rows, each by a calibration that has not seen its label, (n, c); NaN
            elsewhere.
        calibration: map of the sources' logits that was learnt on all labels.
        summary: plain values: "calibration", the name of the freedom; "labels", the number of labels that it was
            learnt on; "covered", the number of rows; and "sources", a dictionary for each with "name", "covered" and,
            with labels, "accuracy" on these.
    """

    probabilities: np.ndarray
    held_out: np.ndarray
    calibration: Calibration
    summary: dict[str, Any]


def combine(
    sources: Sequence[Source | Voted], y: np.ndarray | None = None, seed: int = 0, held_out: bool = True
) -> Combined:
    """Probabilities of the classes by all sources together, in one label model.

    The sources' logits, which are their log-probabilities less the mean over classes, are calibrated (see
    `tutelage.weak.calibration`) and averaged over the sources that speak of the row: the geometric mean of their
    probabilities. Without labels, or where no calibration predicts held-out labels better, the calibration is the
    identity. One source alone then comes out bit for bit. The mean is taken, and not the sum, since teachers err
    together more often than not: beside rules, its likelihood was greater on four of five sets of texts.

    Args:
        sources: sources of the same n rows and c classes, at least one; votes become one by their label model.
        y: class numbers of the rows whose labels may be used, (n,); -1 is unknown.
        seed: seed of the folds.
        held_out: whether the labelled rows are predicted by calibrations that have not seen their labels, too, which
            takes ten times as long; else `Combined.held_out` is all NaN.

    Raises:
        ValueError: there is no source, shapes differ, or ``y`` has the wrong shape or is out of range.

    >>> a, b = Source("a", np.array([[0.6, 0.4], [0.2, 0.8]])), Source("b", np.array([[0.6, 0.4], [np.nan, np.nan]]))
    >>> combine([a, b]).probabilities.round(2).tolist()
    [[0.6, 0.4], [0.2, 0.8]]
    """
    y = _checked(sources, y)
    known = np.flatnonzero(np.any([source.covered for source in sources], axis=0) & (y >= 0))
    tables = _tables(sources, y)
    calibration = _calibrated(tables, y, known, seed)
    unseen = np.full((len(y), tables[0].classes), np.nan)
    if held_out and len(known):
        fold = folds_of(y[known], seed)
        for k in np.unique(fold):
            out = known[fold == k]
            hidden = np.where(np.isin(np.arange(len(y)), out), -1, y)
            without = _tables(sources, hidden)
            inner = _calibrated(without, hidden, known[fold != k], seed)
            unseen[out] = _said([table.where(out) for table in without], inner)
    summary = {
        "calibration": calibration.freedom.name, "labels": len(known),
        "covered": int(np.any([source.covered for source in sources], axis=0).sum()),
        "sources": [_about(table, y) for table in tables],
    }  # fmt: skip
    return Combined(_said(tables, calibration), unseen, calibration, summary)


def _tables(sources: Sequence[Source | Voted], y: np.ndarray) -> list[Source]:
    """The sources as tables of probabilities; the votes by a label model that may use the labels ``y``, (n,)."""
    return [source.source(y) if isinstance(source, Voted) else source for source in sources]


def _calibrated(tables: Sequence[Source], y: np.ndarray, rows: np.ndarray, seed: int) -> Calibration:
    """The calibration that the labels of some rows choose; ``rows`` are their numbers, (k,).

    A source that is silent on all of these rows is left as it is, and changes nothing for the others.
    """
    z, weight = _logits([table.where(rows) for table in tables])
    speaks = weight.any(1)
    z, weight = z[speaks], weight[speaks]
    found = fitted(z, weight, y[rows], chosen(z, weight, y[rows], seed))
    everyone = Calibration.identity(len(tables), tables[0].classes)
    everyone.scales[speaks], everyone.shifts[speaks] = found.scales, found.shifts
    mixes = None
    if found.mixes is not None:
        mixes = np.zeros((len(tables), *found.mixes.shape[1:]))
        mixes[speaks] = found.mixes
    return replace(everyone, mixes=mixes, freedom=found.freedom)


def _checked(sources: Sequence[Source | Voted], y: np.ndarray | None) -> np.ndarray:
    """The class numbers, after they and the sources were checked."""
    if not sources:
        raise ValueError("sources must be at least one")
    n, c = len(sources[0]), sources[0].classes
    for source in sources[1:]:
        if (len(source), source.classes) != (n, c):
            got = (len(source), source.classes)
            raise ValueError(f"source {source.name!r} must be of shape {(n, c)}, got {got}")
    y = np.full(n, -1) if y is None else np.asarray(y)
    if y.shape != (n,):
        raise ValueError(f"y must have shape {(n,)}, got {y.shape}")
    if n and not -1 <= y.min() <= y.max() < c:
        raise ValueError(f"y must be in -1..{c - 1}, got {y.min()}..{y.max()}")
    return y


def _logits(sources: Sequence[Source]) -> tuple[np.ndarray, np.ndarray]:
    """Logits of each source, (m, n, c), and its weight in each row, (m, n); both are 0 where it is silent."""
    covered = np.stack([source.covered for source in sources])
    tables = np.nan_to_num(np.stack([source.table for source in sources]), nan=1.0)
    logs = np.log(np.maximum(tables, FLOOR / tables.shape[2]))
    z = (logs - logs.mean(2, keepdims=True)) * covered[..., None]
    return z, covered / np.maximum(covered.sum(0), 1)


def _said(tables: Sequence[Source], calibration: Calibration) -> np.ndarray:
    """Combined probabilities, (n, c); those of a source that speaks alone and is not calibrated are its own."""
    z, weight = _logits(tables)
    p = softmax(calibration(z, weight), axis=1)
    speaking = weight > 0
    p[~speaking.any(0)] = np.nan
    if calibration.is_identity:
        alone = speaking.sum(0) == 1
        for table, speaks in zip(tables, speaking, strict=True):
            p[alone & speaks] = table.table[alone & speaks]
    return np.asarray(p)


def _about(source: Source, y: np.ndarray) -> dict[str, Any]:
    """Plain values about a source, for the summary."""
    known = source.covered & (y >= 0)
    right = source.table[known].argmax(1) == y[known]
    return {
        "name": source.name,
        "covered": int(source.covered.sum()),
        "accuracy": float(right.mean()) if len(right) else None,
    }
