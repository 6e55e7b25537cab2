"""Predictions written in the form of the export that the items came from, so that the tool can take them in again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tutelage.data.errors import DataError
from tutelage.files import clear_parts, write_atomically
from tutelage.tables.exports import argilla, doccano, label_studio, prodigy
from tutelage.tables.exports.made import Made
from tutelage.tables.exports.tools import recognised

SAID, OF_CLASS = "said", "p_"
"""Column of what a chat model or another teacher says, and what stands before a class in those of its probabilities."""

PREDICTED, PREDICTED_SPANS, PROBABILITY = "predicted", "predicted_spans", "probability"
"""Columns that predictions are written to: classes or tags, spans of entities, and the probability of each."""
MODEL = "tutelage"
"""Name under which a tool shows the predictions."""
LOOKED_AT = 100
"""Number of lines after which a file with a row in each line is known to be no export."""
Row = Mapping[str, Any]
"""A row of an export."""


@dataclass(frozen=True)
class Predicted:
    """What was predicted of an item, and where it belongs.

    Attributes:
        label: name of the class; None where spans were predicted, or nothing.
        spans: entities with "start", "end", "type" and "text", counted in characters; None where a class was predicted.
        probability: probability of the prediction, in [0, 1].
        item: name of the item's column.
        key: name of the column of labels.
    """

    label: str | None
    spans: Sequence[Mapping[str, Any]] | None
    probability: float
    item: str
    key: str

    @property
    def triples(self) -> list[list[Any]]:
        """Spans as [start, end, type]."""
        return [[span["start"], span["end"], span["type"]] for span in self.spans or ()]

    @property
    def labels(self) -> list[str]:
        """The class in a list, which is empty where there is none."""
        return [] if self.label is None else [self.label]


def written(
    rows: Sequence[Row], made: Made, predictions: pd.DataFrame, item: str, label: str | None = None
) -> list[dict[str, Any]]:
    """Rows of an export with predictions: of Label Studio and Argilla beside the annotations, of others in their place.

    In Label Studio's tasks they are a further prediction, in Argilla's records a suggestion. In rows of Prodigy and
    doccano they fill the key of the labels where it has none, and ``meta`` or ``score`` tells the probability. Of the
    rows of one task in a flat export of Label Studio, one is written.

    Args:
        rows: rows of the export, as the file has them.
        made: table that was made of them.
        predictions: columns PREDICTED or PREDICTED_SPANS, and PROBABILITY; a row for each row of ``made.frame``.
        item: name of the column of the items.
        label: name of the column of the labels; one that the export lacks stands for its first of the same sort, and
            so does None.

    Raises:
        DataError: predictions are not written in the form of this tool.
    """
    if made.tool not in _WRITERS:
        raise DataError(f"predictions are not written in the form of {made.tool}; write them to .csv or .parquet")
    usual = prodigy.SPANS if made.tool == prodigy.TOOL and PREDICTED_SPANS in predictions else "label"
    key = _key(made, label, PREDICTED_SPANS in predictions) or label or usual
    places = list(enumerate(made.places))
    if made.tool == label_studio.TOOL:
        places = [(number, place) for place, number in {place: number for number, place in reversed(places)}.items()]
    write = _WRITERS[made.tool]
    return [write(rows[number], _predicted(predictions, place, item, key)) for number, place in sorted(places)]


def _key(made: Made, label: str | None, of_spans: bool) -> str | None:
    """Name of the export's column of labels that predictions fill; None where the export has none of their sort."""
    if label in made.labels:
        return label
    return next((name for name, held in made.labels.items() if (held == "spans") == of_spans), None)


def in_tools_form(
    path: Path, output: Path, predictions: pd.DataFrame, item: str, label: str | None = None
) -> str | None:
    """Write predictions in the form of the export that a file of JSON is; see `written` for the other arguments.

    Args:
        path: file of the items.
        output: file to write, which ends in .json or .jsonl.

    Returns:
        Name of the tool; None, and nothing is written, where a file is not JSON, the items are no export that can be
        written, or some of them have no prediction.
    """
    if not {path.suffix.lower(), output.suffix.lower()} <= {".json", ".jsonl"}:
        return None
    rows = _rows_in(path)
    made = recognised(rows, path)
    if made is None or made.tool not in _WRITERS or len(predictions) != len(made.frame):
        return None
    if made.tool == doccano.TOOL and item == doccano.FILE:  # which takes in images, but no labels of them
        return None
    write_rows(written(rows, made, predictions, item, label), output, made.tool == doccano.TOOL)
    return made.tool


def _rows_in(path: Path) -> list[Any]:
    """Rows of a file of JSON, a list or a row in each line; none of another file, or where the first are no export."""
    try:
        with open(path, encoding="utf-8-sig") as lines:
            first = [json.loads(line) for line in islice(lines, LOOKED_AT) if line.strip()]
            if len(first) == 1 and isinstance(first[0], list):  # all rows in one line, as tools write them
                return first[0]
            if not first or not isinstance(first[0], dict) or recognised(first, path) is None:
                return []
            return [*first, *(json.loads(line) for line in lines if line.strip())]
    except (ValueError, RecursionError):  # a list over several lines, or not UTF-8
        pass
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else [found]


