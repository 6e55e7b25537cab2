"""Labels that were discarded, and columns that hold no votes, are read as such or asked about."""

from __future__ import annotations

import json

import pytest

from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.tables import DataError, Notes


def answer(label, status):
    return {"user_id": "u", "value": label, "status": status}


@pytest.mark.parametrize("form", ["list", "columns"])
def test_discarded_answers_are_no_labels(looked, form):
    rows = [("food", "submitted"), ("sport", "submitted"), ("food", "discarded"), ("food", "submitted")]
    rows += [("sport", "submitted"), ("sport", "draft")]
    cells = [answer(*row) for row in rows]
    cells = [[cell] for cell in cells] if form == "list" else [{k: [v] for k, v in cell.items()} for cell in cells]
    labels, notes = looked([{"label": cell} for cell in cells], label="label")
    assert labels == ["food", "sport", "food", "sport"]
    assert (
        "2 answers in the labels are discarded, rejected or unfinished by its state: not read. "
        "(docs: warnings/label-or-none)" in notes.lines
    )


def test_of_several_answers_those_that_count_are_read(looked):
    cells = [[answer("food", "submitted"), answer("sport", "discarded")], [answer("sport", "submitted")]] * 2
    assert looked([{"topic": cell} for cell in cells], label="topic")[0] == ["food", "sport"] * 2


def test_a_column_that_says_that_labels_were_rejected_is_asked_about(looked):
    rows = [{"label": "ab"[i % 2], "status": "Rejected" if i == 3 else "ok"} for i in range(8)]
    _, notes = looked(rows, label="label")
    assert "1 of 8 labelled rows have 'Rejected' 1 in the column 'status'" in notes.questions[0].asks
    assert not looked([row | {"status": "ok"} for row in rows], label="label")[1].questions


def test_a_column_among_the_votes_that_holds_none_is_asked_about_and_named_as_used(looked):
    rows = [{"lf_a": "xy"[i % 2], "lf_time": f"{i / 10:.2f}"} for i in range(30)]
    _, notes = looked(rows, votes="lf_")
    assert "the column 'lf_time' is taken for votes, and has 30 different labels" in notes.questions[0].asks
    assert notes.facts["columns"].says == "Columns: text (text), lf_ (votes)."
    assert not looked([{"lf_a": "xy"[i % 2], "lf_b": "xy"[i % 2]} for i in range(8)], votes="lf_")[1].questions


@pytest.mark.parametrize(
    ("names", "asks", "halts"),
    [
        (["pos", "neg", "val"], "the folder val has the name of a part of a data set that is split already", True),
        (["pos", "train", "test"], "the folders test, train have the names of the parts of a data set", True),
        (["bus", "car", "train"], "the folder train has the name of a part of a data set", False),
        (["pos", "neg", "new"], None, False),
    ],
)
def test_folders_of_parts_beside_classes_are_asked_about(tmp_path, names, asks, halts):
    for name in names:
        (tmp_path / name).mkdir()
        for i in range(2):
            (tmp_path / name / f"{i}.txt").write_text(f"a text {i} of {name}\n")
    kind, notes, files = KINDS["texts"](), Notes(), Files(tmp_path)
    if halts:
        with pytest.raises(DataError):
            read_files(kind.settled(files), files, notes)
    else:
        read_files(kind.settled(files), files, notes)
    assert [asks in question.asks for question in notes.questions if question.halts == halts] == [True] * bool(asks)
    settled = KINDS["texts"](classes=",".join(names)).settled(files)
    assert not read_files(settled, files, again := Notes()) or not again.questions


def test_a_pool_that_is_trained_on_and_labels_that_are_not_learnt_are_said(tmp_path):
    rows = [{"text": f"text {i}", "label": "ab"[i % 2] if i < 6 else None} for i in range(8)]
    for name, few in (("t", rows), ("p", [*rows[5:], {"text": "new", "label": None}])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, few)) + "\n")
    notes, train, pool = Notes(), tmp_path / "t.jsonl", tmp_path / "p.jsonl"
    read_files(KINDS["texts"](text="text", label="label"), Files(train, pool), notes)
    assert f"{pool}: 3 of its 4 texts are in the training data, too. (docs: warnings/copies)" in notes.lines
    assert f"{pool}: 1 label is not learnt from, since it was given as --unlabelled." in notes.lines
    assert not notes.questions
    read_files(KINDS["texts"](text="text", label="label"), Files(train, train), notes)
    assert [question.options for question in notes.questions] == [("leave out --unlabelled",)]
    assert notes.questions[0].asks.endswith(
        "all its 8 texts are in the training data, too, so that the pool adds nothing"
    )
