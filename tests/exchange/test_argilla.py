"""What Argilla 2 writes, nested and flat, and what cannot be read."""

from __future__ import annotations

import json

import pytest

from tutelage.exchange import NONE, SKIPPED, UNSURE, Answer, How, Question, Record, Span, Suggestion, read
from tutelage.exchange.argilla import settings, write
from tutelage.tables import DataError, Notes

ANN, BOB = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"


@pytest.fixture
def of(tmp_path):
    def records(rows, how=None, notes=None):
        file = tmp_path / "records.json"
        file.write_text(json.dumps(rows))
        return list(read(file, how or How(), notes or Notes()).records)

    return records


def record(text="bread", responses=None, suggestions=None, **more):
    rest = {"id": "17", "metadata": {}, "vectors": {}, "status": "pending", "_server_id": ANN}
    return {"fields": {"text": text}, "responses": responses or {}, "suggestions": suggestions or {}, **rest, **more}


def said(value, user=ANN, **more):
    return {"value": value, "user_id": user, **more}


def test_answers_of_several_people_and_a_suggestion(of):
    suggestion = {"topic": {"value": "food", "score": 0.75, "agent": "m"}}
    found = of([record("bread", {"topic": [said("food"), said("sport", BOB, status="submitted")]}, suggestion)])
    answers = Answer(("food",), ANN), Answer(("sport",), BOB)
    assert found == [Record("bread", id="17", answers=answers, suggestion=Suggestion(("food",), 0.75))]


def test_discarded_answers_are_skipped_and_drafts_are_none(of):
    values = [said(None, status="discarded"), said("food", BOB, status="draft")]
    assert of([record("a", {"topic": values})])[0].answers == (Answer(None, ANN, SKIPPED),)


def test_several_classes_none_of_them_and_not_sure(of):
    rows = [
        record("a", {"label": [said(["b", "a"])]}, id="1"), record("b", {"label": [said([NONE])]}, id="2"),
        record("c", {"label": [said(["a"])], "state": [said(UNSURE)], "note": [said("why?")]}, id="3"),
    ]  # fmt: skip
    found = [each.answers[0] for each in of(rows)]
    assert found == [Answer(("a", "b"), ANN), Answer(None, ANN, NONE), Answer(("a",), ANN, UNSURE, note="why?")]


def test_spans_count_utf16_units_as_the_page_does(of):
    spans = [{"label": "PER", "start": 3, "end": 6}]
    notes = Notes()
    assert of([record("😀 Ada left", {"ner": [said(spans)]})], notes=notes)[0].answers[0].label == (Span(2, 5, "PER"),)
    assert "count utf-16, as the edges of words show; --offsets characters" in notes.lines[0]


def test_spans_that_python_wrote_count_characters(of):
    spans = [{"label": "PER", "start": 2, "end": 5}]
    rows = [record("😀 Ada", {"ner": [said(spans)]})]
    assert of(rows)[0].answers[0].label == (Span(2, 5, "PER"),)
    with pytest.raises(DataError, match=r"the span 2 to 9 \(PER\) must lie within its text, which has 6 UTF-16 units"):
        of([record("😀 Ada", {"ner": [said([{"label": "PER", "start": 2, "end": 9}])]})], How(offsets="utf-16"))


def test_flat_records_as_on_the_hub(of):
    row = {
        "id": "17", "status": "completed", "_server_id": ANN, "text": "bread", "topic.responses": ["food", None],
        "topic.responses.users": [ANN, BOB], "topic.responses.status": ["submitted", "discarded"],
        "topic.suggestion": "food", "topic.suggestion.score": 0.5, "topic.suggestion.agent": None,
    }  # fmt: skip
    answers = Answer(("food",), ANN), Answer(None, BOB, SKIPPED)
    assert of([row]) == [Record("bread", id="17", answers=answers, suggestion=Suggestion(("food",), 0.5))]


def test_several_questions_are_a_question(of):
    rows = [record("a", {"topic": [said("x")], "mood": [said("y")]})]
    with pytest.raises(DataError, match="it has the questions 'topic', 'mood'; name the one to read by --question"):
        of(rows)
    assert of(rows, How(question="mood"))[0].answers[0].label == ("y",)
    with pytest.raises(DataError, match="no question 'mod'; it has 'topic', 'mood'"):
        of(rows, How(question="mod"))


def test_spans_that_the_server_refuses_are_said(tmp_path):
    notes = Notes()
    write([Record("😀 Ada", suggestion=Suggestion((Span(2, 5, "PER"),)))], tmp_path / "a.json", notes=notes)
    assert "refuses 1 labels whose spans then end behind their texts" in notes.lines[0]


def test_a_class_must_not_have_the_name_of_a_state(tmp_path):
    with pytest.raises(ValueError, match="a class must not be called 'none of these'"):
        write([Record("a", suggestion=Suggestion((NONE,)))], tmp_path / "a.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("question", "kind"),
    [(Question(("a",)), "label_selection"), (Question(("a",), several=True), "multi_label_selection"),
     (Question(("PER",), spans=True), "span")],
)  # fmt: skip
def test_settings_ask_the_question(question, kind):
    first, *others = json.loads(settings(question))["questions"]
    assert (first["settings"]["type"], first["required"]) == (kind, True)
    assert not any(each["required"] for each in others)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (record("b", {"topic": [said(7)]}), "record 2: a label must be a text, the name of a class, got 7"),
        (record("b", suggestions=[1]), r"record 2: 'suggestions' must be an object, got \[1\]"),
        ({"text": "b"}, "record 2: a record of Argilla has 'fields', 'responses' and 'suggestions'.* this has 'text'"),
        (record(7), "record 2: 'text' must be a text, got 7"),
        (record("b", metadata={"tutelage": "{"}), "record 2: the metadata 'tutelage' are no JSON"),
    ],
)
def test_rows_that_cannot_be_read(of, row, says):
    row = {**row, "id": "18"} if "fields" in row else row
    with pytest.raises(DataError, match=says):
        of([record("a", {"topic": [said("x")]}), row])
