"""What Label Studio writes, in each of its forms, and what cannot be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

from tutelage.exchange import NONE, SKIPPED, UNSURE, Answer, How, Question, Record, Span, Suggestion, read
from tutelage.exchange.label_studio import settings
from tutelage.tables import DataError, Notes

TIME = datetime(2021, 8, 23, 12, 19, 18, 905800, tzinfo=UTC)


def result(value, kind="choices", name="topic"):
    return {"id": "a", "from_name": name, "to_name": "text", "type": kind, "value": value, "origin": "manual"}


def annotation(*results, by=1, **more):
    rest = {"id": 7, "lead_time": 8.416, "created_at": "2021-08-23T12:19:18.905800Z", "was_cancelled": False}
    return {"completed_by": by, "result": list(results), **rest, **more}


def task(text="bread", *annotations, **more):
    return {"id": 3, "data": {"text": text}, "annotations": list(annotations), "predictions": [], **more}


@pytest.fixture
def of(tmp_path):
    def records(rows, how=None, notes=None, lines=False):
        file = tmp_path / "export.json"
        file.write_text("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows))
        return list(read(file, how or How(), notes or Notes()).records)

    return records


def test_choices_by_several_people_with_times_and_a_skipped_one(of):
    found = of([task(
        "bread", annotation(result({"choices": ["food"]})),
        annotation(result({"choices": ["cheap", "food"]}), by={"id": 2, "email": "bob@x.org"}),
        annotation(by=None, was_cancelled=True, lead_time=None),
    )])  # fmt: skip
    first = Answer(("food",), "1", seconds=8.416, time=TIME)
    second = Answer(("cheap", "food"), "bob@x.org", seconds=8.416, time=TIME)
    assert found == [Record("bread", answers=(first, second, Answer(None, "", SKIPPED, None, TIME)))]


def test_spans_count_characters_unless_their_own_text_shows_utf16(of):
    now = {"start": 2, "end": 5, "text": "Ada", "labels": ["PER"]}
    before = {"start": 3, "end": 6, "text": "Ada", "labels": ["PER"]}
    found = of([task("😀 Ada", annotation(result(value, "labels"))) for value in (now, before)], lines=True)
    assert [answer.label for answer in found[0].answers] == [(Span(2, 5, "PER"),)] * 2


def test_an_annotation_without_a_region_is_a_text_without_a_span(of):
    span = {"start": 0, "end": 3, "text": "Ada", "labels": ["PER", "ACTOR"]}
    found = of([task("Ada", annotation(result(span, "labels"))), task("left", annotation()), task("home")])
    assert found[0].answers[0].label == (Span(0, 3, "ACTOR"), Span(0, 3, "PER"))
    assert (found[1].answers[0].label, found[2].answers) == ((), ())


def test_an_annotation_without_a_choice_is_none_of_the_classes(of):
    found = of([task("a", annotation(result({"choices": ["food"]}))), task("b", annotation())])
    assert found[1].answers[0].state == NONE


def test_states_and_notes_of_our_own_controls(of):
    state, note = result({"choices": [UNSURE]}, name="state"), result({"text": ["why?"]}, "textarea", "note")
    (record,) = of([task("a", annotation(result({"choices": ["food"]}), state, note))])
    assert (record.answers[0].state, record.answers[0].label, record.answers[0].note) == (UNSURE, ("food",), "why?")


def test_the_last_prediction_is_the_suggestion(of):
    predictions = [
        {"model_version": f"{n}", "score": 0.5 + n / 10, "result": [result({"choices": [c]})]}
        for n, c in enumerate("ab")
    ]
    (record,) = of([task("x", predictions=predictions)])
    assert record.suggestion == Suggestion(("b",), 0.6)
    (record,) = of([task("x", annotation(result({"choices": ["a"]})), predictions=[17, 18])])
    assert record.suggestion is None


def test_a_ground_truth_is_the_answer_where_there_is_one(of):
    notes = Notes()
    given = [annotation(result({"choices": [c]}), ground_truth=c == "b") for c in "ab"]
    (record,) = of([task("x", *given)], notes=notes)
    assert [answer.label for answer in record.answers] == [("b",)]
    assert "not taken: 1 annotations beside a ground truth" in notes.lines[0]


def test_several_controls_are_a_question(of):
    span = {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}
    rows = [task("Ada", annotation(result({"choices": ["food"]}), result(span, "labels", "ner")))]
    with pytest.raises(DataError, match="it has the controls 'topic', 'ner'; name the one to read by --question"):
        of(rows)
    assert of(rows, How(question="ner"))[0].answers[0].label == (Span(0, 3, "PER"),)
    with pytest.raises(DataError, match="no control 'nr' with choices or spans"):
        of(rows, How(question="nr"))


def test_what_is_not_read_is_said(of):
    notes = Notes()
    box = result({"x": 1, "y": 1, "width": 2, "height": 2, "rectanglelabels": ["cat"]}, "rectanglelabels", "box")
    of([task("x", annotation(result({"choices": ["a"]}), box))], notes=notes)
    assert "not read: values of 'box' (rectanglelabels)." in notes.lines[0]


def flat(text="bread", label="food", number=1, **more):
    rest = {"created_at": "2021-08-23T12:19:18.905800Z", "updated_at": "", "lead_time": 8.416}
    return {"text": text, "id": 3, "topic": label, "annotator": 1, "annotation_id": number, **rest, **more}


def test_json_min_has_a_row_for_each_annotation(of):
    rows = [flat(), flat(label={"choices": ["cheap", "food"]}, number=2, annotator=2)]
    answers = Answer(("food",), "1", seconds=8.416, time=TIME), Answer(("cheap", "food"), "2", seconds=8.416, time=TIME)
    assert of(rows) == [Record("bread", answers=answers)]
    with pytest.raises(DataError, match=r"it has the columns 'text', 'id', 'topic'; .* by --question"):
        of(rows[:1])
    assert of(rows[:1], How(question="topic"))[0].answers == answers[:1]


def test_csv_has_spans_as_json(tmp_path):
    spans = json.dumps([{"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}]).replace('"', '""')
    names = "annotation_id,annotator,created_at,id,lead_time,ner,row,text,updated_at"
    lines = [f'1,7,2021-08-23T12:19:18.905800Z,3,8.416,"{spans}",17,"Ada\nleft",', ",,,4,,,18,home,", "2,7,,5,,,19,x,"]
    (tmp_path / "a.csv").write_text("\n".join([names, *lines]), encoding="utf-8-sig")
    found = read(tmp_path / "a.csv").records
    assert found[0] == Record("Ada\nleft", id="17", answers=(Answer((Span(0, 3, "PER"),), "7", "given", 8.416, TIME),))
    assert found[1] == Record("home", id="18")
    assert found[2].answers == (Answer((), "7"),)


def test_an_address_of_a_local_file_is_its_path(of):
    rows = [{"data": {"image": "/data/local-files/?d=pets/a%20b.png"}}, {"data": {"image": "s3://pets/1.png"}}]
    assert [record.image for record in of(rows)] == ["/pets/a b.png", "s3://pets/1.png"]


def test_the_labelling_interface_names_the_classes():
    root = ElementTree.fromstring(settings(Question(("a", '<&">'), several=True)))
    assert [each.get("value") for each in root.find("Choices[@name='label']")] == ["a", '<&">']
    assert root.find("Choices[@name='label']").get("choice") == "multiple"
    root = ElementTree.fromstring(settings(Question(("PER",), spans=True)))
    assert root.find("Labels").get("toName") == root.find("Text").get("name") == "text"
    assert ElementTree.fromstring(settings(Question(("a",), image=True))).find("Image").get("value") == "$image"


SPAN = {"start": 2, "end": 9, "text": "x", "labels": ["PER"]}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (task("Ada", annotation(result(SPAN, "labels"))),
         r"record 2: the span 2 to 9 \(PER\) must lie within its text, which has 3 characters"),
        (task("Ada", annotation(result({**SPAN, "start": 2, "end": 2}, "labels"))), "the span 2 to 2"),
        (task("Ada", annotation(result({"start": "2", "end": 9, "labels": ["PER"]}, "labels"))), "a span needs"),
        (task("Ada", annotation(result({**SPAN, "end": 3, "labels": [7]}, "labels"))),
         "record 2: a label must be a text, the name of a class, got 7"),
        ({"text": "Ada"}, "record 2: a task of Label Studio has 'data', an object.* but this has 'text'"),
        ({"data": {"other": "Ada"}}, "record 2: no item under 'text', as the other rows have; it has 'other'"),
        ({"data": {"text": 7}}, "record 2: 'text' must be a text, got 7"),
        ({"data": {"text": "a"}, "annotations": {}}, None),
        ({"data": {"text": "a"}, "annotations": 7}, "record 2: 'annotations' must be a list"),
        (task("a", {"result": "b"}), "record 2: 'result' of an annotation must be a list of objects"),
        (task("a", annotation(lead_time="soon")), 'record 2: seconds must be a number, got "soon"'),
        (task("a", annotation(created_at="today")), "record 2: a time must be as 2026-01-31T12:00:00Z"),
        ({"data": {"text": "\ud83d"}}, "record 2: 'text' has half of a character"),
        ([1], r"record 2: an object with names and values is needed, got \[1\]"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_read(of, row, says):
    first = task("Ada", annotation(result({"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}, "labels")))
    if says is None:
        assert len(of([first, row])) == 2
        return
    with pytest.raises(DataError, match=says):
        of([first, row])


def test_a_row_of_two_items_is_an_error(of):
    rows = [{"data": {"text": text, "row": 17}} for text in ("a", "b")]
    with pytest.raises(DataError, match=r"record 2: the row '17' is that of .*record 1 too, which has another item"):
        of(rows)
    assert len(of([rows[0], rows[0]])) == 1
