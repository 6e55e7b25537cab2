"""The function that says what is read of Python values, before anything is learnt."""

from __future__ import annotations

import warnings
from typing import Any

from tutelage import kinds
from tutelage.estimators.classifier import labels_of
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
        ValueError: X holds no items.

    >>> print(look(["the soup", "the cake", "a goal", "a match"], ["food", "food", "sport", "sport"]))
    Labelled texts: 4; unlabelled: 0.
    Classes: food 2, sport 2.
    Tokens: minilm knows 100% of the words, and reads 128 tokens of a text; no text is longer.
    """
    of_words = isinstance(X, (list, tuple)) and len(X) > 0 and isinstance(X[0], (list, tuple))
    kind: Any = kinds.of_values(X, "Tagger" if of_words else "Classifier")(**options)
    notes = Notes()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            items = kind.given(X)
            labels = y if of_words else labels_of([-1] * len(items) if y is None else y)
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
        except (DataError, ValueError) as fault:
            notes.fault(str(fault))
    notes.questions = [question.in_python() for question in notes.questions]
    for warning in warned:
        notes.say(str(warning.message))
    return notes
