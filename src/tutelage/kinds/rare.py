"""Classes with one label, from which no evidence can be gathered: left out, or merged, where the user wants it so."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from tutelage.kinds.entries import Entries
from tutelage.tables import DataError, Notes
from tutelage.tables.cells import quoted
from tutelage.tables.doubtful import means_none
from tutelage.tables.label_cells import some
from tutelage.tables.labels import LabelsAs
from tutelage.tables.odd import counted

LEAVE_OUT, MERGE = "leave-out", "merge:"
"""Ways of going on with classes of one label: without their rows, or merged into a class of that name."""


def without_rare(labelled: Entries, rare: str | None, how: LabelsAs, notes: Notes) -> Entries:
    """Labelled entries without those of classes with one label, or with these merged, where the user wants it so.

    Args:
        labelled: labelled entries.
        rare: "leave-out", or "merge:" and the name of a class, in any spelling; None leaves them as they are.
        how: how labels are read.
        notes: takes what was done.

    Raises:
        DataError: no class, or again a class with one label, would be left of them.
    """
    counts = Counter(labelled.labels)
    lonely = np.array([counts[label] == 1 for label in labelled.labels], dtype=bool)
    if rare is None or not lonely.any():
        return labelled
    named = some([str(label) for label, count in counts.items() if count == 1])
    if rare == LEAVE_OUT:
        if lonely.all():
            raise DataError(
                f"{labelled.at('label')}: every class has one label, so that --rare leave-out leaves none; label more "
                "rows of each class"
            )
        notes.say(f"Left out: {counted(int(lonely.sum()), 'row')} of classes with one label: {named}.")
        return labelled.where(~lonely)
    asked = rare.removeprefix(MERGE)
    name = next((name for name in (*how.classes, *counts) if how.key(str(name)) == how.key(asked)), asked)
    if lonely.sum() == 1 and counts[name] < 2:
        raise DataError(_alone(labelled, int(lonely.argmax()), asked, counts))
    spelt = "" if name == asked else f", as {asked!r} is spelled here"
    notes.say(f"Merged into {name!r}{spelt}: {counted(int(lonely.sum()), 'class', 'classes')} with one label: {named}.")
    labels = [name if alone else label for label, alone in zip(labelled.labels, lonely, strict=True)]
    return replace(labelled, labels=labels)


def _alone(labelled: Entries, row: int, asked: str, counts: Counter[str]) -> str:
    """Sentence that one class with one label is merged with none."""
    (common, count), *_ = counts.most_common(1)
    into = f", merge it into a class that has more, such as --rare merge:{common}" if count > 1 else ""
    return (
        f"{labelled.at('label', row)}: only class {quoted(labelled.labels[row])} has one label, so that merged into "
        f"{asked!r} it would still have one; label one more row of it{into}, or go on with --rare leave-out"
    )


def require_rare(rare: str | None, how: LabelsAs) -> None:
    """Check the option --rare.

    Args:
        rare: value of the option.
        how: how labels are read.

    Raises:
        DataError: it is neither "leave-out" nor "merge:" and a name, or the name cannot be one of a class.
    """
    if rare is None or rare == LEAVE_OUT:
        return
    name = rare.removeprefix(MERGE).strip()
    if not name or not rare.startswith(MERGE):
        raise DataError(f"rare must be leave-out, or merge:NAME, got {rare!r}")
    if means_none(name) or how.none_by(name) is not None:
        raise DataError(f"rare cannot merge classes into {name!r}, which means that there is no label")
    if how.classes and how.key(name) not in map(how.key, how.classes):
        raise DataError(
            f"rare merges classes into {name!r}, which is none of the classes {some(list(how.classes))}; name one of "
            "these, or name it among the classes"
        )
