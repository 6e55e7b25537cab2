"""Labels that Python users give: one of each item, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import column_or_1d

from tutelage.ask import SELECTORS
from tutelage.kinds.entries import unknown
from tutelage.ops.pages import on_page
from tutelage.ops.said import warn
from tutelage.tables import Notes, as_label
from tutelage.tables.doubtful import is_doubtful
from tutelage.tables.label_cells import read_cell
from tutelage.tables.labels import words_for_none
from tutelage.tables.none_words import NUMBER, is_odd_beside
from tutelage.tables.printed import is_structured
from tutelage.tables.scores import NotALabelError
from tutelage.tables.spelling import folded


def labels_of(y: Any, notes: Notes | None = None, missing: Any = -1) -> list[Any]:
    """List of labels, (n,); None where a label is missing: -1, None, NaN, or a word such as "nan" or "unlabelled".

    Lists of one label, and scores of labels by name, are read as that label, as in files.

    Args:
        y: labels, (n,), perhaps as a column.
        notes: takes what is noticed; without it, warnings say it.
        missing: label that means that there is none, in place of -1; None: only None and NaN do.

    Raises:
        ValueError: y has two dimensions or more, a number is infinite, or an element holds several labels.
    """
    y = _with_none(_one_dimension(y), missing)
    if isinstance(y, np.ndarray) and y.dtype.kind == "f":
        assert_all_finite(y, allow_nan=True, input_name="y")
    found = Notes()
    labels = _of_one_type([_inside(value, i) for i, value in enumerate(y)], found)
    inside = sum(_holds_others(value) for value in y)
    if inside:
        found.say(
            f"y has {inside:,} lists, scores or JSON for labels, and each is read as its one label",
            page="hardly-classes",
        )
    counts = Counter(v for v in labels if isinstance(v, str))
    words = words_for_none(counts)
    for word in words:
        found.say(
            f"y has {str(word)!r} {counts[word]:,} times, which is taken as no label; -1 and None mean so, too",
            page="label-or-none",
        )
    _ask(labels, {word: count for word, count in counts.items() if word not in words}, found)
    _hand_on(found, notes)
    kept = ("-1", -1) if missing != -1 else ()  # a class then, as any other
    return [None if v in words or (unknown(v) and v not in kept) else v for v in labels]


def _with_none(y: Any, missing: Any) -> Any:
    """Labels with None in place of what means that there is no label, where that is not -1."""
    if missing is None or (isinstance(missing, (int, np.integer)) and missing == -1):
        return y
    values = y.tolist() if isinstance(y, (np.ndarray, pd.Series)) else list(y)
    return [None if type(v) is type(missing) and v == missing else v for v in values]


def weights_of(sample_weight: Any, count: int) -> np.ndarray | None:
    """Weights of items, (n,), float64; None where none are given.

    Args:
        sample_weight: weights of n items, or one of all of them.
        count: n.

    Raises:
        ValueError: there are more or fewer than n; or one is negative or not finite; or all are zero.
    """
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    weights = np.full(count, float(weights)) if weights.ndim == 0 else weights
    if weights.shape != (count,):
        raise ValueError(f"sample_weight must have the shape ({count},), got {weights.shape}")
    bad = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        raise ValueError(f"sample_weight[{bad[0]}] must be finite and at least 0, got {weights[bad[0]]}")
    if not weights.any():
        raise ValueError("sample_weight must be above 0 for some item; every weight is zero")
    return weights


def asked_of(asked_by: Any, count: int) -> list[str | None]:
    """By which selector the label of each of n items was asked for, (n,); None of a label that nobody asked for.

    Args:
        asked_by: names of selectors, such as `next_` gives them; None, NaN or "" of an item without one. None: no label
            was asked for.
        count: n.

    Raises:
        ValueError: there are more or fewer than n, or one is no selector's name.

    >>> asked_of(["random", None], 2)
    ['random', None]
    """
    if asked_by is None:
        return []
    found = [as_label(each) for each in asked_by]
    if len(found) != count:
        raise ValueError(f"asked_by must be names of selectors, one for each of {count} items, got {len(found)}")
    for i, name in enumerate(found):
        if name is not None and name not in SELECTORS:
            raise ValueError(f"asked_by[{i}] must be None or one of {', '.join(SELECTORS)}, got {name!r}")
    return found


def groups_of(groups: Any, count: int) -> list[str | None]:
    """Names of groups, (n,), as texts; None where an item has none and is held out by itself.

    Args:
        groups: names or numbers of the groups of n items, such as authors; None: there are none.
        count: n.

    Raises:
        ValueError: there are more or fewer than n.
    """
    if groups is None:
        return []
    names = [as_label(value) for value in np.asarray(groups, dtype=object).ravel()]
    if len(names) != count:
        raise ValueError(f"groups must have one value for each of the {count} items of X, got {len(names)}")
    return names


def ask_of_index(X: Any, y: Any, notes: Notes | None = None) -> None:
    """Ask about items and labels of pandas with the same index in another order, which are taken by their places.

    Args:
        X: n items.
        y: n labels.
        notes: takes the question; without it, a warning says it.
    """
    if not all(isinstance(each, (pd.Series, pd.DataFrame)) for each in (X, y)) or X.index.equals(y.index):
        return
    if len(X) == len(y) and X.index.is_unique and X.index.isin(y.index).all():
        found = Notes()
        asks = (
            "X and y have the same index in another order, and the first label is taken for the first item, and so on"
        )
        found.ask(asks, "y.loc[X.index] for y, if the index tells which label is of which item", page="index-order")
        _hand_on(found, notes)


def _one_dimension(y: Any) -> Any:
    """Labels as a list, a tuple or an array, (n,)."""
    if isinstance(y, Iterator):
        y = list(y)
    if isinstance(y, (str, bytes, Mapping)):
        raise ValueError(f"y must be a list or an array of labels, got {type(y).__name__}")
    if not isinstance(y, (list, tuple)):
        if getattr(y, "ndim", 1) > 2:
            raise ValueError(f"y must be one label of each item, got shape {np.shape(y)}; masks are for Segmenter")
        if getattr(y, "ndim", 1) == 2 and np.shape(y)[1] > 1:
            raise ValueError(
                f"y must be one label of each item, (n,), got shape {np.shape(y)}; of columns that mark a class each, "
                "such as one-hot ones, y.argmax(axis=1) gives the numbers of the classes"
            )
        y = column_or_1d(_of_numpy(y), warn=True)
    return y


def _of_numpy(y: Any) -> Any:
    """Labels whose type stays where some are missing, which NumPy's numbers have no value for."""
    if isinstance(y, pd.Series) and isinstance(y.dtype, pd.api.extensions.ExtensionDtype) and y.isna().any():
        return y.astype(object).where(y.notna(), None).to_numpy()
    return y


