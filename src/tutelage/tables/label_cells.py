"""The label that a cell holds, where tools write lists, scores or JSON in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tutelage.tables import printed
from tutelage.tables.cells import as_label, quoted
from tutelage.tables.none_words import REFUSED, STATES
from tutelage.tables.scores import NotALabelError, best_of, field_of

DIRECTIONS = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks of the direction of writing."""

UNSEEN_CHARACTERS = dict.fromkeys(map(ord, f"\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f{DIRECTIONS}"))
"""Characters that cannot be seen: spaces and joiners of no width, byte order marks, soft hyphens, marks of the
direction of writing, and those that choose between the picture and the sign of an emoji."""

SHOWN = 5
"""Number of names that a sentence lists at most."""


class Read(NamedTuple):
    """What is read in a cell.

    Attributes:
        label: the label; None where there is none.
        form: what it was read from: "" a value of its own, "list", "field" of an object, or, of scores by name,
            "marks" of zeros and ones, "scores", "percentages", "logarithms", or "low" scores, of which none is enough.
        refused: number of answers in the cell that were discarded, and are not read.
    """

    label: str | None
    form: str = ""
    refused: int = 0


def label_in(cell: Any) -> str | None:
    """Label in a cell, as text; None for a cell without. Lists of one, dictionaries and JSON are looked into.

    Args:
        cell: text, a number, a list of at most one label, scores of labels by name, or {"choices": [...]}; also as
            JSON, Python or NumPy writes it.

    Raises:
        NotALabelError: the cell holds several labels, or something else.

    >>> label_in(["food"]), label_in("[]"), label_in({"food": 0.9, "sport": 0.1}), label_in('{"choices": ["food"]}')
    ('food', None, 'food', 'food')
    """
    return read_cell(cell).label


def read_cell(cell: Any) -> Read:
    """Label in a cell, and what it was read from; see `label_in`.

    Raises:
        NotALabelError: the cell holds several labels, or something else.

    >>> read_cell({"food": 0.9, "sport": 0.1}), read_cell("food")
    (Read(label='food', form='scores', refused=0), Read(label='food', form='', refused=0))
    """
    if isinstance(cell, str):
        inside = printed.decoded(cell.strip()) if printed.is_structured(cell) else cell
        return Read(as_label(cell)) if isinstance(inside, str) else read_cell(inside)
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if isinstance(cell, (list, tuple, set, frozenset)):
        return _of_list(list(cell))
    if isinstance(cell, Mapping):
        return _of_mapping(cell)
    if isinstance(cell, (bytes, bytearray)):
        raise NotALabelError(f"not a label but {len(cell)} bytes")
    return Read(as_label(cell))


def _of_list(values: list[Any]) -> Read:
    if len(values) > 1 and all(isinstance(value, (int, float)) and value in (0, 1) for value in values):
        raise NotALabelError(f"a list of {len(values)} numbers, {some(values)}, where a row has one class")
    read = [read_cell(value) for value in values]
    found = list(dict.fromkeys(one.label for one in read if one.label is not None))
    if len(found) > 1:
        raise NotALabelError(f"{len(found)} labels, {some(found)}, where a row has one class")
    return Read(found[0] if found else None, "list", sum(one.refused for one in read))


def _of_mapping(values: Mapping[Any, Any]) -> Read:
    if not values:
        return Read(None, "field")
    key = field_of(values)
    if key is not None:
        return _of_field(values[key], next((values[name] for name in STATES if name in values and name != key), None))
    name, form = best_of(values)
    return Read(as_label(name), form)


def _of_field(held: Any, state: Any) -> Read:
    """What is read in a field of an object, of which another one holds the state; of lists, one for each answer."""
    if isinstance(held, np.ndarray):
        held = held.tolist()
    states = [state] if isinstance(state, str) or state is None else list(state)
    answers = list(held) if isinstance(held, (list, tuple)) and len(held) == len(states) > 0 else [held]
    if len(answers) != len(states):
        return Read(label_in(held), "field")
    kept = [answer for answer, one in zip(answers, states, strict=True) if str(one).casefold() not in REFUSED]
    return Read(label_in(kept), "field", len(answers) - len(kept))


def some(names: Sequence[Any]) -> str:
    """The first names of a list, in quotes, and how many more there are.

    >>> some(list("abcdefg"))
    "'a', 'b', 'c', 'd', 'e' and 2 more"
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(quoted, names[:SHOWN])) + more
