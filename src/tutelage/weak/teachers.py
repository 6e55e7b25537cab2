"""What a teacher said of rows, read from columns of tables or from Python values and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from tutelage.tables import DataError, Notes, as_label, column
from tutelage.tables.cells import noun
from tutelage.tables.decimals import with_points
from tutelage.types import Say
from tutelage.weak.accuracies import ACCURACY
from tutelage.weak.missing_class import instead_of
from tutelage.weak.sources import Source
from tutelage.weak.votes import ABSTAIN

NEAR = 0.02
"""Distance of a row's sum from one, up to which it counts as rounded and is divided by the sum."""

EXACT = 1e-6
"""Distance of a row's sum from one, up to which the row is left as it is, to the bit."""


@runtime_checkable
class Said(Protocol):
    """What a teacher said of n rows, before the classes are known."""

    @property
    def name(self) -> str:
        """Name of the teacher, for people."""

    @property
    def covered(self) -> np.ndarray:
        """Mask of the rows that the teacher speaks of, (n,)."""

    def labels(self) -> list[Any]:
        """Classes that the teacher knows."""

    def where(self, keep: np.ndarray) -> Self:
        """What is said of the rows that the mask ``keep``, (n,), selects."""

    def renamed(self, name: Callable[[str], str | None]) -> Self:
        """The same, whose classes have other names."""

    def source(self, classes: Sequence[Any]) -> Source:
        """The probabilities of these classes.

        Raises:
            DataError: the teacher does not know a class; the message names the nearest that it knows.
        """

    def guesses(self) -> np.ndarray:
        """Class that the teacher takes for the likeliest, as `as_label` writes it, (n,); "" where it is silent."""


@dataclass(frozen=True, eq=False)
class SaidTable:
    """Probabilities of k classes that a teacher gave n rows.

    Attributes:
        name: name of the teacher, for people.
        file: name of the file or argument, for messages.
        classes: the k classes.
        table: probabilities, (n, k); a row of NaN is silent.
        prefix: what stands before a class in the name of its column, for messages.
        learnt: mask of the rows whose labels the teacher learnt itself, (n,); None: it learnt none.
    """

    name: str
    file: str
    classes: list[Any]
    table: np.ndarray
    prefix: str = ""
    learnt: np.ndarray | None = None

    @property
    def covered(self) -> np.ndarray:
        return np.asarray(~np.isnan(self.table[:, 0]))

    def labels(self) -> list[Any]:
        return list(self.classes)

    def where(self, keep: np.ndarray) -> SaidTable:
        return replace(self, table=self.table[keep], learnt=None if self.learnt is None else self.learnt[keep])

    def renamed(self, name: Callable[[str], str | None]) -> SaidTable:
        return replace(self, classes=[name(c) or c if isinstance(c, str) else c for c in self.classes])

    def source(self, classes: Sequence[Any]) -> Source:
        own = {str(as_label(c)): i for i, c in reversed(list(enumerate(self.classes)))}
        names = [str(as_label(c)) for c in classes]
        for name in names:
            if name not in own:
                says = f"{self.file}: teacher {self.name!r} has no column for class {name!r}"
                raise DataError(f"{says}; {instead_of(name, list(own)[::-1], self.prefix)}")
        return Source(self.name, self.table[:, [own[name] for name in names]], self.learnt)

    def guesses(self) -> np.ndarray:
        names = np.array([str(as_label(c)) for c in self.classes], dtype=object)
        return np.where(self.covered, names[np.nan_to_num(self.table, nan=0.0).argmax(1)], "")


@dataclass(frozen=True, eq=False)
class SaidLabels:
    """Labels that a teacher gave n rows, perhaps with its confidence in each.

    Attributes:
        name: name of the teacher, for people.
        given: label of each row, (n,), of objects; None is silent.
        confidence: probability that the label is right, (n,); NaN where it is not known.
    """

    name: str
    given: np.ndarray
    confidence: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        return np.array([label is not None for label in self.given], dtype=bool)

    def labels(self) -> list[Any]:
        return sorted({label for label in self.given if label is not None})

    def where(self, keep: np.ndarray) -> SaidLabels:
        return replace(self, given=self.given[keep], confidence=self.confidence[keep])

    def renamed(self, name: Callable[[str], str | None]) -> SaidLabels:
        given = np.array([None if label is None else name(label) for label in self.given], dtype=object)
        return replace(self, given=given)

    def source(self, classes: Sequence[Any]) -> Source:
        """The probabilities of these classes: the confidence for the label, the rest in equal shares for the others.

        A label without a confidence has the one that label models give a rule, 0.8.
        """
        at = {str(as_label(c)): i for i, c in enumerate(classes)}
        rows = np.flatnonzero(self.covered)
        sure = np.where(np.isnan(self.confidence), ACCURACY, self.confidence)[rows]
        table = np.full((len(self.given), len(classes)), np.nan)
        table[rows] = ((1 - sure) / (len(classes) - 1))[:, None]
        table[rows, [at[label] for label in self.given[rows]]] = sure
        return Source(self.name, table)

    def guesses(self) -> np.ndarray:
        return np.where(self.covered, self.given, "")


