"""Features that look odd: constant ones, numbers of rows, copies of the answer, numbers that stand for none, totals."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tutelage.data.columns import evenly
from tutelage.tables import Notes
from tutelage.tables.cells import quoted

FEW = 20
"""Number of columns up to which a message lists each name."""
BELOW = (-9.0, -99.0, -999.0, -9999.0, -99999.0, -999999.0)
"""Numbers that stand for none where no other number of a feature is below zero."""
ABOVE = (999.0, 9999.0, 99999.0, 999999.0)
"""Numbers that stand for none where they are there twice, and far above the others."""
FAR = 3
"""Times that a number is above all others which stands for none."""
APART = 1000
"""Times that a number is above all others, so that it is more likely a mistake."""
RARE = 100
"""Rows for each number, at most, that is far above all others; where there are fewer rows, for one."""
LOOKED_AT = 100_000
"""Rows, at most, that are looked at together."""
NOTHING: Mapping[str, np.ndarray] = MappingProxyType({})
LEAST_LABELLED = 20
"""Labelled rows, at least, that tell whether a feature copies the labels."""
LEAST_ROWS = 5
"""Rows, at least, above a row of totals."""
CLOSE = 1e-3
"""Difference of a total to the sum, as a share of it, or to the mean, as a share of the numbers' mean size, at most."""
ROUNDED = 1e-7
"""Difference of a total to the sum that float32 makes, as a share of the sum of the numbers' sizes."""


@dataclass(frozen=True)
class Columns:
    """Features of rows with their names.

    Attributes:
        x: features, (n, d).
        names: names of the features, (d,).
        at: function that names the place of the i-th row.
        place: the file or argument, for messages.
        of_table: whether the names are those of a table's columns; those of an array are its columns' numbers.
    """

    x: np.ndarray
    names: Sequence[str]
    at: Callable[[int], str]
    place: str
    of_table: bool = True

    def row(self, i: int) -> str:
        """Name of the place of the i-th row, with its file or argument."""
        short = self.at(i)
        return f"{self.place}{short}" if short.startswith("[") else f"{self.place}, {short}"

    def without(self, names: Collection[str]) -> str:
        """Option that names all features but some, or what to do with an array."""
        if not self.of_table:
            return f"leave {'this column' if len(names) == 1 else 'these columns'} of the array out"
        gone = frozenset(names)
        others = [shlex.quote(other) for other in self.names if other not in gone]
        return f"--features {' '.join(others)}" if 0 < len(others) <= FEW else "--features, naming others"

    def emptied(self, cells: str, rows: str) -> str:
        """What to do with cells that hold no number."""
        return f"empty {cells}, so that --skip-bad leaves {rows} out" if self.of_table else f"leave {rows} out"


def note_odd_numbers(
    columns: Columns, labels: Sequence[str | None], notes: Notes, more: np.ndarray | None = None
) -> None:
    """Note what looks odd of features.

    Args:
        columns: features of n rows.
        labels: label of each row, (n,); None where there is none.
        notes: takes sentences and questions.
        more: features of further rows of the pool, (m, d); None where there are none.
    """
    x, names = columns.x, columns.names
    still = (x == x[0]).all(0) & (True if more is None else (more == x[0]).all(0))
    constant = [name for name, same in zip(names, still, strict=True) if same]
    if constant and columns.of_table:
        notes.say(
            f"{columns.place}: {len(constant)} of {len(names)} features never change and are passed over: "
            f"{listed(constant)}."
        )
    counting = [name for name, one in zip(names, (np.diff(x, axis=0) == 1).all(0), strict=True) if one]
    copies = _copies(columns, labels)
    odd = {name: rows for j, name in enumerate(names) if not still[j] and (rows := _stand_ins(x[:, j])).any()}
    in_question = {*counting, *copies, *odd}
    settles = columns.without([name for name in names if name in in_question])
    if counting:
        are = f"feature {counting[0]} counts" if len(counting) == 1 else f"features {listed(counting)} count"
        tell = "tells" if len(counting) == 1 else "tell"
        notes.ask(f"{columns.place}: {are} the rows and {tell} their order only", settles, page="label-in-features")
    for name, named in copies.items():
        notes.ask(
            f"{columns.place}: feature {name} has one number for each class ({named}), as if it were the label in "
            "numbers, which new rows will not have",
            settles,
            page="label-in-features",
        )
    if odd:
        _ask_of_stand_ins(columns, odd, settles, notes)
    note_far(columns, notes, odd)
    _ask_of_totals(columns, notes)


def _copies(columns: Columns, labels: Sequence[str | None]) -> dict[str, str]:
    """Features that have one number for each class, and so are the answer in other words, with some of these numbers.

    Args:
        columns: features of n rows.
        labels: label of each row, (n,); None where there is none.
    """
    known = np.array([label is not None for label in labels], dtype=bool)
    classes, y = np.unique([str(label) for label in labels if label is not None], return_inverse=True)
    if len(y) < LEAST_LABELLED or len(classes) < 2:
        return {}
    first = np.unique(y, return_index=True)[1]
    x = columns.x[known]
    found = {}
    for j in np.flatnonzero((x == x[first][y]).all(0)).tolist():
        values = x[first, j].tolist()
        if len(set(values)) == len(classes):
            each = list(zip(values, classes.tolist(), strict=True))
            found[columns.names[j]] = ", ".join(f"{value:g} for {quoted(name)}" for value, name in each[:3])
    return found


