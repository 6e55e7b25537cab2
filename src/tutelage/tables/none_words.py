"""Words that mean, or may mean, that there is no label."""

from __future__ import annotations

import re
from collections.abc import Mapping

NO_LABEL = frozenset(
    [
        *("nan", "<na>", "nat", "#n/a", "?", "??", "-", "--", "—", "–", "_", "[]", "{}", "()", "''", '""'),
        *("[null]", "[none]", "[unk]", "<unk>", "[pad]", "<pad>", "\\n", "abstain", "abstained", "[abstain]"),
        *("[nan]", "<none>", "<null>", "unlabelled", "unlabeled", "<unlabelled>", "<unlabeled>", "no label"),
        *("not labelled", "not labeled", "not annotated", "to be labelled", "to be labeled", "unannotated"),
        *("not set", "unset", "#value!", "#ref!", "#name?", "#null!", "#num!", "#div/0!"),
    ]
)
"""Words, in lower case, that are taken to mean that there is no label, which is said."""

DOUBTFUL = frozenset(
    [
        *("na", "n/a", "n.a.", "n.a", "n. a.", "none", "null", "nil", "missing", "undefined", "unknown", "[unknown]"),
        *("<unknown>", "unsure", "not sure", "uncertain", "unclear", "undecided", "unassigned", "unspecified"),
        *("not specified", "not available", "not applicable", "no answer", "don't know", "dont know", "idk", "dk"),
        *("cannot tell", "can't tell", "todo", "to do", "to-do", "tbd", "tba", "tbc", "pending", "skip", "skipped"),
        *("ignore", "ignored", "discard", "discarded", "reject", "rejected", "empty", "blank", "invalid", "xxx"),
        *("-9", "-99", "-100", "-999", "-9999"),
    ]
)
"""Words, in lower case, that may mean so: they are taken for classes, and a question asks."""

REFUSED = frozenset(
    [
        *("discarded", "discard", "rejected", "reject", "ignored", "ignore", "skipped", "skip", "cancelled"),
        *("canceled", "deleted", "invalid", "draft", "pending"),
    ]
)
"""States, in lower case, of an answer that an annotator took back, refused or did not finish."""

STATES = ("status", "answer", "state", "decision", "review", "review_status", "annotation_status", "record_status")
"""Names, in lower case, of fields and columns that hold the state of an answer."""

FILLERS = frozenset(["x", "9", "99", "999", "9999"])
"""Words, in lower case, that may mean so where the other labels are names, or numbers that leave a gap before them."""

MOST = 0.6
"""Share of the labels from which on a single sign, letter or number may mean so where the other labels are names."""

NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
"""Pattern of a number."""


def is_odd_beside(word: str, labels: Mapping[str, int]) -> bool:
    """Whether a label that is no known word may mean that there is none, by the labels beside it.

    Args:
        word: the label.
        labels: all labels, with their counts.

    >>> is_odd_beside("***", {"food": 9, "sport": 9, "***": 1}), is_odd_beside("99", {"97": 1, "98": 1, "99": 1})
    (True, False)
    >>> is_odd_beside("0", {"food": 9, "sport": 9, "0": 40}), is_odd_beside("x", {"x": 40, "o": 40})
    (True, False)
    """
    small = _letters(word) <= 1 and len(word) <= 2 and labels[word] > MOST * sum(labels.values())
    filler, sign = word.casefold() in FILLERS, not any(map(str.isalnum, word))
    others = [label for label in labels if label != word] if filler or sign or small else []
    if len(others) < 2:
        return False
    if all(_letters(label) > 1 for label in others):
        return True
    numbers = [float(label) for label in others if NUMBER.fullmatch(label)]
    return filler and len(word) > 1 and len(numbers) == len(others) and 2 * max(numbers) < float(word)


def _letters(label: str) -> int:
    return sum(map(str.isalpha, label))
