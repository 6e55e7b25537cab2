"""Texts that stand for none are asked about, or left out; what programs leave in texts is said."""

from __future__ import annotations

import pytest

from tutelage.kinds import KINDS
from tutelage.kinds.dataset import Files
from tutelage.kinds.reading import read_files
from tutelage.modalities.text.odd_texts import note_odd_texts, texts_for_none
from tutelage.tables import DataError, Notes, ReadAs


def test_texts_that_stand_for_none_are_told_from_others():
    none = ["nan", "#NAME?", "-", "N/A", "NULL", "[deleted]", "<NA>"]
    assert list(texts_for_none([*none, "", "?", "nan bread", "no", "unknown", "0", "x" * 99])) == list(range(len(none)))


@pytest.fixture
def learn(tmp_path):
    path = tmp_path / "t.csv"
    texts = ["soup", "nan", "#REF!", "goal", "cake", "match", "bread", "-", "tea"]
    path.write_text(
        "text,label\n"
        + "".join(
            f"{t},{'food' if i in (0, 1, 4, 6) else 'sport' if i in (2, 3, 5) else ''}\n" for i, t in enumerate(texts)
        )
    )

    def call(**options):
        notes = Notes()
        files = Files(path, how=ReadAs(**options))
        kind = KINDS["texts"](text="text", label="label").settled(files, notes)
        return read_files(kind, files, notes), notes

    return call


def test_texts_that_stand_for_none_are_asked_about_and_left_out(learn):
    data, notes = learn()
    (question,) = notes.questions
    assert "3 of 9 texts are 'nan' 1, '#REF!' 1, '-' 1 (first: row 2), which may stand for none" in question.asks
    assert len(data.items.labelled) == 7
    data, notes = learn(skip_bad=True)
    assert not notes.questions and list(data.items.labelled) == ["soup", "goal", "cake", "match", "bread"]
    assert list(data.items.pool) == ["tea"]


def test_what_programs_leave_in_texts_is_said():
    notes = Notes()
    texts = ["<p>a</p>", "a &amp; b", "x_x000D_y", "a < b > c <e1>", "<3"]
    note_odd_texts(texts, lambda i: f"row {i + 1}", "a.csv", False, notes)
    assert [line.split(", which")[0] for line in notes.lines] == [
        "a.csv: 1 of 5 texts holds tags of HTML, such as '<p>' in row 1",
        "a.csv: 1 of 5 texts holds entities of HTML, such as '&amp;' in row 2",
        "a.csv: 1 of 5 texts holds characters as Excel escapes them, such as '_x000D_' in row 3",
    ]


def test_one_column_cannot_be_two_things(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\na,b\n")
    with pytest.raises(DataError, match="--text and --label name the same column, 'label'"):
        read_files(KINDS["texts"](text="label", label="label"), Files(tmp_path / "t.csv"))


def test_what_is_left_out_is_not_counted(learn):
    _, notes = learn(skip_bad=True)
    assert notes.facts["items"].values == {"labelled": 5, "unlabelled": 1}
    assert notes.facts["classes"].says == "Classes: food 3, sport 2."
