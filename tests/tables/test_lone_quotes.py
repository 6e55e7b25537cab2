"""Quotation marks that are words of their own, in files of a word a row with blank lines between the sentences."""

from __future__ import annotations

import pytest
from table_files import noted, rows_of, written

SENTENCE = 'He\tO\nsaid\tO\n"\tO\nStop\tB-X\n.\tO\n'


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_a_mark_that_is_a_word_swallows_no_sentence(tmp_path, between):
    found, notes = noted(written(tmp_path, "t.tsv", "word\ttag\n" + between.join([SENTENCE] * 4)))
    assert [row[0] for row in rows_of(found)] == ["He", "said", '"', "Stop", "."] * 4
    assert "in 4 rows a quotation mark opens a cell and none closes it" in "\n".join(notes.lines)


def test_paragraphs_in_quotation_marks_stay_one_cell(tmp_path):
    text = "\n".join(
        ["text,label", '"Dear all,\n\nwe won.\n\nYours",sport', "soup,food", "goal,sport", "cake,food", ""]
    )
    found, notes = noted(written(tmp_path, "t.csv", text))
    assert rows_of(found)[0] == ["Dear all,\n\nwe won.\n\nYours", "sport"] and not notes.questions