def write_rows(rows: Sequence[Row], path: Path, escaped: bool = False) -> None:
    """Write rows of an export: a line for each where the file's name ends in .jsonl, else one list.

    Args:
        rows: the rows.
        path: file to write.
        escaped: whether letters beyond ASCII are escaped, for a tool that guesses the charset, as doccano does.
    """
    if path.suffix.lower() == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=escaped, default=str) + "\n" for row in rows)
    else:
        text = json.dumps(rows, ensure_ascii=escaped, indent=1, default=str)
    clear_parts(path.parent, path.name)
    write_atomically(path, text.encode(errors="replace"))


def _predicted(predictions: pd.DataFrame, row: int, item: str, key: str) -> Predicted:
    spans = predictions[PREDICTED_SPANS].iloc[row] if PREDICTED_SPANS in predictions else None
    label = predictions[PREDICTED].iloc[row] if spans is None else None
    named = None if label is None or (isinstance(label, float) and np.isnan(label)) else str(label)
    return Predicted(named, spans, float(predictions[PROBABILITY].iloc[row]), item, key)


def _task(row: Row, one: Predicted) -> dict[str, Any]:
    """Task of Label Studio with a prediction; a row of a flat export becomes a task."""
    if not label_studio.are_tasks([row]):
        data = {name: cell for name, cell in row.items() if name not in {*label_studio.ABOUT, one.key, "id"}}
        row = {"data": data} | ({"id": row["id"]} if row.get("id") is not None else {})
    given = [each for name in ("annotations", "completions") for each in row.get(name) or []]
    done = [result for each in given for result in each["result"] or [] if isinstance(result, dict)]
    names = (one.key, one.key.removesuffix(label_studio.RENAMED))
    about = next((result for result in done if result.get("from_name") in names), {})
    to = {"from_name": about.get("from_name", one.key), "to_name": about.get("to_name", one.item)}
    if one.spans is not None:
        results = [{**to, "type": "labels", "value": _value(span)} for span in one.spans]
    else:
        results = [{**to, "type": "choices", "value": {"choices": [label]}} for label in one.labels]
    prediction = {"model_version": MODEL, "score": one.probability, "result": results}
    return {**row, "predictions": [*(row.get("predictions") or []), prediction]}


def _value(span: Mapping[str, Any]) -> dict[str, Any]:
    return {"start": span["start"], "end": span["end"], "text": span["text"], "labels": [span["type"]]}


def _prodigy(row: Row, one: Predicted) -> dict[str, Any]:
    """Task of Prodigy; one that was not accepted gets the prediction, and waits for a new answer."""
    if row.get("answer") == "accept" and row.get(one.key) is not None:
        return dict(row)
    spans = [{"start": start, "end": end, "label": kind} for start, end, kind in one.triples]
    filled = spans if one.spans is not None else one.labels if one.key == prodigy.CHOSEN else one.label
    meta = row["meta"] if isinstance(row.get("meta"), dict) else {}
    rest = {name: cell for name, cell in row.items() if name != "answer"}
    return {**rest, one.key: filled, "meta": {**meta, "score": one.probability}}


def _doccano(row: Row, one: Predicted) -> dict[str, Any]:
    """Row of doccano; one without a label gets the prediction. All rows have a score, or the import fails."""
    if row.get(one.key):
        return {**row, "score": 1.0}
    names = ("start_offset", "end_offset", "label")
    as_dicts = one.key in ("entities", "annotations")
    spans = [dict(zip(names, span, strict=True)) for span in one.triples] if as_dicts else one.triples
    return {**row, one.key: one.labels if one.spans is None else spans, "score": one.probability}


def _record(row: Row, one: Predicted) -> dict[str, Any]:
    """Record of Argilla with a suggestion."""
    spans = [{"label": kind, "start": start, "end": end} for start, end, kind in one.triples]
    value = one.label if one.spans is None else spans
    if isinstance(row.get("suggestions"), dict):
        suggestion = {"value": value, "score": one.probability, "agent": MODEL}
        return {**row, "suggestions": {**row["suggestions"], one.key: suggestion}}
    name = f"{one.key}{argilla.PROPOSED}"
    return {**row, name: value, f"{name}.score": one.probability, f"{name}.agent": MODEL}


_WRITERS: Mapping[str, Callable[[Row, Predicted], dict[str, Any]]] = {
    label_studio.TOOL: _task,
    prodigy.TOOL: _prodigy,
    doccano.TOOL: _doccano,
    argilla.TOOL: _record,
}
"""Function that writes an item and its prediction, by the name of the tool."""
