"""Argilla's records of all forms become plain columns, with submitted answers as labels."""

from __future__ import annotations

import pandas as pd
import pytest

from tutelage.tables.exports import recognised


def nested(text="a", **responses):
    answers = {
        question: [{"value": value, "user_id": user} for user, value in said] for question, said in responses.items()
    }
    return {
        "id": "1", "fields": {"text": text}, "metadata": {"source": "web"}, "vectors": {}, "status": "completed",
        "suggestions": {"label": {"value": "sport", "score": None, "agent": None}}, "responses": answers,
    }  # fmt: skip


def flat(values, users, status, **more):
    return {
        "id": "1", "text": "a", "label.responses": values, "label.responses.users": users,
        "label.responses.status": status, "label.suggestion": "sport", "label.suggestion.agent": None, **more,
    }  # fmt: skip


def test_fields_metadata_and_answers_of_nested_records_are_columns():
    made = recognised([nested(label=[("u", "food")], stars=[("u", 3)]), nested("b")])
    assert made.frame.text.tolist() == ["a", "b"]
    assert made.frame.label.fillna("-").tolist() == ["food", "-"]
    assert made.frame.stars.fillna("-").tolist() == ["3", "-"]
    assert made.frame.source.tolist() == ["web", "web"]
    assert made.frame["label.suggestion"].tolist() == ["sport", "sport"]
    assert "suggestions are no labels; they are in the columns that end in .suggestion" in made.sentence


@pytest.mark.parametrize("in_table", [False, True])
def test_only_submitted_answers_of_flat_records_count(in_table):
    rows = [
        flat(["food", "sport"], ["u", "v"], ["submitted", "draft"]), flat(["food"], ["u"], ["discarded"]),
        flat(["food", "sport"], ["u", "v"], ["submitted"] * 2), flat(None, None, None),
    ]  # fmt: skip
    made = recognised(pd.DataFrame(rows) if in_table else rows)
    assert made.frame.label.fillna("-").tolist() == ["food", "-", "food", "sport", "-"]
    assert made.frame.annotator.fillna("-").tolist() == ["u", "-", "u", "v", "-"]
    assert made.refused == {2: "discarded answer"}
    assert "not taken: 1 draft answer; not taken: 1 discarded answer" in made.sentence


def test_spans_are_triples_and_rankings_are_not_read():
    spans = [{"label": "PER", "start": 0, "end": 3}]
    made = recognised([nested("Ada", ner=[("u", spans)], order=[("u", [{"value": "a", "rank": 1}])])])
    assert made.frame.ner.tolist() == [[[0, 3, "PER"]]]
    assert "order" not in made.frame
    assert "not read: order" in made.sentence


def test_a_question_with_the_name_of_a_field_gets_a_column_of_its_own():
    made = recognised([nested() | {"responses": {"text": [{"value": "food", "user_id": "u"}]}}])
    assert (made.frame.text.tolist(), made.frame.text_labels.tolist()) == (["a"], ["food"])


def test_records_of_version_1():
    answers = [{"user_id": "u", "value": "food", "status": "submitted"}]
    one = {"text": "a", "label": answers, "label-suggestion": None, "label-suggestion-metadata": {}}
    assert recognised([one]).frame.label.tolist() == ["food"]
    old = {"text": "a", "prediction": None, "prediction_agent": None, "annotation": "food", "annotation_agent": "u"}
    made = recognised([old | {"status": "Validated"}, old | {"status": "Discarded"}])
    assert made.frame.annotation.fillna("-").tolist() == ["food", "-"]
    spans = recognised([old | {"status": "Validated", "annotation": [["PER", 0, 1]]}])
    assert spans.frame.annotation.tolist() == [[[0, 1, "PER"]]]


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (("['food']", "['u']"), ["food"]), (('["food"]', "['u']"), ["food"]),
        (("['it\\'s' \"sport\"]", "['u' 'v']"), ["it's", "sport"]),
        (("[array(['food', 'sport'], dtype=object)]", "['u']"), [["food", "sport"]]),
    ],
)  # fmt: skip
def test_answers_of_a_csv_file_are_lists_as_python_and_numpy_print_them(cells, labels):
    answers, people = cells
    made = recognised([flat(answers, people, people.replace("u", "submitted").replace("v", "submitted"))])
    assert made.frame.label.tolist() == labels


def test_spans_of_a_csv_file_are_read():
    spans = "{'label': 'PER', 'start': 0, 'end': 3},\n        {'label': 'LOC', 'start': 9, 'end': 13}"
    cell = f"[array([{spans}], dtype=object)]"
    made = recognised([flat(cell, "['u']", "['submitted']"), flat("[]", "[]", "[]")])
    assert made.frame.label.tolist() == [[[0, 3, "PER"], [9, 13, "LOC"]], None]


def test_old_records_need_no_agents_and_their_state_counts():
    rows = [
        {"inputs": {"text": "a"}, "annotation": "food", "prediction": None, "status": "Validated"},
        {"inputs": {"text": "b"}, "annotation": "sport", "prediction": None, "status": "Discarded"},
    ]
    made = recognised(rows)
    assert made.frame.text.tolist() == ["a", "b"]
    assert made.frame.annotation.fillna("-").tolist() == ["food", "-"]
    assert recognised([row | {"status": "open"} for row in rows]) is None
