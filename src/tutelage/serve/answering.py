"""Answers to requests: the predictions of the rows, as `tutelage predict` gives them, written as JSON or csv."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.kinds.answers import beside_own
from tutelage.model import Answers, Model
from tutelage.serve.batches import Asking, Batches
from tutelage.serve.bodies import CSV, JSON, Limits, table_in
from tutelage.serve.refusals import RefusedError
from tutelage.serve.served import Served
from tutelage.tables import USUAL, DataError, Notes, csv_of, formulas

EACH = "probabilities"
"""Name of the probabilities of all classes in an answer."""

PREFIX = "p_"
"""Beginning of the names of their columns in csv, as --teacher reads them."""


@dataclass(frozen=True)
class Question:
    """A request, as it arrived.

    Attributes:
        body: body of the request.
        kind: type of its content.
        answer: type of the content of the answer.
        abstain: largest share of wrong labels among those given; None labels every row.
        classes: whether the probabilities of all classes are asked for.
    """

    body: bytes
    kind: str
    answer: str = JSON
    abstain: float | None = None
    classes: bool = False


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        data: bytes of its body.
        kind: type of its content.
        rows: number of its rows.
    """

    data: bytes
    kind: str
    rows: int


def asked_by(parameters: Sequence[tuple[str, str]], abstain: float | None) -> tuple[float | None, bool]:
    """What the query of a request asks for: the share of wrong labels, and whether all probabilities.

    Args:
        parameters: names and values of the query.
        abstain: the share where the query names none.

    Raises:
        RefusedError: a name or a value is none that there is.

    >>> asked_by([("abstain", "0.05"), ("classes", "true")], None)
    (0.05, True)
    """
    classes = False
    for name, value in parameters:
        if name == "abstain":
            try:
                abstain = float(value)
            except ValueError as e:
                raise RefusedError(422, f"abstain must be a number in (0, 1), got {value[:60]!r}") from e
            if not 0 < abstain < 1:
                raise RefusedError(422, f"abstain must be in (0, 1), got {value[:60]}")
        elif name == "classes":
            if value not in ("true", "false"):
                raise RefusedError(422, f"classes must be true or false, got {value[:60]!r}")
            classes = value == "true"
        else:
            raise RefusedError(422, f"no parameter {name[:60]!r}; there are abstain and classes")
    return abstain, classes


def reply_to(question: Question, served: Served, batches: Batches, limits: Limits, safe: bool) -> Reply:
    """The answer to a request.

    Args:
        question: the request.
        served: the model that answers.
        batches: thread that asks it.
        limits: how much may be asked.
        safe: whether cells of csv that look like formulas are made harmless.

    Raises:
        RefusedError: the request is refused, with what is wrong with it.
    """
    notes = Notes()
    try:
        table = table_in(question.body, question.kind, served.columns, limits, notes)
        promised = served.run.kind.promise(served.run.model, question.abstain)
        asking = Asking.of(served.run.model, batches)
        frame, added = served.run.kind.labelled(asking, table, USUAL, notes, _silent, promised)
        if question.classes and asking.found is not None:
            added |= _each(asking.found, served.run.model, question.answer)
        if question.answer == CSV:
            with formulas.safe_cells(safe):
                return Reply(csv_of(beside_own(frame, added, Path("the answer"), notes)), CSV, len(frame))
    except DataError as e:
        raise RefusedError(422, *e.messages) from e
    except RefusedError:
        raise
    except (ValueError, RecursionError) as e:  # as the command takes them: faults of what was given
        raise RefusedError(422, str(e)) from e
    numbers = table.table.rows if len(table.table.rows) == len(frame) else frame.index.tolist()
    said = [*notes.lines, *(question.asks for question in notes.questions)]
    whole = {"rows": _rows(numbers, added), "notes": said, "model": served.fingerprint}
    return Reply(json.dumps(whole, ensure_ascii=False, allow_nan=False).encode(), JSON, len(frame))


def _silent(what: str, done: int, total: int) -> None:
    """Show no progress."""


def _each(found: Answers, model: Model, answer: str) -> dict[str, Any]:
    """Columns with the probabilities of all classes; of sentences a list for each, with those of each word.

    Args:
        found: what the model says of the rows.
        model: the model.
        answer: type of the content of the answer.
    """
    p, counts, unread = found
    classes = list(map(str, model.classes))
    if model.task.sequential:
        words = np.split(p, np.cumsum(counts)[:-1])
        return {EACH: [[_named(classes, word) for word in each] for each in words]}
    if answer == JSON:
        return {EACH: [None if none else _named(classes, row) for row, none in zip(p, unread, strict=True)]}
    return {f"{PREFIX}{name}": np.where(unread, np.nan, p[:, k]) for k, name in enumerate(classes)}


def _named(classes: Sequence[str], row: np.ndarray) -> dict[str, float]:
    return dict(zip(classes, map(float, row), strict=True))


def _rows(numbers: Sequence[int], added: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Predictions of each row, as values that JSON can hold, with its number in the request."""
    columns = {name: [_plain(cell) for cell in cells] for name, cells in added.items()}
    return [
        {"row": int(number)} | {name: cells[i] for name, cells in columns.items()} for i, number in enumerate(numbers)
    ]


def _plain(value: Any) -> Any:
    """A value that JSON can hold; None for what is missing."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return {str(name): _plain(each) for name, each in value.items()} if isinstance(value, dict) else value