def read_columns(
    table: pd.DataFrame, prefix: str, path: str | Path, say: Say, others: Sequence[str | None] = ()
) -> SaidTable:
    """Probabilities in the columns of a table whose names are a prefix and a class.

    Percentages and logarithms of probabilities are recognised, said and turned into probabilities.

    Args:
        table: table from `tutelage.tables.read_table`.
        prefix: what stands before the class in the names of the columns.
        path: file of the table, for messages.
        say: called with sentences for the user.
        others: columns that hold nothing of the teacher, although their names begin with the prefix.

    Raises:
        DataError: there are no two such columns, a cell is no number, a row is filled in part, or a row is no
            probability distribution; the message names file, row and column.

    >>> said = read_columns(pd.DataFrame({"p_ham": ["90", ""], "p_spam": ["10", ""]}), "p_", "a.csv", print)
    Teacher p_: the numbers in a.csv are percentages; they are divided by 100.
    >>> said.classes, said.table.tolist()
    (['ham', 'spam'], [[0.9, 0.1], [nan, nan]])
    """
    passed = frozenset(others)
    names = [str(c) for c in table.columns if str(c).startswith(prefix) and str(c) != prefix and c not in passed]
    if len(names) < 2:
        have = ", ".join(map(repr, table.columns[:20]))
        found = f"only {names[0]!r}" if names else "none"
        raise DataError(
            f"{path}: the teacher needs a column {prefix}CLASS for each class, at least two, got {found}; it has {have}"
        )
    classes = [name.removeprefix(prefix).strip() for name in names]
    twice = [name for i, name in enumerate(names) if classes[i] in classes[:i]]
    if twice:
        raise DataError(f"{path}: two columns of the teacher are for class {twice[0].removeprefix(prefix).strip()!r}")
    table = with_points(table, names, path, Notes(say))
    cells = np.stack([_numbers(table[name], name, path) for name in names], axis=1)
    place = _in_file(path, names)
    probabilities = distributions(
        cells, place, lambda what: say(f"Teacher {prefix}: the numbers in {path} are {what}.")
    )
    return SaidTable(prefix, str(path), classes, probabilities, prefix)


def _in_file(path: str | Path, names: Sequence[str]) -> Callable[[int, int | None], str]:
    def place(row: int, j: int | None) -> str:
        columns = f"columns {', '.join(names[:6])}{', ...' * (len(names) > 6)}" if j is None else f"column {names[j]!r}"
        return f"{path}, row {row + 1}, {columns}"

    return place


def _numbers(cells: pd.Series, name: str, path: str | Path) -> np.ndarray:
    """Cells as numbers, (n,); NaN where one is empty."""
    found = np.empty(len(cells))
    for i, cell in enumerate(cells):
        try:
            found[i] = np.nan if as_label(cell) is None else float(cell)
        except (TypeError, ValueError):
            shown = repr(cell) if isinstance(cell, str) else noun(cell)
            raise DataError(f"{path}, row {i + 1}, column {name!r}: {shown} is no number") from None
    return found


def distributions(table: np.ndarray, place: Callable[[int, int | None], str], say: Say) -> np.ndarray:
    """Rows of numbers as probabilities that sum to one, (n, k); rows of NaN stay.

    Args:
        table: probabilities, percentages or logarithms of probabilities, (n, k).
        place: names the place of a row and, where it is not None, of a column, for messages.
        say: called with what the numbers are, where they are no probabilities.

    Raises:
        DataError: a row is filled in part, or is no probability distribution.
    """
    gaps = np.isnan(table)
    part = np.flatnonzero(gaps.any(1) & ~gaps.all(1))
    if len(part):
        i = int(part[0])
        j = int(np.flatnonzero(gaps[i])[0])
        raise DataError(f"{place(i, j)}: empty, but other classes have a number; give each class one, or none")
    speaks = ~gaps.all(1)
    said = table[speaks]
    if not len(said):
        return table
    if said.max() <= 0 and not np.isposinf(said).any():
        powers = np.exp(said)
        if (np.abs(powers.sum(1) - 1) <= NEAR).all():
            say("logarithms of probabilities; their exponentials are taken")
            said = powers
    elif np.isfinite(said).all() and said.min() >= 0 and (np.abs(said.sum(1) - 100) <= 100 * NEAR).all():
        say("percentages; they are divided by 100")
        said = said / 100
    _require_distributions(said, np.flatnonzero(speaks), place)
    sums = said.sum(1, keepdims=True)
    found = table.copy()
    found[speaks] = np.where(np.abs(sums - 1) <= EXACT, said, said / sums)
    return found


