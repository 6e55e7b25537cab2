"""The one label of an object: a field that holds it, or the highest of scores by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tutelage.tables.cells import quoted

FIELDS = ("choices", "labels", "label", "value", "class", "category", "text")
"""Keys of the field that holds the label, the first of them that is there."""
ABOUT = frozenset(
    [
        *("user", "user_id", "username", "annotator", "annotator_id", "author", "id", "uuid", "score", "scores"),
        *("confidence", "probability", "prob", "p", "status", "type", "start", "end", "created_at", "updated_at"),
        *("lead_time", "time", "timestamp", "date", "rank", "index", "weight", "version", "agent", "source"),
    ]
)
"""Keys, in lower case, of fields that say something about a label."""
NUMBERED = frozenset(["id", "index", "idx", "code", "key", "color", "colour", "supercategory"])
"""Keys of fields that describe a class beside its "name"."""
SURE = 0.5
"""Least score of a label whose scores are independent of each other."""
ONE = 0.05
"""Largest difference to 1 of a sum of scores that count as shares of one."""


class NotALabelError(ValueError):
    """A cell holds something that is no label of one class."""


def field_of(values: Mapping[Any, Any]) -> str | None:
    """Key of the field of an object that holds its label; None where the object is of scores, or of other things.

    >>> field_of({"label": 2, "user": 4}), field_of({"value": 0.9, "growth": 0.1}), field_of({"id": 7, "name": "food"})
    ('label', None, 'name')
    """
    for key in FIELDS:
        if key in values and not isinstance(values[key], (int, float, np.number)):
            return key
    if isinstance(values.get("name"), str) and all(key == "name" or key in NUMBERED for key in values):
        return "name"
    keys = [key for key in FIELDS if key in values and key != "text"]
    if not keys or len(values) == 1:
        return keys[0] if keys else None
    said = any(str(key).casefold() in ABOUT for key in values)
    return keys[0] if said or not are_shares(_numbers(values) or {}) else None


def best_of(values: Mapping[Any, Any]) -> tuple[str | None, str]:
    """Name of the highest score of an object, None where none is high enough, and what the scores are.

    Scores may be in [0, 1], percentages that sum to 100, or logarithms of probabilities. Where they do not sum to 1,
    they are independent of each other, and those of 0.5 or more are labels.

    Args:
        values: scores by name; None and NaN are no score.

    Returns:
        Name, and "marks" of zeros and ones, "scores", "percentages", "logarithms", or "low" scores.

    Raises:
        NotALabelError: the values are no scores, or several are the highest.

    >>> best_of({"food": 0.9, "sport": 0.1}), best_of({"food": 0.02, "sport": 0.01}), best_of({"food": 0, "sport": 1})
    (('food', 'scores'), (None, 'low'), ('sport', 'marks'))
    """
    scores = _numbers(values)
    if scores is None:
        raise NotALabelError(f"not a label but an object of {_some(list(map(str, values)))}")
    form = _form(scores)
    if form is None:
        named = ", ".join(f"{quoted(name)} {score:g}" for name, score in list(scores.items())[:5])
        raise NotALabelError(
            f"not a label but numbers by name, {named}, which are neither scores in [0, 1] nor percentages nor "
            "logarithms of probabilities"
        )
    best = max(scores.values(), default=0.0)
    if best <= 0 and form != "logarithms":
        return None, "marks"
    independent = form == "scores" and not are_shares(scores)
    if independent and best < SURE:
        return None, "low"
    found = [name for name, score in scores.items() if score == best or (independent and score >= SURE)]
    if len(found) > 1:
        alike = "alike" if all(scores[name] == best for name in found) else f"{SURE} or more"
        raise NotALabelError(f"the scores of {_some(found)} are {alike}, and a row has one class")
    return found[0], form


def are_shares(scores: Mapping[str, float]) -> bool:
    """Whether scores are in [0, 1] and sum to about 1."""
    return all(0 <= score <= 1 for score in scores.values()) and abs(sum(scores.values()) - 1) <= ONE


def _form(scores: Mapping[str, float]) -> str | None:
    """What scores are; None where they are none of what `best_of` knows."""
    each = list(scores.values())
    if all(score in (0, 1) for score in each):
        return "marks" if sum(each) <= 1 else "scores"
    if all(0 <= score <= 1 for score in each):
        return "scores"
    if all(score <= 0 for score in each) and not all(score.is_integer() for score in each):
        return "logarithms"
    return "percentages" if all(score >= 0 for score in each) and abs(sum(each) - 100) <= 100 * ONE else None


def _numbers(values: Mapping[Any, Any]) -> dict[str, float] | None:
    """Scores by name, without those that are missing; None where a value is no number."""
    scores: dict[str, float] = {}
    for name, value in values.items():
        if value is None:
            continue
        if not isinstance(value, (int, float, np.number, np.bool_)):
            return None
        if not math.isnan(float(value)):
            scores[str(name)] = float(value)
    return scores


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(map(quoted, names[:5])) + more
