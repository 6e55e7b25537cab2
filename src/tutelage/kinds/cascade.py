"""A cascade over a table: the student answers what it is sure of, a teacher the rest, and people what remains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from tutelage.fit.abstention import Promise
from tutelage.kinds.answers import ANSWERED_BY, beside_own
from tutelage.kinds.asked_labels import ASKED_BY, GUESS, HAND, ROW, WHY, as_table
from tutelage.kinds.entries import ITEMS, WEAK, InTable
from tutelage.model import Model
from tutelage.tables import PREDICTED, PROBABILITY, DataError, Notes, ReadAs, as_label
from tutelage.types import Tick

if TYPE_CHECKING:
    from tutelage.kinds.base import Kind

STUDENT, TEACHER = "student", "teacher"
"""Who may have answered a row."""

Answers = Callable[[Sequence[Any], int | None], Float[np.ndarray, "n c"]]
"""A teacher: it answers items in their order, at most so many (None: all), by probabilities of the model's classes,
(n, c); of an item that it does not answer they are NaN. A table of answers is one; what asks an endpoint is another."""


@dataclass(frozen=True)
class Cascaded:
    """What a cascade says of the n rows of a table.

    Attributes:
        table: the rows.
        items: the items in them.
        label: label of each row, (n,); None where nobody answered.
        probability: its probability by whoever answered, else by the student, (n,); NaN where nothing could be read.
        by: who answered, STUDENT or TEACHER, (n,); "" for nobody.
        guess: what the student takes for likeliest, (n,).
        rows: number of each row in its file, or name of its file, (n,).
    """

    table: pd.DataFrame
    items: Sequence[Any]
    label: list[Any]
    probability: Float[np.ndarray, " n"]
    by: np.ndarray
    guess: list[Any]
    rows: list[Any]

    @property
    def open(self) -> Int[np.ndarray, " m"]:
        """Numbers of the m rows that nobody has answered, those first of which the student is surest, (m,)."""
        rest = np.flatnonzero(self.by == "")
        return rest[np.argsort(-np.nan_to_num(self.probability[rest]), kind="stable")]

    def with_teacher(self, answers: Answers, classes: Sequence[Any], budget: int | None) -> Cascaded:
        """The same, after a teacher was asked about the rows that nobody has answered.

        It is asked first about those of which the student is surest, so that within a budget the hardest remain for
        people.

        Args:
            answers: the teacher.
            classes: the c classes of the student.
            budget: number of rows, at most, that the teacher answers; None for all.
        """
        rest = self.open.tolist()
        label, probability, by = list(self.label), self.probability.copy(), self.by.copy()
        for i, row in zip(rest, answers([self.items[i] for i in rest], budget) if rest else (), strict=True):
            if not np.isnan(row).any():
                label[i], probability[i], by[i] = classes[int(row.argmax())], float(row.max()), TEACHER
        return replace(self, label=label, probability=probability, by=by)

    def added(self) -> dict[str, Any]:
        """Columns of the answers, by name."""
        return {PREDICTED: self.label, PROBABILITY: self.probability, ANSWERED_BY: [by or None for by in self.by]}

    def left(self, kind: Kind, path: Path, out: Path) -> pd.DataFrame | None:
        """Table of the rows that nobody answered, the least sure first, in the form of `tutelage next`; None of none.

        Args:
            kind: kind of the items.
            path: source of the rows.
            out: file that it is to be written to, for messages.
        """
        index = np.flatnonzero(self.by == "")
        if not len(index):
            return None
        index = index[np.argsort(np.nan_to_num(self.probability[index]), kind="stable")]
        plain: Any = as_table(kind)
        (label,) = (str(getattr(plain, name)) for name in plain.label_columns)
        frame = self.table.iloc[index].reset_index(drop=True)
        found: pd.DataFrame = plain.table_to_ask([self.items[i] for i in index.tolist()], frame, path)
        found = found.assign(**({} if ROW in found else {ROW: [self.rows[i] for i in index.tolist()]}))
        found[label] = pd.Series([None] * len(index), dtype=object)
        guess = ["" if self.guess[i] is None else str(self.guess[i]) for i in index.tolist()]
        why = ["the student is not sure enough, and the teacher did not answer"] * len(index)
        return beside_own(found, {GUESS: guess, WHY: why, ASKED_BY: [HAND] * len(index)}, out, Notes())


def by_student(
    kind: Kind, model: Model, path: Path, promised: Promise, how: ReadAs, notes: Notes, tick: Tick
) -> Cascaded:  # fmt: skip
    """Answer the rows of a table that the promise allows, by the student.

    Args:
        kind: kind of the items.
        model: the student.
        path: table or folder of the items.
        promised: what the student promises of the labels that it gives.
        how: how files are read.
        notes: takes what is noticed.
        tick: called with the progress.

    Raises:
        DataError: an item cannot be read.
    """
    table, said = kind.answered(model, path, how, notes, tick, encoded=False)
    notes.settle()
    found = kind.entries(path, how, Notes(), ITEMS)
    if len(found) != len(table):
        raise DataError(f"{path}: {len(found):,} of {len(table):,} rows can be read: a cascade needs all of them")
    probability = np.asarray(said[PROBABILITY], dtype=np.float64)
    given = promised.answers(np.nan_to_num(probability)) & np.array([label is not None for label in said[PREDICTED]])
    label = [one if g else None for one, g in zip(said[PREDICTED], given, strict=True)]
    by = np.where(given, STUDENT, "").astype(object)
    rows = list(found.places.rows) if isinstance(found.places, InTable) else list(found.names)
    return Cascaded(table, found.items, label, probability, by, list(said[PREDICTED]), rows)


def answers_in(kind: Kind, path: Path, classes: Sequence[Any], how: ReadAs, notes: Notes) -> Answers:
    """A teacher whose answers are in a table, found again by the items.

    Args:
        kind: kind of the items, whose options name the columns of the teacher.
        path: the table.
        classes: the c classes of the student.
        how: how it is read.
        notes: takes what is noticed.

    Raises:
        DataError: the table has no such column, or the teacher says a class that the student does not know.
    """
    made = kind.entries(path, how, notes, replace(WEAK, labels=False))
    names, said = [str(as_label(c)) for c in classes], made.said[0]
    if strange := [label for label in map(str, said.labels()) if label not in names]:
        raise DataError(
            f"{path}: the teacher says {strange[0]!r}, which is none of the run's classes {', '.join(names)}"
        )
    told, covered = said.source(names).table, said.covered
    at: dict[Any, int] = {}
    torn = 0
    for key, row in zip(kind.pool_keys(made.items)[covered].tolist(), np.flatnonzero(covered).tolist(), strict=True):
        torn += int(told[row].argmax()) != int(told[at.setdefault(key, row)].argmax())
    if torn:
        notes.say(f"{path}: {torn:,} rows say another class than an equal row before them, and what came first counts.")

    def answers(items: Sequence[Any], most: int | None) -> Float[np.ndarray, "n c"]:
        found = np.full((len(items), len(names)), np.nan)
        keys = kind.pool_keys(items).tolist() if len(items) else []
        known = [i for i, key in enumerate(keys) if key in at][:most]
        for i in known:
            found[i] = told[at[keys[i]]]
        return found

    return answers
