"""Teachers as Python users bring them: arrays, data frames, fitted classifiers and functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tutelage.data.marks import learnt
from tutelage.estimators.base import Estimator
from tutelage.ops.said import warn
from tutelage.weak import SaidTable, said_values


def teacher_said(
    teacher: Any, items: Sequence[Any], counts: Sequence[int], classes: Sequence[Any] | None
) -> list[tuple[SaidTable, ...]]:
    """What a teacher said of each part of the items; nothing without a teacher.

    Args:
        teacher: array, (n, c), of all parts together; a pair of arrays; a fitted classifier; or a function.
        items: items of each part, as a classifier or a function takes them.
        counts: number of items of each part.
        classes: classes of an array's columns; None numbers them from 0.

    Raises:
        ValueError: the teacher does not fit the items or the classes.
    """
    if teacher is None:
        return [()] * len(counts)
    if hasattr(teacher, "predict_proba"):
        tables, classes = (
            [teacher.predict_proba(part) for part, _ in zip(items, counts, strict=False)],
            teacher.classes_,
        )
    elif callable(teacher):
        tables = [teacher(part) for part, _ in zip(items, counts, strict=False)]
    elif isinstance(teacher, tuple):
        if len(teacher) != len(counts):
            raise ValueError(
                f"teacher must be {len(counts)} arrays, one for each of X and X_unlabelled, got {len(teacher)}"
            )
        tables = list(teacher)
        for table, part in zip(tables, items, strict=False):
            require_same_order(table, part)
    else:
        if len(teacher) != sum(counts):
            raise ValueError(
                f"teacher must have a row for each of the {sum(counts)} items of X and X_unlabelled, got {len(teacher)}"
            )
        require_same_order(teacher, items[0] if items[1] is None else None)
        ends = np.cumsum(counts)
        slices = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]
        tables = [teacher.iloc[s] if isinstance(teacher, pd.DataFrame) else np.asarray(teacher)[s] for s in slices]

    def say(what: str) -> None:
        warn(f"the numbers of the teacher are {what}", stacklevel=3, page="teacher-names")

    seen = teacher._model.learnt if isinstance(teacher, Estimator) else frozenset()
    return [
        (
            replace(
                said_values(table, count, classes, "teacher", say), learnt=learnt(list(part), seen) if seen else None
            ),
        )
        for table, part, count in zip(tables, items, counts, strict=False)
    ]


def require_same_order(teacher: Any, items: Any) -> None:
    """Check that what a teacher said stands in the order of the items, as far as both have an index of pandas.

    Raises:
        ValueError: both have the same index, in another order.
    """
    ours, its = (getattr(each, "index", None) for each in (items, teacher))
    if not (isinstance(ours, pd.Index) and isinstance(its, pd.Index)) or len(ours) != len(its) or ours.equals(its):
        return
    if ours.is_unique and len(ours.difference(its)) == 0:
        raise ValueError(
            "the rows of teacher have the same index as those of X, but in another order; rows are taken by their "
            "place, so give teacher.loc[X.index], or teacher.to_numpy() if it is in order"
        )
