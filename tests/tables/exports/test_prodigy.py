"""Prodigy's tasks become plain columns, in which only accepted ones have labels."""

from __future__ import annotations

import pytest

from tutelage.tables import DataError
from tutelage.tables.exports import recognised


def asked(text, label, answer, number=None, **more):
    hashes = {} if number is None else {"_input_hash": number, "_task_hash": hash((text, label, answer))}
    return {"text": text, "label": label, "answer": answer, **hashes, **more}


def test_rejected_and_ignored_rows_keep_their_texts_and_lose_their_labels():
    made = recognised([asked("a", "food", "accept"), asked("b", "sport", "reject"), asked("c", "pets", "ignore")])
    assert made.frame.text.tolist() == ["a", "b", "c"]
    assert made.frame.label.fillna("-").tolist() == ["food", "-", "-"]
    assert made.refused == {2: "answer 'reject'", 3: "answer 'ignore'"}
    assert "1 input has no label (answer 'reject'); 1 input has no label (answer 'ignore')" in made.sentence


def test_a_rejected_label_is_no_vote_for_the_other_of_two_by_itself():
    made = recognised([asked("a", "food", "accept"), asked("b", "sport", "accept"), asked("c", "sport", "reject")])
    assert made.frame.label.fillna("-").tolist() == ["food", "sport", "-"]


def test_a_rejected_label_counts_as_the_other_where_inputs_that_were_asked_for_both_show_it():
    both = [asked("a", "food", "accept", 1), asked("a", "sport", "reject", 1)]
    made = recognised([*both, asked("b", "sport", "reject", 2)])
    assert (made.frame.text.tolist(), made.frame.label.tolist()) == (["a", "b"], ["food", "food"])
    assert list(made.places) == [0, 0, 1]
    assert "3 rows of the file are of 2 inputs" in made.sentence
    assert "a rejected label counts as the other of food and sport, as inputs asked for both show" in made.sentence
    twice = recognised([*both, asked("b", "sport", "accept", 2), asked("b", "food", "accept", 2)])
    assert twice.frame.label.tolist() == ["food", ["sport", "food"]]
    assert "counts as the other" not in twice.sentence


def test_a_single_label_is_learnt_by_its_answers():
    made = recognised([asked("a", "food", "accept"), asked("b", "food", "reject"), asked("c", "food", "ignore")])
    assert made.frame.answer.fillna("-").tolist() == ["accept", "reject", "-"]
    assert "label is 'food' alone: to learn whether it is right, take --label answer" in made.sentence


def test_choices_are_labels():
    options = [{"id": "food"}, {"id": "sport"}]
    rows = [
        {"text": t, "options": options, "accept": accept, "answer": "accept"}
        for t, accept in zip("abc", (["food"], [], ["food", "sport"]), strict=True)
    ]
    assert recognised(rows).frame.accept.tolist() == ["food", None, ["food", "sport"]]


def test_spans_of_rejected_rows_are_none_and_of_accepted_ones_without_any_empty():
    span = {"start": 0, "end": 3, "label": "PER", "token_start": 0, "token_end": 0}
    rows = [
        {"text": "Ada", "spans": spans, "answer": answer, "_input_hash": i, "_task_hash": i}
        for i, (spans, answer) in enumerate([([span], "accept"), ([], "accept"), ([span], "reject")])
    ]
    rows[1].pop("spans")
    made = recognised(rows)
    assert made.frame.spans.tolist() == [[[0, 3, "PER"]], [], None]
    judged = recognised([row | {"_view_id": "ner"} for row in rows])
    assert "what lies outside them counts as no entity" in judged.sentence


def test_people_who_differ_have_a_row_each():
    rows = [asked("a", "food", "accept", 1, _session_id="ann"), asked("a", "sport", "accept", 1, _session_id="bob")]
    made = recognised(rows)
    assert (made.frame.label.tolist(), made.frame.annotator.tolist()) == (["food", "sport"], ["ann", "bob"])


def test_shapes_in_images_are_not_read():
    spans = [{"label": "cat", "points": [[1, 2], [3, 4], [5, 6]]}]
    made = recognised([{"image": "a.png", "spans": spans, "answer": "accept"}])
    assert not made.labels
    assert "not read: spans that are shapes in images" in made.sentence


def test_an_answer_that_the_tool_does_not_know_is_named():
    rows = [asked("a", "food", "accept", 1), asked("b", "sport", "reject", 2), asked("c", "food", "maybe", 3)]
    with pytest.raises(DataError, match=r"row 3: an answer of Prodigy is accept or reject or ignore, got 'maybe'$"):
        recognised(rows)


def test_rejected_rows_have_no_label_also_where_one_row_lost_a_key():
    rows = [asked("a", "food", "accept", 1), asked("b", "sport", "reject", 2), asked("c", "food", "accept", 3)]
    del rows[2]["_input_hash"]
    assert recognised(rows).frame.label.fillna("-").tolist() == ["food", "-", "food"]
