"""What Prodigy writes of each interface, and what cannot be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tutelage.exchange import NONE, SKIPPED, UNSURE, Answer, How, Record, Span, Suggestion, read
from tutelage.exchange.prodigy import settings, write
from tutelage.exchange.records import Question
from tutelage.tables import DataError


@pytest.fixture
def of(tmp_path):
    def records(rows, how=None):
        file = tmp_path / "data.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return list(read(file, how or How()).records)

    return records


def row(text="bread", answer="accept", number=1, **more):
    hashes = {"_input_hash": number, "_task_hash": 10 * number, "_session_id": "set-ann", "_annotator_id": "ann"}
    return {"text": text, **hashes, "_view_id": "choice", "answer": answer, "_timestamp": 1700000000, **more}


TIME = datetime.fromtimestamp(1700000000, UTC)
OPTIONS = [{"id": "food", "text": "Food!"}, {"id": 2, "text": "sport"}]


def test_choices_rejected_and_ignored_ones(of):
    found = of([
        row(options=OPTIONS, accept=["food"]), row("b", number=2, options=OPTIONS, accept=[2, "food"]),
        row("c", "reject", 3, options=OPTIONS, accept=[]), row("d", "ignore", 4, options=OPTIONS, accept=["food"]),
        row("e", None, 5, options=OPTIONS, accept=["food"], meta={"score": 0.5, "row": 17}),
    ])  # fmt: skip
    assert [each.answers for each in found] == [
        (Answer(("food",), "ann", time=TIME),), (Answer(("food", "sport"), "ann", time=TIME),),
        (Answer(None, "ann", NONE, time=TIME),), (Answer(None, "ann", SKIPPED, time=TIME),), (),
    ]  # fmt: skip
    assert (found[4].id, found[4].suggestion) == ("17", Suggestion(("food",), 0.5))


def test_spans_count_characters(of):
    spans = [{"start": 2, "end": 5, "label": "PER", "token_start": 1, "token_end": 1}]
    found = of([
        row("😀 Ada left", spans=spans, tokens=[], _view_id="ner_manual"), row("home", number=2, spans=[]),
        row("x", "reject", 3, spans=[]),
    ])  # fmt: skip
    assert [each.answers[0].label for each in found] == [(Span(2, 5, "PER"),), (), None]
    assert found[2].answers[0].state == SKIPPED


def test_labels_that_were_asked_for_one_by_one_make_one_answer(of):
    found = of([
        row(label="food"), row("bread", "reject", label="sport"), row("bread", label="cheap"),
        row("bread", "reject", label="food", _annotator_id="bob"), row("x", "ignore", 2, label="food"),
    ])  # fmt: skip
    assert found[0].answers == (
        Answer(("cheap", "food"), "ann", time=TIME), Answer(None, "bob", NONE, time=TIME)
    )  # fmt: skip
    assert found[1].answers == (Answer(None, "ann", SKIPPED, time=TIME),)


def test_what_the_tool_has_no_key_for_is_kept_in_ours(of, tmp_path):
    answer = Answer(("a",), "ann", UNSURE, 2.5, TIME, "why?")
    records = [Record("x", id="17", answers=(answer,), suggestion=Suggestion(("b",), 0.25))]
    write(records, tmp_path / "a.jsonl")
    (line,) = map(json.loads, (tmp_path / "a.jsonl").read_text().splitlines())
    assert (line["answer"], line["accept"], line["_annotator_id"], line["_timestamp"]) == (
        "accept",
        ["a"],
        "ann",
        1700000000,
    )
    assert list(read(tmp_path / "a.jsonl").records) == records


def test_the_command_quotes_names_for_the_shell():
    assert "--label 'a b,$(x)'" in settings(Question(("a b", "$(x)"), spans=True))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (row("b", "maybe", options=[]), "line 2: 'answer' must be accept, reject, ignore, got \"maybe\""),
        (
            {"text": "b"},
            "line 2: a task of Prodigy has 'answer', a hash or 'options', as the first has; this has 'text'",
        ),
        (row("b", options=[], accept="food"), "line 2: 'accept' must be a list of choices, got \"food\""),
        (row("b", options=[], accept=[7]), "line 2: a label must be a text, the name of a class, got 7"),
        (row("b", options=[], accept=["a"], _timestamp="now"), "line 2: a time must be"),
        ({"body": "b", "answer": "accept"}, "line 2: no item under 'text'"),
    ],
)
def test_rows_that_cannot_be_read(of, bad, says):
    with pytest.raises(DataError, match=says):
        of([row("a", options=OPTIONS, accept=["food"]), bad])


def test_shapes_and_strange_spans_are_errors(of):
    with pytest.raises(DataError, match="shapes in images are not exchanged"):
        of([{"image": "a.png", "spans": [{"points": [[0, 0]], "label": "cat"}], "answer": "accept"}])
    with pytest.raises(DataError, match="line 1: a span has start, end and label, got"):
        of([row(spans=[{"start": "0", "end": 3, "label": "PER"}])])
    with pytest.raises(DataError, match="--question of a file of Prodigy must be one of accept, spans, label"):
        of([row(options=OPTIONS, accept=[])], How(question="topic"))
