"""Rows of totals are asked about, or left out."""

from __future__ import annotations

import pytest

from tutelage.tables import Notes, ReadAs
from tutelage.tables.read import read

ROWS = ["id,text,label", *(f"{i},a text of {i},{'ab'[i % 2]}" for i in range(6))]


def found(path, lines, **how):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    notes = Notes()
    return read(path, ReadAs(**how), notes), notes


@pytest.mark.parametrize("last", ["Total,,6", "Summe:,6,", "TOTAL,,", ",n = 6,", "合计,6,6"])
@pytest.mark.parametrize("behind", [[], [",,"]])
def test_a_row_of_totals_is_asked_about_and_left_out(tmp_path, last, behind):
    table, notes = found(tmp_path / "a.csv", [*ROWS, last, *behind])
    (question,) = notes.questions
    assert "a.csv, row 7: it looks like a row of totals" in question.asks and len(table.frame) == 7 + len(behind)
    table, notes = found(tmp_path / "a.csv", [*ROWS, last, *behind], skip_bad=True)
    assert list(table.rows) == [1, 2, 3, 4, 5, 6, *([8] if behind else [])] and not notes.questions
    assert "row 7, which looks like a row of totals" in notes.lines[-1]
    seen = table.seen
    assert seen.lines == 1 + seen.rows + seen.left_out


@pytest.mark.parametrize("last", ["6,Total,a", "6,the sum of it,", "6,,a", "7,7,7", "6,total cost of 3,"])
def test_a_row_with_a_label_or_a_text_is_no_row_of_totals(tmp_path, last):
    table, notes = found(tmp_path / "a.csv", [*ROWS, last], skip_bad=True)
    assert len(table.frame) == 7 and not notes.questions


def test_a_class_of_such_a_name_is_no_row_of_totals(tmp_path):
    lines = ["x,y,label", *(f"{i},{i % 3},{('sum', 'product')[i % 2]}" for i in range(7))]
    table, notes = found(tmp_path / "a.csv", lines, skip_bad=True)
    assert len(table.frame) == 7 and not notes.questions


def sites(word, label):
    """Lines of a table of nine sites in three groups, each with a row of its sums, and a row of all sums."""
    groups = [
        [f"S{i}{j},{i + j + 3}.5,{'abc'[i]}" for j in range(9)] + [f"{word},{9 * i + 67.5},{label}"] for i in range(3)
    ]
    return ["site,flow,region", *(line for group in groups for line in group), f"Total,229.5,{label and 'all'}"]


@pytest.mark.parametrize("label", ["", "c"])
def test_rows_of_totals_with_labels_or_amid_others_are_asked_about_together(tmp_path, label):
    _, notes = found(tmp_path / "a.csv", sites("Subtotal", label))
    (question,) = notes.questions
    assert "rows 10, 20, 30 and 1 more: they look like rows of totals ('Subtotal', '67.5'" in question.asks
    table, notes = found(tmp_path / "a.csv", sites("Subtotal", label), skip_bad=True)
    assert len(table.frame) == 27 and not notes.questions
    _, notes = found(tmp_path / "a.csv", sites("Sorrel", label)[:-1])
    assert not notes.questions


def test_labels_and_texts_that_are_such_words_are_no_rows_of_totals(tmp_path):
    lines = [
        "part,size,label",
        *(f"p{i},{50 + i if i % 5 == 0 else i},{'sum' if i % 5 == 0 else 'item'}" for i in range(20)),
    ]
    assert not found(tmp_path / "a.csv", lines)[1].questions
    lines = ["text,amount,label", *(f"shop {i},{50 + i},food" for i in range(20)), "Total,60,fuel", "Shell,7,fuel"]
    assert not found(tmp_path / "a.csv", lines)[1].questions


def test_lists_and_nested_cells_beside_such_a_word_are_read(tmp_path):
    cells = ['{"text": "total", "tags": [[0, 5, "X"]], "more": {"a": 1}, "ok": true}'] + [
        '{"text": "b c", "tags": []}'
    ] * 5
    table, notes = found(tmp_path / "a.jsonl", cells)
    assert len(table.frame) == 6 and not notes.questions