def _holds_others(value: Any) -> bool:
    """Whether an element of y is a list, an object, or a text that writes one."""
    if isinstance(value, str):
        return is_structured(value) and read_cell(value).form != ""
    return isinstance(value, (list, tuple, set, frozenset, Mapping)) or (
        isinstance(value, np.ndarray) and value.ndim > 0
    )


def _inside(value: Any, i: int) -> Any:
    """The label that an element of y holds, with its type where a list holds it alone."""
    if isinstance(value, np.ndarray) and value.ndim > 1:
        raise ValueError(f"y[{i}] must be a label, got an array of shape {value.shape}; masks are for Segmenter")
    try:
        if not _holds_others(value):
            return value
        if not isinstance(value, (str, Mapping)) and len(value) == 1:
            return _inside(next(iter(value)), i)
        return read_cell(value).label
    except NotALabelError as e:
        raise ValueError(f"y[{i}]: {e}") from e


def _of_one_type(labels: Sequence[Any], found: Notes) -> list[Any]:
    """Labels of one type: all of them as texts where there are texts and others."""
    types = Counter(type(v).__name__ for v in labels if not unknown(v))
    if "str" not in types or len(types) == 1:
        return list(labels)
    named = " and ".join(f"{name} ({count:,})" for name, count in types.most_common())
    found.say(
        f"y has labels of several types, {named}; each is taken as a text, so that 1 and '1' are one class",
        page="spellings",
    )
    return [None if unknown(v) else as_label(v) for v in labels]


def _ask(labels: Sequence[Any], words: Mapping[str, int], found: Notes) -> None:
    """Ask about words that may mean that there is no label, about -1 beside other negative numbers, and spellings."""
    for word, count in words.items():
        if is_doubtful(word) or is_odd_beside(word, words):
            found.ask(
                f"y has {str(word)!r} {count:,} times, which is taken for a class",
                "None in its place, if it is none",
                page="label-or-none",
            )
    numbers = {str(v) for v in labels if not isinstance(v, (str, bytes)) and not unknown(v)} | {*words}
    below = sorted(number for number in numbers if NUMBER.fullmatch(number) and -9 < float(number) < 0)
    if below and any(unknown(v) and v is not None and str(v) in ("-1", "-1.0") for v in labels):
        found.ask(
            f"y has -1, which is taken as no label, beside {', '.join(below)}",
            "texts, or numbers from 0 on, as labels",
            page="label-or-none",
        )
    by_key: dict[str, list[str]] = {}
    for name in sorted(words):
        by_key.setdefault(folded(name), []).append(name)
    for several in by_key.values():
        if len(several) > 1:
            named = ", ".join(map(ascii, several))
            differ = "which differ only by case, blanks or unseen characters, or by marks around them"
            found.say(f"y has {named}, {differ}; each is taken for a class of its own", page="spellings")


def _hand_on(found: Notes, notes: Notes | None) -> None:
    if notes is not None:
        for line in found.lines:
            notes.say(line)
        for question in found.questions:
            notes.ask(question.asks, *question.options, page=question.page)
        return
    asked = (on_page(f"{question.asks}; give {question.options[0]}", question.page) for question in found.questions)
    for line in [*found.lines, *asked]:
        warn(line, stacklevel=4)
