"""The agreement gate: on which labels a teacher agrees with people, and so may be learnt from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from tutelage.ops.agreement import Agreement, kappas
from tutelage.tables import DataError
from tutelage.weak import Source

FEWEST = 10
"""Rows, at least, that a teacher and a person both label, for a gate to be set."""

PASSES, NARROWLY, BELOW, UNKNOWN = "passes", "passes, not clearly", "below", "nobody says it"
"""Verdicts on a label: whether its kappa, with all of its interval, reaches the gate; the last two do not pass."""


@dataclass(frozen=True)
class Judged:
    """Agreement on one label, against all others.

    Attributes:
        label: name of the label.
        people: mean of Cohen's kappa over the pairs of people.
        teacher: mean of Cohen's kappa of the teacher and each person.
        passes: whether the label may be learnt from the teacher.
    """

    label: str
    people: Agreement
    teacher: Agreement
    passes: bool

    def verdict(self, gate: Gate) -> tuple[str, ...]:
        """The verdict on the label, as the cell of a table; none where there is no gate."""
        if gate.least is None:
            return ()
        if self.teacher.kappa is None:
            return (UNKNOWN,)
        if not self.passes:
            return (BELOW,)
        return (PASSES if self.teacher.low is not None and self.teacher.low >= gate.least else NARROWLY,)


@dataclass(frozen=True, eq=False)
class Gate:
    """What the gate says of a teacher.

    Attributes:
        name: name of the teacher, for people.
        least: least kappa of teacher and people that passes; None where nothing is refused.
        labels: agreement on each label, in the order of the classes.
        refused: mask of the rows of which the teacher says a label that does not pass, (n,).
        spoken: number of rows that the teacher speaks of.
    """

    name: str
    least: float | None
    labels: Sequence[Judged]
    refused: Bool[np.ndarray, " n"]
    spoken: int

    def words(self) -> list[str]:
        """Sentences on what is not learnt, and on what the people themselves do not agree about."""
        if self.least is None:
            return []
        out = [each.label for each in self.labels if not each.passes]
        count = int(self.refused.sum())
        lines = [f"All {len(self.labels)} labels pass the gate."] if not out else [
            f"Below the gate, and not learnt from teacher {self.name}: {', '.join(out)}. It says "
            f"{'it' if len(out) == 1 else 'one of them'} of {count:,} of the {self.spoken:,} rows that it speaks of; "
            f"there it is silent. Labels of people teach {'it' if len(out) == 1 else 'them'}."
        ]  # fmt: skip
        unsure = [each.label for each in self.labels if each.verdict(self) == (NARROWLY,)]
        if unsure:
            lines.append(f"Not clearly above the gate: {', '.join(unsure)}; more rows that people label would tell.")
        apart = [e.label for e in self.labels if e.people.kappa is not None and e.people.kappa < self.least]
        if apart:
            lines.append(
                f"On {', '.join(apart)} the people agree less than the gate themselves: say more clearly what is meant."
            )
        return lines

    def plain(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        labels = [asdict(each) | {"verdict": "".join(each.verdict(self)) or None} for each in self.labels]
        return {"least": self.least, "labels": labels, "refused": int(self.refused.sum()), "words": self.words()}


def judged(
    source: Source, people: Mapping[str, Int[np.ndarray, " n"]], classes: Sequence[str], least: float | None
) -> Gate:
    """Agreement of a teacher with people, label by label, each against all others; and which labels pass.

    A label passes where the mean of Cohen's kappa of the teacher, which says its likeliest class, and each person is at
    least the gate. One that is nobody's, so that kappa is not defined, does not pass.

    Args:
        source: what the teacher says of n rows.
        people: class numbers of the rows by each person, by name, at least one; -1 is none.
        classes: names of the c classes.
        least: least kappa that passes, in [-1, 1]; None passes all.

    Raises:
        DataError: the teacher speaks of fewer than FEWEST rows that people labelled.

    Source: Wang et al., SIGHT: A Large Annotated Dataset on Student Insights Gathered from Higher Education
    Transcripts, BEA 2023: only categories on which people and the model agree are labelled by it.

    >>> y = np.arange(40) % 2
    >>> p = np.eye(2)[np.where(np.arange(40) < 4, 1 - y, y)]
    >>> found = judged(Source("model", p), {"ann": y}, ["ham", "spam"], 0.6)
    >>> [(each.label, round(each.teacher.kappa, 2), each.passes) for each in found.labels]
    [('ham', 0.8, True), ('spam', 0.8, True)]
    """
    said = np.where(source.covered, np.nan_to_num(source.table).argmax(1), -1)
    ratings = np.stack([*people.values(), said])
    common = int(((ratings[:-1] >= 0).any(0) & (said >= 0)).sum())
    if common < FEWEST:
        raise DataError(
            f"teacher {source.name!r} and {', '.join(people)} have {common} rows in common: nothing can be said of "
            f"their agreement; {FEWEST} are the least, some 100 better"
        )
    last = len(people)
    among, beside = list(combinations(range(last), 2)), [(i, last) for i in range(last)]
    found = []
    for k, name in enumerate(classes):
        one = np.where(ratings < 0, -1, ratings == k)
        of_people = kappas(one, among) if among else Agreement(None, None, None, 0)
        of_teacher = kappas(one, beside)
        passes = least is None or (of_teacher.kappa is not None and of_teacher.kappa >= least)
        found.append(Judged(name, of_people, of_teacher, passes))
    refused = np.isin(said, [k for k, each in enumerate(found) if not each.passes])
    return Gate(source.name, least, found, refused, int(source.covered.sum()))
