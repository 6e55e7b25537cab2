"""The function that says what is read of Python values, before anything is learnt."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Set
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import DataConversionWarning

from tutelage import kinds
from tutelage.estimators.base import require_one_column
from tutelage.estimators.classifier import Classifier
from tutelage.estimators.labels import ask_of_index, labels_of
from tutelage.estimators.tagger import Tagger
from tutelage.tables import DataError, Notes


def look(X: Any, y: Any = None, X_unlabelled: Any = None, *, evidence: bool = True, **options: Any) -> Notes:
    """What is read of items and labels, and what looks odd about them; nothing is learnt.

    Args:
        X: n items, as `Classifier.fit` or `Tagger.fit` takes them.
        y: labels of texts, images or rows, (n,); or lists of tags of sentences. -1 and None are unlabelled.
        X_unlabelled: further items without labels, as X.
        evidence: whether a fit would gather the evidence; each class then needs two labels.
        options: options of the estimator on how items are read, such as ``encoder``.

    Returns:
        Notes: ``facts`` that were counted, ``questions`` about what looks odd, and ``faults``, which a fit would raise.

    Raises:
        ValueError: X holds no items, or what is of no estimator's kind, or an option is none of the estimator's.

    >>> print(look(["the soup", "the cake", "a goal", "a match"], ["food", "food", "sport", "sport"]))
    Labelled texts: 4; unlabelled: 0.
    Classes: food 2, sport 2.
    Tokens: minilm knows 100% of the words, and reads 128 tokens of a text; no text is longer.
    """
    _require_items(X)
    of_words = _are_words(X)
    kind: Any = _kind(X, "Tagger" if of_words else "Classifier", options)
    notes = Notes()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            items = kind.given(X)
            labels = y if of_words else labels_of([-1] * len(items) if y is None else y, notes)
            ask_of_index(X, y, notes)
            if not of_words:
                _require_fit(kind, items, labels)
            train, more = kind.values(items, labels), None
            if X_unlabelled is not None:
                rest = kind.given(X_unlabelled, "X_unlabelled")
                more = kind.values(rest, None if of_words else [None] * len(rest), argument="X_unlabelled")
            kind.note(train, more, None, notes)
            data = kind.learn(train, more, None, evidence, notes)
            told = kind.reader(data.size).reads([*data.items.labelled, *data.items.pool])
            if told is not None:
                notes.fact("tokens", told.says, dict(told.shares))
                notes.questions += told.questions
        except (DataError, ValueError, TypeError, OSError) as fault:
            notes.fault(str(fault))
    notes.questions = [question.in_python() for question in notes.questions]
    for warning in warned:
        column = isinstance(warning.message, DataConversionWarning)
        notes.say("y is a column, (n, 1), and read as one label of each item." if column else str(warning.message))
    return notes


def _are_words(X: Any) -> bool:
    """Whether items are lists, or arrays, of words."""
    if isinstance(X, pd.DataFrame) or getattr(X, "ndim", 1) > 1:
        return False
    first = X.iloc[0] if isinstance(X, pd.Series) else X[0]
    return isinstance(first, (list, tuple, np.ndarray)) and (not len(first) or isinstance(first[0], str))


def _kind(X: Any, estimator: str, options: dict[str, Any]) -> Any:
    """Kind of the items, with the options of its estimator.

    Raises:
        ValueError: an option is none of the estimator's, or not for items of this kind.
    """
    kind: Any = kinds.of_values(X, estimator)
    own = {f.name for f in fields(kind)} & {f.name for f in fields(Classifier if estimator == "Classifier" else Tagger)}
    for name in options:
        if name not in own:
            there = ", ".join(sorted(own))
            raise ValueError(
                f"{name} is no option of how {estimator} reads {kind.words.things}; there are {there}. In Python, "
                "the label of an item that has none is None or -1, and the classes are the other labels"
            )
    made = kind(**options)
    if made.of_numbers and np.ndim(X) > 2:
        raise ValueError(
            f"X is an array of shape {np.shape(X)}, and images are arrays of uint8, (n, h, w, 3) or (n, h, w), in "
            "0..255; rows of numbers have the shape (n, d)"
        )
    return made


def _require_items(X: Any) -> None:
    """Check that there are items.

    Raises:
        ValueError: there are none, or a data frame has columns of texts and others.
    """
    if isinstance(X, (str, Mapping, Set)):
        what = "one string" if isinstance(X, str) else f"a {type(X).__name__}"
        raise ValueError(f"X must be a list of items, got {what}")
    if not hasattr(X, "__len__") or not len(X):
        raise ValueError("X holds no items")
    require_one_column(X)


def _require_fit(kind: Any, items: Any, labels: list[Any]) -> None:
    """Check that there is a label for each item, and that rows hold finite numbers.

    Raises:
        ValueError: they do not; the message names the first place.
    """
    if len(items) != len(labels):
        raise ValueError(f"X has {len(items)} {kind.words.things}, but y has {len(labels)} labels")
    if kind.of_numbers:
        bad = np.argwhere(~np.isfinite(items))
        if len(bad):
            i, j = bad[0].tolist()
            raise ValueError(f"X[{i}, {j}] is {items[i, j]}, not finite; {len(bad):,} numbers of X are not")
