"""Tables of users' own are taken for no export, and no rows, however odd, end in another error than a DataError."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.tables import DataError, read_table
from tutelage.tables.exports import recognised

FLAT = {"annotation_id": 1, "annotator": "a", "created_at": "x", "updated_at": "x"}
PLAIN: dict[str, list[Any]] = {
    "text and label": [{"text": "a", "label": "x"}],
    "a list of one": [{"id": 1, "text": "a", "label": ["x"]}],
    "spans as triples": [{"id": 1, "text": "Ada", "label": [[0, 3, "PER"]]}],
    "spans as dicts": [{"text": "Ada", "spans": [{"start": 0, "end": 3, "label": "PER"}]}],
    "comments without an id": [{"text": "a", "label": ["x"], "Comments": []}],
    "comments beside no label": [{"id": 1, "text": "a", "Comments": "good"}],
    "an answer with words of one's own": [{"text": "a", "label": "x", "answer": "yes"}],
    "an answer that is one of the three once": [{"text": "a", "label": "x", "answer": v} for v in ("accept", "maybe")],
    "an answer as the only label": [{"text": "a", "answer": "accept"}],
    "data beside a label": [{"data": {"text": "a"}, "label": "x"}],
    "data and annotations without results": [{"data": {"text": "a"}, "annotations": [{"label": "x"}]}],
    "data that is text": [{"data": "a", "annotations": []}],
    "some of the columns of a flat export": [{"text": "a", **FLAT}],
    "fields without responses": [{"fields": {"text": "a"}, "suggestions": {}}],
    "a column that ends in responses": [{"text": "a", "label.responses": ["x"]}],
    "dicts that are no scores": [{"text": "a", "cats": {"tabby": 3}}],
    "cats that are a list": [{"text": "a", "cats": ["tabby"]}],
    "entities as triples": [{"text": "Ada", "entities": [[0, 3, "PER"]]}],
    "lists that are no pairs": [["a", "x"]],
    "one row that is a task": [{"data": {"text": "a"}, "annotations": []}, {"text": "b"}],
    "no rows": [],
    "numbers": [1, 2],
}


@pytest.mark.parametrize("rows", PLAIN.values(), ids=PLAIN)
def test_tables_of_users_own_are_no_exports(rows):
    assert recognised(rows) is None
    if rows and isinstance(rows[0], dict):
        assert recognised(pd.DataFrame(rows)) is None


def test_an_own_table_with_a_column_of_answers_is_read_as_it_is(tmp_path):
    (tmp_path / "t.csv").write_text("text,answer\na,accept\nb,reject\n")
    assert read_table(tmp_path / "t.csv").answer.tolist() == ["accept", "reject"]


def test_an_export_with_a_label_on_the_answer_keeps_all_answers_but_ignored_ones(tmp_path):
    (tmp_path / "t.csv").write_text("text,label,answer\na,food,accept\nb,food,reject\nc,sport,ignore\n")
    assert read_table(tmp_path / "t.csv").answer.fillna("-").tolist() == ["accept", "reject", "-"]


def choice(kind, value, **more):
    return {"from_name": kind, "to_name": "text", "type": kind, "value": value, **more}


RLE = [0, 0, 0, 8, 57, 27, 252, 255, 224]
HTML = {"start": "/b", "end": "/b", "globalOffsets": {"start": 0, "end": 3}, "text": "Ada", "hypertextlabels": ["P"]}
RESULTS = [
    choice("choices", {"choices": ["a"]}), choice("labels", {"start": 3, "end": 6, "text": "Ada", "labels": ["P"]}),
    choice("hypertextlabels", HTML), choice("taxonomy", {"taxonomy": [["a", "b"]]}), {"type": "relation"},
    choice("brushlabels", {"format": "rle", "rle": RLE, "brushlabels": ["x"]}, original_width=2, original_height=1),
]  # fmt: skip
PERSON = {"value": "y", "user_id": "u", "status": "submitted"}
SPAN = {"start": 0, "end": 1, "label": "P"}
EXPORTS: list[list[Any]] = [
    [{"data": {"text": "😀 Ada", "html": "<b>Ada</b>"}, "annotations": [{"completed_by": 1, "result": RESULTS}]}],
    [{"id": 1, "data": {"text": "a"}, "annotations": [{"result": RESULTS[:2]}]},
     {"id": 2, "data": {"text": "b"}, "annotations": [{"was_cancelled": True, "result": []}], "predictions": []}],
    [{"id": 1, "text": "a", "c": "x", "n": [{"start": 0, "end": 1, "labels": ["P"]}], "lead_time": 1.0, **FLAT},
     {"id": 1, "text": "a", "c": {"choices": ["x", "y"]}, "lead_time": None, **FLAT}],
    [{"text": "a", "label": "x", "accept": ["x"],
      "spans": [SPAN], "answer": "accept", "_input_hash": 1, "_task_hash": 1},
     {"text": "a", "label": "y", "accept": [], "spans": [], "answer": "reject", "_input_hash": 1, "_task_hash": 2}],
    [{"id": "1", "fields": {"text": "a"}, "metadata": {}, "suggestions": {"l": {"value": "x"}}, "status": "completed",
      "responses": {"l": [PERSON], "s": [{"value": [SPAN], "user_id": "u"}]}}],
    [{"text": "a", "l.responses": ["x"], "l.responses.users": ["u"], "l.responses.status": ["draft"]}],
    [{"text": "a", "l": [PERSON], "l-suggestion": "x", "l-suggestion-metadata": {}}],
    [{"text": "a", "prediction": None, "prediction_agent": None, "annotation": "x", "annotation_agent": "u",
      "status": "Discarded"}],
    [{"id": 1, "text": "a", "label": ["x"], "Comments": []}, {"id": 2, "text": "a", "label": [], "Comments": []}],
    [{"text": "a", "entities": [{"label": "P", "start_offset": 0, "end_offset": 1}], "relations": [1]}],
    [{"id": 1, "text": "a", "annotations": [{"label": 1, "user": 2}], "annotation_approver": None}],
    [["a", {"entities": [[0, 1, "P"]], "cats": {"x": 1}}], ["b", {"entities": [], "cats": {"x": 0}}]],
    [{"text": "a", "cats": {"x": 1.0, "y": 0}, "ents": [SPAN]}, {"text": "b", "cats": {"x": 0.2, "y": 0}, "ents": []}],
]  # fmt: skip
ODD = st.sampled_from(
    [None, 0, -1, 1.5, float("nan"), True, "", "a", "[1]", '{"a": 1}', [], {}, [[]], [None], {"a": None}, ["x", 1, 2],
     [0, 3, "PER"], SPAN, [PERSON], 10**12, "accept"]
)  # fmt: skip


def places(value: Any, at: tuple = ()) -> list[tuple]:
    """Places of all values within a value."""
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([at] if at else []), *(place for key, part in within for place in places(part, (*at, key)))]


@st.composite
def odd_exports(draw):
    """Rows of an export in which some values are others, or are absent."""
    rows = copy.deepcopy(draw(st.sampled_from(EXPORTS)))
    for _ in range(draw(st.integers(0, 3))):
        *path, last = draw(st.sampled_from(places(rows)))
        holder = rows
        for key in path:
            holder = holder[key]
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[last]
        else:
            holder[last] = copy.deepcopy(draw(ODD))
    return rows


@settings(max_examples=400, deadline=None, derandomize=True)
@given(odd_exports())
def test_odd_exports_are_tables_or_faults_and_lose_no_row(rows):
    try:
        made = recognised(rows, "t.json")
    except DataError as error:
        assert str(error).startswith("t.json")
        return
    if made is not None:
        assert len(made.places) == len(rows)
        assert set(made.places) <= set(range(len(made.frame)))
        assert len(made.frame) >= 1
        assert made.sentence.startswith(f"{made.tool} export: ")


@pytest.mark.parametrize("rows", [rows for rows in EXPORTS if isinstance(rows[0], dict)])
def test_a_table_is_recognised_as_its_rows_are(rows, tmp_path):
    table = pd.DataFrame(rows)
    table.to_json(tmp_path / "t.json", orient="records")
    found, expected = recognised(table), recognised(rows)
    assert (found.tool, found.sentence) == (expected.tool, expected.sentence)
    arrays = table.map(lambda cell: np.array(cell, dtype=object) if isinstance(cell, list) else cell)  # as of parquet
    assert recognised(arrays).sentence == expected.sentence