def _stand_ins(x: np.ndarray) -> np.ndarray:
    """Mask of the numbers of a feature that stand for none, such as -999, (n,).

    >>> _stand_ins(np.array([3.0, -999.0, 5.0])).tolist()
    [False, True, False]
    """
    odd = np.zeros(len(x), dtype=bool)
    if x.min() <= max(BELOW):
        below = np.isin(x, BELOW)
        odd |= below & bool(x[~below].min(initial=np.inf) >= 0)
    for value in ABOVE if x.max() >= min(ABOVE) else ():
        others = x[(x != value) & ~odd]
        if (x == value).sum() > 1 and len(others) and FAR * np.abs(others).max() < value:
            odd |= x == value
    return odd


def _ask_of_stand_ins(columns: Columns, odd: Mapping[str, np.ndarray], settles: str, notes: Notes) -> None:
    """Ask about numbers of features that stand for none, such as -999, in one question.

    Args:
        columns: features of n rows.
        odd: mask of these numbers in each feature that has some, by its name, (n,).
        settles: option that leaves these features out.
        notes: takes the question.
    """
    every, places = np.any(list(odd.values()), axis=0), {name: j for j, name in enumerate(columns.names)}
    first = f"(first: {columns.at(int(every.argmax()))})"
    values = np.unique(np.concatenate([columns.x[rows, places[name]] for name, rows in odd.items()]))
    have = f"{' and '.join(f'{value:g}' for value in values)} for feature{'s' if len(odd) > 1 else ''} {listed([*odd])}"
    notes.ask(
        f"{columns.place}: {every.sum():,} of {len(every):,} rows have {have} {first}, which may stand for none, and "
        "is read as a number",
        columns.emptied("these cells", "their rows"),
        settles,
        page="odd-numbers",
    )


def note_far(columns: Columns, notes: Notes, passed_over: Mapping[str, np.ndarray] = NOTHING) -> None:
    """Ask about numbers of a feature that are far above all its others, and so stretch its scale.

    Args:
        columns: features of n rows, in memory or on disk.
        notes: takes the questions.
        passed_over: mask of the numbers of a feature that do not count, by its name, (n,), such as -999.
    """
    x, some = columns.x, np.asarray(evenly(columns.x, LOOKED_AT))
    if len(some) <= LEAST_ROWS:
        return
    few = max(1, len(some) // RARE)
    usual = np.partition(np.abs(some), len(some) - few - 1, axis=0)[len(some) - few - 1]
    largest = np.max([np.abs(x[i : i + LOOKED_AT]).max(0) for i in range(0, len(x), LOOKED_AT)], axis=0)
    with np.errstate(over="ignore"):
        suspects = np.flatnonzero((largest > APART * usual) & (usual > 0)).tolist()
    for j in suspects:
        name, numbers = columns.names[j], np.asarray(x[:, j], dtype=np.float64)
        sizes = np.abs(numbers)
        if name in passed_over:
            sizes[passed_over[name]] = 0
        far, next_ = _far(sizes)
        if not far:
            continue
        row = int((sizes > next_).argmax())
        where = f"{columns.row(row)}: feature {name} is {numbers[row]:g}"
        if far == 1:
            are = f"{where}, more than {APART:,} times as large as any other number of it (the next is {next_:g})"
        else:
            are = (
                f"{where}, and in {far:,} of {len(x):,} rows more than {APART:,} times as large as in any other (the "
                f"next is {next_:g})"
            )
        cells, rows = ("the cell", "its row") if far == 1 else ("these cells", "their rows")
        notes.ask(are, f"correct {'it' if far == 1 else 'them'}; or {columns.emptied(cells, rows)}", page="odd-numbers")


def _far(sizes: np.ndarray) -> tuple[int, float]:
    """Number of sizes that are far above all others, and the largest of these others; 0 where none is.

    They are at most one in a hundred, or one, and the others are of several sizes.

    Args:
        sizes: sizes of numbers, (n,), n at least 2.

    >>> _far(np.array([1.0, 2, 3, 4, 5, 6, 9000]))
    (1, 6.0)
    """
    few = max(1, len(sizes) // RARE)
    top = np.sort(np.partition(sizes, len(sizes) - few - 1)[len(sizes) - few - 1 :])[::-1]
    gaps = np.flatnonzero((top[:-1] > APART * top[1:]) & (top[1:] > 0))
    if not len(gaps) or len(np.unique(sizes[sizes <= top[gaps[0] + 1]])) < LEAST_ROWS:
        return 0, 0.0
    return int(gaps[0]) + 1, float(top[gaps[0] + 1])


def _ask_of_totals(columns: Columns, notes: Notes) -> None:
    """Ask whether the last row is meant, where its numbers are the sums, or the means, of those above."""
    x = columns.x.astype(np.float64)
    if len(x) <= LEAST_ROWS or x.shape[1] < 2:
        return
    above, last = x[:-1], x[-1]
    sizes = np.abs(above).mean(0)
    total = np.abs(above.sum(0) - last) <= CLOSE * np.abs(last) + ROUNDED * len(above) * sizes
    mean = np.abs(above.mean(0) - last) <= CLOSE * sizes
    larger = mean.all() or (total & (np.abs(last) > np.abs(above).max(0))).any()  # else numbers hardly differ from 0
    if larger and (total | mean).all() and ((above != above[0]).any(0)).sum() > 1:
        notes.ask(
            f"{columns.row(len(x) - 1)}: each feature of the last row is the sum, or the mean, of "
            "the rows above, and it is read as a row like others",
            "take this row of totals out",
            page="totals",
        )


def listed(names: Sequence[str]) -> str:
    """Names of columns in one phrase; of more than FEW, the first two and the last.

    >>> listed(["a", "b"]), listed([f"x{i}" for i in range(64)])
    ('a, b', 'x0, x1, ... x63')
    """
    return ", ".join(names) if len(names) <= FEW else f"{names[0]}, {names[1]}, ... {names[-1]}"
