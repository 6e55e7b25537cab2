"""What texts and images have in common, of which each has one label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from tutelage.data.tables import DataError
from tutelage.fit.evidence import wilson
from tutelage.kinds.base import Say
from tutelage.modalities.images.tables import ImageRows
from tutelage.modalities.text.tables import Texts
from tutelage.run.options import Request

Rows = TypeVar("Rows", Texts, ImageRows)


def at(file: str | Path, column: str | None = None, row: int | None = None) -> str:
    """A place in a table, as errors say it; of a folder, which has neither rows nor columns, its name.

    >>> at("pets.csv", "kind", 7), at("tests", "kind", 7)
    ("pets.csv, row 7, column 'kind'", 'tests')
    """
    if Path(file).is_dir():
        return str(file)
    parts = [f"row {row}" if row else "", f"column {column!r}" if column else ""]
    return ", ".join([str(file), *filter(None, parts)])


def class_names(labelled: Texts | ImageRows, say: Say) -> list[str]:
    """The labels there are, sorted."""
    classes = sorted({str(v) for v in labelled.labels})
    if "-1" in classes:
        say("Label -1 is read as a class of its own; an unlabelled row has an empty label.")
    return classes


def require_two(classes: Sequence[str], place: str) -> None:
    """DataError where there is one class, or none."""
    if len(classes) < 2:
        raise DataError(f"{place}: only one class, {(*classes, '')[0]!r}; two are needed")


def require_two_of_each(request: Request, labelled: Texts | ImageRows, y: np.ndarray, classes: Sequence[str]) -> None:
    """DataError where a class has one label, or clean labels are of one class: then there is no evidence."""
    counts = np.bincount(y, minlength=len(classes))
    few = np.flatnonzero(counts == 1)
    if len(few):
        lonely = labelled.where(y == few[0])
        raise DataError(
            f"{at(request.train, request.label, lonely.rows[0])}: class {classes[int(few[0])]!r} "
            "has one label; label one more row of it (the evidence needs two), or pass --no-evidence"
        )
    if request.weak and len(y) and (counts > 0).sum() < 2:
        raise DataError(
            f"{request.train}, column {request.label!r}: the clean labels are all of class "
            f"{classes[int(counts.argmax())]!r}; label rows of another, or pass --no-evidence"
        )


def labelled_only(test: Rows, label: str | None, say: Say) -> Rows:
    """The rows of a test table that have a label; DataError where there are none."""
    has_label = np.array([v is not None for v in test.labels])
    if not has_label.any():
        raise DataError(f"{at(test.file, label)}: every label is empty; nothing to score on")
    if not has_label.all():
        say(f"Not scored: {int((~has_label).sum())} rows of {test.file} without a label.")
    return test.where(has_label)


def codes(classes: Sequence[str], test: Texts | ImageRows) -> np.ndarray:
    """Class numbers of a table's labels; DataError names the first that was never seen."""
    code = {c: i for i, c in enumerate(classes)}
    for row, v in zip(test.rows, test.labels, strict=True):
        if v not in code:
            unseen = sorted({str(u) for u in test.labels if u not in code})
            raise DataError(
                f"{at(test.file, row=row)}: label {v!r} was not among the training labels "
                f"{', '.join(classes)}; unseen in this file: {', '.join(unseen)}"
            )
    return np.array([code[str(v)] for v in test.labels], dtype=np.int64)


def codes_if_known(classes: Sequence[str], labels: Sequence[str | None]) -> np.ndarray:
    """Class numbers of labels, -1 where there is none or it is of no class."""
    code = {c: i for i, c in enumerate(classes)}
    return np.array([code.get(v or "", -1) for v in labels], dtype=np.int64)


def class_scores(y: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Accuracy with its interval, and macro F1."""
    guess = probabilities.argmax(1)
    found = wilson(float(accuracy_score(y, guess)), len(y))
    macro = f1_score(y, guess, average="macro", zero_division=0.0)
    return {
        "rows": len(y), "measure": "accuracy", "accuracy": found.score, "interval": [found.low, found.high],
        "macro_f1": float(macro),
    }  # fmt: skip
