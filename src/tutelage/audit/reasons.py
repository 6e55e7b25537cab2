"""Reasons for and against a label, as a short sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tutelage.audit.neighbours import ALIKE
from tutelage.audit.ranking import Audit


def percent(probability: float) -> str:
    """A probability in % as text; "0 %" and "100 %" stand for exactly 0 and 1.

    >>> percent(0.914), percent(0.001), percent(0.9999)
    ('91 %', 'under 1 %', 'over 99 %')
    """
    if 0 < probability < 0.01:
        return "under 1 %"
    return "over 99 %" if 0.99 < probability < 1 else f"{round(100 * probability)} %"


def expected(count: int, wrong: float) -> str:
    """How many of so many labels are expected to be wrong and right, for the end of a sentence; empty of none.

    >>> expected(29, 16.4), expected(0, 0.0)
    (': expect about 16 of them to be wrong and 13 to be right', '')
    """
    if not count:
        return ""
    return f": expect about {round(wrong)} of them to be wrong and {count - round(wrong)} to be right"


def reasons(audit: Audit, numbers: np.ndarray, rows: Sequence[int]) -> list[str]:
    """Reasons for and against the labels of some rows, as a sentence for each, (s,).

    Args:
        audit: an audit of n rows.
        numbers: numbers of the rows in the audit, from 0, (s,).
        rows: number of every row in the file, (n,), by which a sentence names it.
    """
    code = {name: i for i, name in enumerate(audit.classes.tolist())}
    given = np.array([code[name] for name in audit.given.tolist()])
    order = np.argsort(audit.copies, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(audit.copies[order])) + 1)
    copies = {int(audit.copies[group[0]]): group for group in groups if len(group) > 1}
    none = np.empty(0, dtype=np.int64)
    return [_reason(audit, i, given, rows, copies.get(int(audit.copies[i]), none)) for i in numbers.tolist()]


def _reason(audit: Audit, i: int, given: np.ndarray, rows: Sequence[int], copies: np.ndarray) -> str:
    """The sentence for row i: its likeliest labels, those of its nearest rows, and that of a nearly equal row.

    Args:
        audit: an audit of n rows.
        i: number of the row in the audit, from 0.
        given: class number of each row's label, (n,).
        rows: number of every row in the file, (n,).
        copies: numbers of the copies of the row.
    """
    names, p, own = audit.classes.tolist(), audit.posterior[i], int(given[i])
    other = int(np.argsort(np.where(np.arange(len(p)) == own, -1, p))[-1])
    near, cosine = audit.neighbours.index[i], audit.neighbours.cosine[i]
    most = own if p[own] >= p[other] else other
    said = [
        f"given {names[own]} ({percent(p[own])}), "
        f"{'next' if most == own else 'rather'} {names[other]} ({percent(p[other])})"
    ]
    if len(near):
        count = np.bincount(given[near], minlength=len(names))
        line = f"{count[most]} of its {len(near)} nearest rows are labelled {names[most]}"
        said.append(line + (f", {count[own]} as given" if most != own and count[own] else ""))
    alike = np.append(copies[given[copies] != own], near[(cosine >= ALIKE) & (given[near] != own)])
    if len(alike):
        first = int(alike[0])
        said.append(f"row {rows[first]} is all but the same and is labelled {names[int(given[first])]}")
    return "; ".join(said)
