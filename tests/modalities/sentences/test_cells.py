"""Lists in cells of text are read as JSON, Python and numpy write them; no text becomes a list by chance."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage.modalities.sentences.cells import decoded, of_python

LIST = ["B-PER", "it's", 'say "no"', "O"]


@pytest.mark.parametrize(
    "write",
    [
        str, json.dumps, lambda x: str(tuple(x)), lambda x: str(np.array(x, dtype=object)), lambda x: f"list({x})",
        lambda x: repr(np.array(x, dtype=object)), lambda x: str(np.array(x, dtype=str)),
        lambda x: pd.Series([x]).to_csv(index=False).splitlines()[1],
    ],
)  # fmt: skip
def test_lists_are_read_as_they_are_written(write):
    written = write(LIST)
    if written.startswith('"'):
        written = written[1:-1].replace('""', '"')
    assert decoded(written) == LIST


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("[0 1 0]", ["0", "1", "0"]), ("[0 1\n 0]", ["0", "1", "0"]), ("[0, 1]", [0, 1]), ("[0. 1.]", ["0.", "1."]),
        ("['a', nan]", ["a", None]), ("['a' None]", ["a", ""]), ("array([0, 1])", [0, 1]), ("(1, 2)", [1, 2]),
        ('{"entities": []}', {"entities": []}), ("{'a': 1}", {"a": 1}), ("", None), ("  ", None),
    ],
)  # fmt: skip
def test_numbers_gaps_and_objects(cell, found):
    assert decoded(cell) == found


@pytest.mark.parametrize(
    "cell",
    ["a b", "( a b )", "(see below)", "an array( of words )", "[CLS] a b [SEP]", "[ a b ]", "[x] y", "list (of names)",
     "tuple (a, b)", "{ a b }", "(a)", "(1)", "'a' 'b'", "[1] and [2]"],
)  # fmt: skip
def test_words_with_brackets_stay_words(cell):
    assert decoded(cell) == cell.split()


@pytest.mark.parametrize(
    "cell", ["['a', 'b' 'c']", "[a, b]", "['a' ... 'z']", "['a', ...]", "[a b]", "[__import__('os')]"]
)
def test_what_is_no_list_is_refused(cell):
    assert of_python(cell) is None
    with pytest.raises(ValueError, match="not a JSON list: "):
        decoded(cell)


def test_a_list_that_was_shortened_is_told():
    with pytest.raises(ValueError, match=r"it was shortened with '...' when it was written"):
        decoded("['O' 'O' ... 'O']")


def test_a_backslash_that_python_does_not_know_is_read_without_a_warning():
    assert decoded(r"['a\,', 'b']") == [r"a\,", "b"]


def test_an_empty_word_is_a_fault_of_its_row_and_no_empty_sentence(heard):
    got = heard("a.jsonl", [{"tokens": ["a", ""], "tags": ["O", "O"]}, {"tokens": [], "tags": []}])
    (fault,) = got.notes.faults
    assert "row 1, column 'tokens': word 2 must be text and not blank" in fault
    assert got.found.empty == 1


def test_rows_that_cannot_be_read_are_not_counted_as_empty_sentences(heard):
    rows = [{"tokens": tokens, "tags": ["O"] * len(tokens)} for tokens in (["a", 7], ["b", ""], ["c"])]
    got = heard("a.jsonl", [*rows, {"tokens": [], "tags": []}])
    assert got.found.empty == 1 and "word 2 must be text and not blank" in got.notes.faults[0]
    assert got.notes.lines == [f"{got.found.file}, column 'tokens': 1 word is a number, read as a text."]
