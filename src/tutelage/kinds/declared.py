"""Classes that the user declares, against those that teachers and descriptions know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tutelage.kinds.entries import Entries
from tutelage.tables import DataError, Notes, as_label
from tutelage.tables.label_cells import some


def fault_teachers(sources: Iterable[Entries], classes: Sequence[str], notes: Notes) -> None:
    """Fault the teachers that know classes which are none of the declared ones.

    Args:
        sources: entries of which teachers speak.
        classes: names of the declared classes; empty where nothing is declared.
        notes: takes the faults.
    """
    for source, each in ((part, each) for part in sources for each in part.said if classes):
        strange = [name for label in each.labels() if (name := str(as_label(label))) not in classes]
        if strange:
            rows = np.flatnonzero(each.guesses() == strange[0])
            first = f" (first: {source.places.short(int(rows[0]))})" if len(rows) else ""
            which = "which is" if len(strange) == 1 else "which are"
            notes.fault(
                f"{source.places.source}: teacher {each.name!r} knows {some(strange)}{first}, {which} none of the "
                f"classes {some(list(classes))}"
            )


def require_described(described: Iterable[str], classes: Sequence[Any], place: str) -> None:
    """Check that what is described are classes.

    Args:
        described: names that are described.
        classes: names of the declared classes.
        place: file of the labels, for the message.

    Raises:
        DataError: a name is none of the classes.
    """
    strange = [name for name in described if name not in classes]
    if strange:
        are = "is described, but is" if len(strange) == 1 else "are described, but are"
        raise DataError(f"{place}: {some(strange)} {are} none of the classes {some(list(classes))}")
