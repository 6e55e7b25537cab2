"""Predictions go back in the form of the tool's own export, and can be read again."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from tutelage.tables import DataError
from tutelage.tables.exports import recognised
from tutelage.tables.exports.write import in_tools_form, written

LABELS = pd.DataFrame({"predicted": ["food", None], "probability": [0.75, 0.5]})
SPANS = pd.DataFrame(
    {"predicted_spans": [[{"start": 0, "end": 3, "type": "PER", "text": "Ada"}], []], "probability": [0.75, 0.5]}
)


def task(number, text, *results):
    return {"id": number, "data": {"text": text}, "annotations": [{"result": list(results)}] if results else []}


def done(rows, predictions, **more):
    made = recognised(rows)
    return written(rows, made, predictions, more.pop("item", "text"), **more)


def test_tasks_get_a_prediction_of_the_control_that_annotated_them():
    result = {"from_name": "topic", "to_name": "shown", "type": "choices", "value": {"choices": ["sport"]}}
    rows = done([task(1, "a", result), task(2, "b")], LABELS)
    about = {"type": "choices", "value": {"choices": ["food"]}}
    assert rows[0]["predictions"] == [
        {"model_version": "tutelage", "score": 0.75, "result": [{"from_name": "topic", "to_name": "shown", **about}]}
    ]
    assert rows[1]["predictions"][0]["result"] == []
    again = recognised(rows)
    assert (again.frame.text.tolist(), again.frame.topic.fillna("-").tolist()) == (["a", "b"], ["sport", "-"])


def test_tasks_without_annotations_get_spans_of_the_columns_named():
    rows = done([{"data": {"text": "Ada left"}}, {"data": {"text": "b"}}], SPANS, label="ner")
    (result,) = rows[0]["predictions"][0]["result"]
    assert result == {
        "from_name": "ner", "to_name": "text", "type": "labels",
        "value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]},
    }  # fmt: skip
    assert recognised(rows).frame.text.tolist() == ["Ada left", "b"]


def test_a_column_that_the_export_lacks_stands_for_its_own_of_the_same_sort():
    result = {"from_name": "topic", "to_name": "text", "type": "choices", "value": {"choices": ["sport"]}}
    tasks = [task(1, "a", result), task(2, "b")]
    names = [row["predictions"][0]["result"] for row in done(tasks, LABELS.assign(predicted="food"), label="label")]
    assert [[each["from_name"] for each in name] for name in names] == [["topic"], ["topic"]]
    spans = done([task(1, "Ada left", result), task(2, "b")], SPANS, label="ner")
    assert spans[0]["predictions"][0]["result"][0]["from_name"] == "ner"
    rows = [{"id": i, "text": "a", "label": ["sport"] * (1 - i), "Comments": []} for i in range(2)]
    assert done(rows, LABELS.assign(predicted="food"), label="topic")[1] == {**rows[1], "label": ["food"], "score": 0.5}


def test_rows_of_a_flat_export_become_tasks_each_once():
    about = {"annotation_id": 1, "annotator": 1, "created_at": "", "updated_at": "", "lead_time": 1}
    rows = [{"id": i, "text": "ab"[i - 1], "topic": "food", **about} for i in (1, 1, 2)]
    assert [row["data"] for row in done(rows, LABELS, label="topic")] == [{"text": "a"}, {"text": "b"}]


def test_accepted_rows_of_prodigy_stay_and_others_wait_for_a_new_answer():
    hashes = {"_input_hash": 1, "_task_hash": 1}
    rows = [
        {"text": "a", "label": "sport", "answer": "reject", **hashes},
        {"text": "b", "label": "sport", "answer": "accept", "_input_hash": 2, "_task_hash": 2},
    ]
    first, second = done(rows, LABELS)
    assert first == {"text": "a", "label": "food", "meta": {"score": 0.75}, **hashes}
    assert second == rows[1]
    assert recognised([first, second]).frame.label.fillna("-").tolist() == ["-", "sport"]


def test_spans_and_choices_of_prodigy_have_its_form():
    spans = [{"text": "Ada", "spans": [], "answer": answer} for answer in ("ignore", "accept")]
    span = {"start": 0, "end": 3, "label": "PER"}
    spans[1] |= {"spans": [span]}
    assert done(spans, SPANS)[0]["spans"] == [span]
    options = [{"text": "a", "options": [], "accept": [], "answer": "ignore"}] * 2
    assert [row["accept"] for row in done(options, LABELS)] == [["food"], []]


def test_rows_of_doccano_are_filled_where_they_are_empty():
    rows = [{"id": i, "text": "a", "label": label, "Comments": []} for i, label in enumerate(([], ["sport"]))]
    first, second = done(rows, LABELS)
    assert (first["label"], first["score"], second) == (["food"], 0.75, rows[1] | {"score": 1.0})
    assert recognised([first, second]).frame.label.tolist() == ["food", "sport"]
    entity = {"id": 1, "label": "ORG", "start_offset": 0, "end_offset": 1}
    spans = done([{"text": "Ada", "entities": []}, {"text": "b", "entities": [entity]}], SPANS)
    assert recognised(spans).frame.entities.tolist() == [[[0, 3, "PER"]], [[0, 1, "ORG"]]]


def test_records_of_argilla_get_a_suggestion():
    row = {"id": "1", "fields": {"text": "a"}, "metadata": {}, "suggestions": {}, "responses": {}}
    made = done([row, row], LABELS)
    assert made[0]["suggestions"] == {"label": {"value": "food", "score": 0.75, "agent": "tutelage"}}
    assert recognised(made).frame["label.suggestion"].fillna("-").tolist() == ["food", "-"]


def test_other_forms_are_refused():
    with pytest.raises(DataError, match="predictions are not written in the form of spaCy; write them to"):
        done([{"text": "a", "cats": {"x": 1}}] * 2, LABELS)


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_a_file_of_json_is_written_in_the_form_of_its_tool(tmp_path, lines, ending):
    rows = [task(1, "á"), task(2, "b")]
    (tmp_path / "t.json").write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows, indent=2))
    assert in_tools_form(tmp_path / "t.json", tmp_path / f"p.{ending}", LABELS, "text", "topic") == "Label Studio"
    text = (tmp_path / f"p.{ending}").read_text(encoding="utf-8")
    found = json.loads(text) if ending == "json" else [json.loads(line) for line in text.splitlines()]
    assert [row["data"]["text"] for row in found] == ["á", "b"]
    assert "á" in text


@pytest.mark.parametrize(
    ("name", "content", "output"),
    [
        ("t.jsonl", '{"text": "a"}\n{"text": "b"}', "p.jsonl"), ("t.json", "no json", "p.json"),
        ("t.json", "", "p.json"), ("t.csv", "text\na\nb", "p.json"),
        ("t.json", json.dumps([task(1, "a"), task(2, "b")]), "p.csv"),
        ("t.json", json.dumps([task(1, "a")]), "p.json"),
    ],
)  # fmt: skip
def test_other_files_are_left_to_the_table(tmp_path, name, content, output):
    (tmp_path / name).write_text(content)
    assert in_tools_form(tmp_path / name, tmp_path / output, LABELS, "text") is None
    assert not (tmp_path / output).exists()


def test_a_list_in_one_line_is_an_export_like_any_other(tmp_path):
    rows = [task(1, "a", {"from_name": "topic", "type": "choices", "value": {"choices": ["sport"]}}), task(2, "b")]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    assert in_tools_form(tmp_path / "t.json", tmp_path / "out.json", LABELS, "text", "topic") == "Label Studio"
    assert [len(row["predictions"]) for row in json.loads((tmp_path / "out.json").read_text())] == [1, 1]


def test_doccano_gets_ascii_and_a_score_in_every_row(tmp_path):
    rows = [{"id": i, "text": "kůň", "label": label, "Comments": []} for i, label in enumerate(([], ["sport"]))]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    assert in_tools_form(tmp_path / "t.json", tmp_path / "out.jsonl", LABELS, "text", "label") == "doccano"
    text = (tmp_path / "out.jsonl").read_text()
    assert text.isascii() and [json.loads(line)["text"] for line in text.splitlines()] == ["kůň", "kůň"]
    assert [json.loads(line)["score"] for line in text.splitlines()] == [0.75, 1.0]


def test_doccano_takes_in_no_labels_of_images(tmp_path):
    rows = [{"id": i, "filename": f"{i}.png", "label": ["cat"], "Comments": []} for i in range(2)]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    assert in_tools_form(tmp_path / "t.json", tmp_path / "out.jsonl", LABELS, "filename", "label") is None
