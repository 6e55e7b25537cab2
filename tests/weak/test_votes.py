"""Votes are read as they are written, or refused with the file, the row and the column or function."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage.tables import DataError, read_table, write_table
from tutelage.weak import RawVotes, Votes, read_votes

CLASSES = ["ham", "spam"]


def test_rows_without_a_vote_are_not_covered():
    votes = Votes(np.array([[0, -1], [-1, -1], [1, 1]], dtype=np.int8), ["a", "b"], CLASSES)
    assert votes.covered.tolist() == [True, False, True]
    assert votes.table.dtype == np.int64
    assert len(votes) == 3


def test_a_subset_is_by_mask_or_by_number():
    votes = Votes(np.array([[0], [-1], [1]]), ["a"], CLASSES)
    assert votes.subset(np.array([2, 0])).table.tolist() == [[1], [0]]
    assert votes.subset(votes.covered).table.tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("table", "names", "classes", "message"),
    [
        ([[0, 2]], ["a", "b"], CLASSES, r"function 'b' on row 0 must be in -1\.\.1, got 2"),
        ([[0], [-2]], ["a"], CLASSES, r"function 'a' on row 1 must be in -1\.\.1, got -2"),
        ([0, 1], ["a", "b"], CLASSES, r"2 dimensions.*got shape \(2,\)"),
        ([[0.0]], ["a"], CLASSES, "whole numbers, got float64"),
        ([[0, 1]], ["a"], CLASSES, "names must be 2, one for each function, got 1"),
        ([[0, 1]], ["a", "a"], CLASSES, "names must differ, got 'a' 2 times"),
        ([[0]], ["a"], ["x", "x"], "classes must differ, got 'x' 2 times"),
        ([[0]], ["a"], ["x"], "classes must be at least 2"),
    ],
)
def test_wrong_votes_are_named(table, names, classes, message):
    with pytest.raises(ValueError, match=message):
        Votes(np.array(table), names, classes)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("of_numpy", [False, True])
def test_a_column_of_lists_is_read_from_every_kind_of_file(tmp_path, kind, of_numpy):
    wanted = [[-1, 0, 1], [1, 1, -1]]
    cells = [np.array(v) for v in wanted] if of_numpy and kind != "jsonl" else wanted
    write_table(pd.DataFrame({"text": ["x", "y"], "votes": cells}), tmp_path / f"t.{kind}")
    raw = read_votes(read_table(tmp_path / f"t.{kind}"), "votes", tmp_path / f"t.{kind}")
    assert raw.names == ["votes 1", "votes 2", "votes 3"]
    assert raw.labels() == ["0", "1"]
    assert raw.code(["0", "1"]).table.tolist() == wanted


@pytest.mark.parametrize(
    "cell",
    [
        '["not spam", -1, null]',
        "['not spam', -1, None]",
        "['not spam', nan, -1]",
        "('not spam', '', '-1')",
        "not spam,,-1",
        "not spam, -1.0 , -1",
    ],
)
def test_a_list_may_be_text_of_many_forms(cell):
    raw = read_votes(pd.DataFrame({"votes": [cell]}), "votes", "t.csv")
    assert raw.code(["not spam", "spam"]).table.tolist() == [[0, -1, -1]]


@pytest.mark.parametrize(
    "cell", ["[1 -1  0]", "[ 1. nan  0.]", "1 -1 0", "1,-1,0", "[1.0, -1.0, 0.0]", json.dumps([1, -1, 0])]
)
def test_numbers_may_be_text_of_many_forms(cell):
    assert read_votes(pd.DataFrame({"votes": [cell]}), "votes", "t.csv").code(["0", "1"]).table.tolist() == [[1, -1, 0]]


def test_a_single_function_needs_no_brackets():
    assert read_votes(pd.DataFrame({"votes": ["spam", "-1"]}), "votes", "t").code(CLASSES).table.tolist() == [[1], [-1]]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_prefix_gives_one_function_for_each_column(tmp_path, kind):
    table = pd.DataFrame({"rule_b": [0.0, None, 1.0], "text": ["x", "y", "z"], "rule_a": ["1", "-1", ""]})
    if kind == "csv":  # whose cells are text
        table["rule_b"] = ["0", "", "1"]
    write_table(table, tmp_path / f"t.{kind}")
    raw = read_votes(read_table(tmp_path / f"t.{kind}"), "rule_", "t")
    assert raw.names == ["rule_b", "rule_a"]
    assert raw.code(["0", "1"]).table.tolist() == [[0, 1], [-1, -1], [1, -1]]


def test_texts_and_labels_are_no_votes_however_their_columns_are_called():
    table = pd.DataFrame({"lf_label": ["x"], "lf_text": ["y"], "lf_a": ["x"]})
    assert read_votes(table, "lf_", "t", ("lf_text", "lf_label")).names == ["lf_a"]


def test_a_column_of_that_name_goes_before_a_prefix():
    table = pd.DataFrame({"votes": [[1]], "votes_text": ["x"]})
    assert read_votes(table, "votes", "t").labels() == ["1"]


def test_numbers_and_their_text_are_one_label():
    cells = [[0, 0.0, "0", np.int8(0), " 0 "], [-1, -1.0, "-1", "", None], [float("nan"), pd.NA, " ", "-1.0", "1"]]
    raw = RawVotes.of("t", list("abcde"), cells)
    assert raw.labels() == ["0", "1"]
    assert raw.code(["1", "0"]).table.tolist() == [[1] * 5, [-1] * 5, [-1, -1, -1, -1, 0]]


def test_true_is_not_one():
    assert RawVotes.of("t", ["a", "b"], [[1, True]]).labels() == ["1", "True"]


def test_what_is_left_of_the_rows_keeps_its_numbers():
    raw = RawVotes.of("t.csv", ["a"], [["x"], ["ham"], ["spma"]]).where(np.array([False, True, True]))
    assert raw.labels() == ["ham", "spma"]
    with pytest.raises(
        DataError, match=r"t\.csv, row 3, function 'a': votes for 'spma', .*among the classes 'ham', 'spam'"
    ):
        raw.code(CLASSES)


@pytest.mark.parametrize(
    ("columns", "name", "message"),
    [
        ({"text": ["x"]}, "votes", r"t\.csv: no column 'votes', and none that begins with 'votes'; it has 'text'"),
        ({"text": ["x"]}, "", r"t\.csv: no column ''"),
        ({"v": [[0, 1], [0]]}, "v", r"t\.csv, row 2, column 'v': 1 votes, but 2 in row 1"),
        ({"v": [[0], 3]}, "v", r"t\.csv, row 2, column 'v': not a list of votes but a number"),
        ({"v": ["[0]", ""]}, "v", r"t\.csv, row 2, column 'v': not a list of votes but ''"),
        ({"v": ["[0]", "[]"]}, "v", r"t\.csv, row 2, column 'v': not a list of votes but an empty list"),
        ({"v": [[0], None]}, "v", r"t\.csv, row 2, column 'v': not a list of votes but nothing"),
        ({"v": [[[0]]]}, "v", r"t\.csv, row 1, function 'v 1': \[0\] is no label"),
        ({"v_a": ["x"], "v_b": [{"y": 1}]}, "v_", r"t\.csv, row 1, function 'v_b': \{'y': 1\} is no label"),
    ],
)
def test_what_is_not_votes_is_refused(columns, name, message):
    with pytest.raises(DataError, match=message):
        read_votes(pd.DataFrame(columns), name, "t.csv")


def test_a_backslash_that_python_does_not_know_is_read_without_a_warning():
    assert read_votes(pd.DataFrame({"v": [r"['a\,', 'b']"]}), "v", "t.csv").labels() == [r"a\,", "b"]


@pytest.mark.parametrize("cells", [["food|-1", "sport|"], ["food;-1", "sport;"], ["food,-1", "sport,"]])
def test_lists_of_votes_are_joined_by_several_signs(cells):
    raw = read_votes(pd.DataFrame({"v": cells}), "v", "t.csv")
    assert raw.labels() == ["food", "sport"] and raw.table.shape == (2, 2) and (raw.table[:, 1] == -1).all()


def test_a_column_of_numbers_holds_the_votes_of_one_function():
    raw = read_votes(pd.DataFrame({"v": [0, -1, 2]}), "v", "t.parquet")
    assert (raw.names, raw.labels()) == (["v"], ["0", "2"])


def test_a_column_among_the_votes_that_holds_none_is_named():
    raw = RawVotes.of("t.csv", ["lf_a", "lf_b", "lf_n"], [["x", "y", "2"], ["y", "x", "2"]])
    with pytest.raises(DataError, match="if 'lf_n' holds no votes, give it a name that begins otherwise"):
        raw.code(["x", "y"])
    with pytest.raises(
        DataError, match="not a list of votes but an object; write a list, or a column for each function"
    ):
        read_votes(pd.DataFrame({"v": [{"a": "x"}]}), "v", "t.jsonl")
