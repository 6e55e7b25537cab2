"""The label that a cell holds, where tools write lists, scores or JSON in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from tutelage.tables.cells import as_label, python_value, quoted

UNSEEN_CHARACTERS = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
"""Characters that cannot be seen: spaces and joiners of no width, byte order marks, soft hyphens."""

SHOWN = 5
"""Number of names that a sentence lists at most."""


class NotALabelError(ValueError):
    """A cell holds something that is no label of one class."""


def label_in(cell: Any) -> str | None:
    """Label in a cell, as text; None for a cell without. Lists of one, dictionaries and JSON are looked into.

    Args:
        cell: text, a number, a list of at most one label, scores of labels by name, or {"choices": [...]}; also as JSON
            or as Python writes it.

    Raises:
        NotALabelError: the cell holds several labels, or something else.

    >>> label_in(["food"]), label_in("[]"), label_in({"food": 0.9, "sport": 0.1}), label_in('{"choices": ["food"]}')
    ('food', None, 'food', 'food')
    """
    if isinstance(cell, str):
        inside = _decoded(cell.strip()) if is_structured(cell) else cell
        return as_label(cell) if isinstance(inside, str) else label_in(inside)
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if isinstance(cell, (list, tuple, set, frozenset)):
        return _of_list(list(cell))
    if isinstance(cell, Mapping):
        return _of_mapping(cell)
    if isinstance(cell, (bytes, bytearray)):
        raise NotALabelError(f"not a label but {len(cell)} bytes")
    return as_label(cell)


def is_structured(cell: Any) -> bool:
    """Whether a cell holds a list or an object, or a text that may be one.

    >>> is_structured(["a"]), is_structured(" ['a']"), is_structured("a"), is_structured(3)
    (True, True, False, False)
    """
    if isinstance(cell, str):
        return cell.strip()[:1] in ("[", "{", "(")
    return isinstance(cell, (list, tuple, set, frozenset, dict, np.ndarray))


def _decoded(text: str) -> Any:
    """Value that a text writes as JSON or as Python does; the text itself where it is neither.

    Quotation marks may be escaped, as some programs write them into csv files.
    """
    for written, read in product(dict.fromkeys((text, text.replace('\\"', '"'))), (json.loads, python_value)):
        try:
            found = read(written)
            return found if isinstance(found, (list, tuple, set, dict)) else text
        except (ValueError, RecursionError):
            continue
    return text


def _of_list(values: list[Any]) -> str | None:
    found = list(dict.fromkeys(label for value in values if (label := label_in(value)) is not None))
    if len(found) > 1:
        raise NotALabelError(f"{len(found)} labels, {some(found)}, where a row has one class")
    return found[0] if found else None


def _of_mapping(values: Mapping[Any, Any]) -> str | None:
    for key in ("choices", "labels", "label", "value", "text"):
        if key in values and not isinstance(values[key], (int, float)):
            return label_in(values[key])
    if not values:
        return None
    if not all(isinstance(score, (int, float, np.number)) for score in values.values()):
        raise NotALabelError(f"not a label but an object of {some(list(map(str, values)))}")
    scores = {str(label): float(score) for label, score in values.items() if not np.isnan(float(score))}
    best = max(scores.values(), default=0.0)
    if best <= 0:
        return None
    found = [label for label, score in scores.items() if score == best or (best == 1 and score > 0.5)]
    if len(found) > 1:
        raise NotALabelError(f"the scores of {some(found)} are alike, and a row has one class")
    return as_label(found[0])


def some(names: Sequence[str]) -> str:
    """The first names of a list, in quotes, and how many more there are.

    >>> some(list("abcdefg"))
    "'a', 'b', 'c', 'd', 'e' and 2 more"
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(quoted, names[:SHOWN])) + more