def _require_distributions(said: np.ndarray, rows: np.ndarray, place: Callable[[int, int | None], str]) -> None:
    bad = np.argwhere(~np.isfinite(said) | (said < 0))
    if len(bad):
        i, j = map(int, bad[0])
        logits = "; if these are logits, write their softmax" if np.isfinite(said).all() else ""
        raise DataError(f"{place(int(rows[i]), j)}: a probability must be in [0, 1], got {said[i, j]:g}{logits}")
    off = np.flatnonzero(np.abs(said.sum(1) - 1) > NEAR)
    if len(off):
        i = int(off[0])
        raise DataError(
            f"{place(int(rows[i]), None)}: the probabilities of a row must sum to one, got {said[i].sum():.4g} "
            f"({len(off)} of {len(said)} rows do not); if they were rounded, divide each by its row's sum"
        )


def read_labels(table: pd.DataFrame, label: str, confidence: str | None, path: str | Path, say: Say) -> SaidLabels:
    """Labels that a teacher gave the rows of a table.

    Args:
        table: table from `tutelage.tables.read_table`.
        label: column of the teacher's labels; an empty cell, or -1, is silent.
        confidence: column of its confidence in each label, in [0, 1]; None where there is none.
        path: file of the table, for messages.
        say: called with sentences for the user.

    Raises:
        DataError: there is no such column, or a confidence is no number or out of its range.

    >>> said = read_labels(pd.DataFrame({"by": ["ham", ""], "sure": ["0.7", ""]}), "by", "sure", "a.csv", print)
    >>> said.source(["ham", "spam"]).table.round(2).tolist()
    [[0.7, 0.3], [nan, nan]]
    """
    given = np.array([as_label(cell) for cell in column(table, label, path)], dtype=object)
    given[given == ABSTAIN] = None
    sure = np.full(len(given), np.nan)
    if confidence is not None:
        column(table, confidence, path)
        table = with_points(table, [confidence], path, Notes(say), lists=False)
        sure = _numbers(table[confidence], confidence, path)
        known = sure[~np.isnan(sure)]
        if len(known) and known.max() <= 0 and known.min() < 0:
            say(f"Teacher {label}: the confidences in {path} are logarithms; their exponentials are taken.")
            sure = np.exp(sure)
        elif len(known) and known.min() >= 0 and known.max() <= 100 and (known > 1).mean() >= 0.5:
            say(f"Teacher {label}: the confidences in {path} are percentages; they are divided by 100.")
            sure = sure / 100
        bad = np.flatnonzero(~np.isnan(sure) & ~((sure >= 0) & (sure <= 1)))
        if len(bad):
            i = int(bad[0])
            raise DataError(
                f"{path}, row {i + 1}, column {confidence!r}: a confidence must be in [0, 1], got {sure[i]:g}"
            )
    return SaidLabels(label, given, sure)


def said_values(given: Any, rows: int, classes: Sequence[Any] | None, argument: str, say: Say) -> SaidTable:
    """Probabilities made of Python values.

    Args:
        given: probabilities, (rows, k); a row of NaN is silent. The columns of a data frame name the classes.
        rows: number of items.
        classes: classes of the columns where it is no data frame; None numbers them from 0.
        argument: name of the argument, for messages.
        say: called with what the numbers are, where they are no probabilities.

    Raises:
        ValueError: the shape is another, or there is not one column for each class.
        DataError: a row is no probability distribution.

    >>> said_values([[0.9, 0.1]], 1, ["ham", "spam"], "teacher", print).labels()
    ['ham', 'spam']
    """
    try:
        table = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{argument} must be probabilities, of shape ({rows}, classes), got {str(given)[:60]}"
        ) from None
    if table.ndim != 2 or len(table) != rows:
        raise ValueError(f"{argument} must be of shape ({rows}, classes), got {table.shape}")
    own = list(given.columns) if isinstance(given, pd.DataFrame) else classes
    own = list(range(table.shape[1])) if own is None else list(own)
    if len(own) != table.shape[1]:
        raise ValueError(
            f"{argument} must have a column for each of the {len(own)} classes {', '.join(map(str, own[:6]))}"
            f"{', ...' * (len(own) > 6)}, got {table.shape[1]}; the columns of a data frame name theirs"
        )

    names = [str(as_label(name)) for name in own]
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(f"{argument} must have one column for each class, got two for {twice!r}")

    def place(row: int, j: int | None) -> str:
        return f"{argument}[{row}]" if j is None else f"{argument}[{row}, {j}]"

    return SaidTable(argument, argument, own, distributions(table, place, say))
