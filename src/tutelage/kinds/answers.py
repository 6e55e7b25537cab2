"""Predictions of items that were read from files: those that are not sure enough are withheld, the others written."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.fit import abstention
from tutelage.fit.abstention import Promise
from tutelage.kinds.dataset import Words
from tutelage.model import Model
from tutelage.tables import PREDICTED, PROBABILITY, Notes, in_tools_form, write_table

ANSWERED_BY = "answered_by"
"""Column that says who answered a row of a cascade."""


def withheld(added: dict[str, Any], promised: Promise, model: Model, notes: Notes) -> dict[str, Any]:
    """Columns of predictions without the labels that are not sure enough; what is promised is said.

    Args:
        added: columns PREDICTED and PROBABILITY.
        promised: what can be promised.
        model: fitted model.
        notes: takes the promise.
    """
    number = {c: i for i, c in enumerate(model.classes)}
    predicted = np.array([number[label] for label in added[PREDICTED] if label is not None], dtype=np.int64)
    given = promised.answers(np.asarray(added[PROBABILITY], dtype=np.float64))
    notes.say(promised.words())
    if given.any() and (apart := abstention.differs(model.held_out, predicted, len(number))):
        notes.say(drawn_otherwise(apart))
    return added | {PREDICTED: [label if g else None for label, g in zip(added[PREDICTED], given, strict=True)]}


def drawn_otherwise(apart: float) -> str:
    """Sentence on rows whose predicted classes are not as common as the labels', by the distance of the two."""
    return (
        f"The classes of these rows are not drawn like the labels' ({100 * apart:.0f} % would have to change "
        "class): the promise is for rows that are drawn like the labels."
    )


def without_label(number: int, of: int, words: Words, which: str = "") -> str:
    """Sentence on items of which nothing could be read, so that they get no label.

    Args:
        number: number of such items, at least 1.
        of: number of all items.
        words: words for the items.
        which: which one is the first, in words; empty where nothing tells.

    >>> without_label(2, 100, Words("texts", "text"), "first: row 7")
    'Of 2 of 100 texts nothing could be read (first: row 7): they get no label.'
    """
    they = "it gets" if number == 1 else "they get"
    return f"Of {number:,} of {of:,} {words.things} nothing could be read{which and f' ({which})'}: {they} no label."


def counted_as_wrong(number: int, of: int, words: Words) -> str:
    """Sentence on labelled items of which nothing could be read; see `without_label`.

    >>> counted_as_wrong(2, 100, Words("texts", "text"))
    'Of 2 of 100 texts nothing could be read: they count as wrong.'
    """
    they = "it counts" if number == 1 else "they count"
    return f"Of {number:,} of {of:,} {words.things} nothing could be read: {they} as wrong."


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
        notes: takes how the columns are named.

    Raises:
        DataError: the output cannot be written.
    """
    tool = in_tools_form(path, output, pd.DataFrame(added), *columns)
    if tool is not None:
        return f"{output}, in the form of {tool}"
    write_table(beside_own(table, added, output, notes), output)
    return str(output)


def beside_own(table: pd.DataFrame, added: dict[str, Any], output: Path, notes: Notes) -> pd.DataFrame:
    """The table with columns of predictions; one of the user's of such a name stays, and all of ours get a number.

    Args:
        table: the items.
        added: columns of predictions, by name.
        output: file to write, for the message.
        notes: takes how the columns are named.

    >>> own = pd.DataFrame({"text": ["a"], "predicted": ["mine"]})
    >>> list(beside_own(own, {"predicted": ["b"], "probability": [0.9]}, Path("out.csv"), Notes()))
    ['text', 'predicted', 'predicted_2', 'probability_2']
    """
    there = set(map(str, table.columns))
    own = [name for name in added if name in there]
    if not own:
        return table.assign(**added)
    number = next(k for k in count(2) if not there & {f"{name}_{k}" for name in added})
    named = {f"{name}_{number}": cells for name, cells in added.items()}
    stay = f"{', '.join(own)} {'stays' if len(own) == 1 else 'stay'}"
    notes.say(f"In {output} your own {stay}: the model's columns are {', '.join(named)}.")
    return table.assign(**named)
