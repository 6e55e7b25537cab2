"""Predictions of items that were read from files: those that are not sure enough are withheld, the others written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.fit import abstention
from tutelage.fit.abstention import Promise
from tutelage.model import Model
from tutelage.tables import Notes, in_tools_form, write_table


def withheld(added: dict[str, Any], promised: Promise, model: Model, notes: Notes) -> dict[str, Any]:
    """Columns of predictions without the labels that are not sure enough; what is promised is said.

    Args:
        added: columns "label" and "probability".
        promised: what can be promised.
        model: fitted model.
        notes: takes the promise.
    """
    number = {c: i for i, c in enumerate(model.classes)}
    predicted = np.array([number[label] for label in added["label"] if label is not None], dtype=np.int64)
    given = promised.answers(np.asarray(added["probability"], dtype=np.float64))
    notes.say(promised.words())
    if given.any() and (apart := abstention.differs(model.held_out, predicted, len(number))):
        notes.say(
            f"The classes of these rows are not drawn like the labels' ({100 * apart:.0f} % would have to change "
            "class): the promise is for rows that are drawn like the labels."
        )
    return added | {"label": [label if g else None for label, g in zip(added["label"], given, strict=True)]}


def written(
    path: Path, table: pd.DataFrame, added: dict[str, Any], output: Path, columns: tuple[str, str | None], notes: Notes
) -> str:
    """Write predictions as a table, or in the form of the tool that exported the items; returns where and how.

    Args:
        path: file of the items.
        table: the items.
        added: columns of predictions, by name.
        output: file to write.
        columns: columns of the items and of their labels in the export of a tool; None where no labels are named.
        notes: takes which columns are replaced.

    Raises:
        DataError: the output cannot be written.
    """
    tool = in_tools_form(path, output, pd.DataFrame(added), *columns)
    if tool is not None:
        return f"{output}, in the form of {tool}"
    if replaced := [column for column in added if column in table.columns]:
        notes.say(f"In {output} these columns are replaced: {', '.join(replaced)}.")
    write_table(table.assign(**added), output)
    return str(output)
