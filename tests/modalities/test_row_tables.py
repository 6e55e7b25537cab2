"""Features in tables."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tutelage.kinds import KINDS
from tutelage.modalities.rows.faults import Faults
from tutelage.modalities.rows.tables import read_features, read_row_table
from tutelage.tables import USUAL, DataError, Notes, ReadAs, read_table

ROWS = [[1.0, -2.5], [3e4, 0.0]]


@pytest.mark.parametrize(
    "cells",
    [ROWS, [np.array(r) for r in ROWS], ["[1, -2.5]", "[3e4, 0]"], ["1 -2.5", "30000 0"], ["[ 1. -2.5]", "(3e4,0)"]],
)
def test_lists_are_read_however_they_are_written(cells):
    found = read_features(pd.DataFrame({"x": cells}), ["x"], "t.csv")
    assert found.dtype == np.float32
    assert found.tolist() == ROWS


def test_columns_with_a_common_beginning_are_features_in_the_order_of_the_table():
    table = pd.DataFrame({"f_label": ["a", "b"], "f1": ["1", "2"], "f0": [3.0, 4.0], "other": [9, 9]})
    assert read_features(table, ["f"], "t.csv", ["f_label"]).tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["[1, 2]", "[1]"], "t.csv, row 2, column 'x': 1 numbers, but 2 in row 1"),
        (["[1, 2]", ""], "t.csv, row 2, column 'x': not a list of numbers but ''"),
        (["[1, 2]", "[1, a]"], "t.csv, row 2, column 'x': not a list of numbers but '[1, a]'"),
        ([[1.0, 2.0], None], "t.csv, row 2, column 'x': not a list of numbers but 'None'"),
        ([[1.0, 2.0], [1.0, np.nan]], "t.csv, row 2, column 'x': a feature is nan, not finite"),
        (["1 2", "1 inf"], "t.csv, row 2, column 'x': a feature is inf, not finite"),
        (["1 2", "1 1e39"], "t.csv, row 2, column 'x': a feature is inf, not finite"),
        ([[[1.0], [2.0]], [[1.0], [2.0]]], "t.csv, row 1, column 'x': a list of lists"),
        ([[1.0, 2.0], [1.0, None]], "t.csv, row 2, column 'x': a feature is nan, not finite"),
    ],
)
def test_a_bad_list_is_named(cells, message):
    with pytest.raises(DataError) as error:
        read_features(pd.DataFrame({"x": cells}), ["x"], "t.csv")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("", "t.csv, row 2, column 'f1': not a number but ''"),
        ("x", "t.csv, row 2, column 'f1': not a number but 'x'"),
        ("nan", "t.csv, row 2, column 'f1': a feature is nan, not finite"),
        ("inf", "t.csv, row 2, column 'f1': a feature is inf, not finite"),
    ],
)
def test_a_bad_cell_is_named(cell, message):
    with pytest.raises(DataError) as error:
        read_features(pd.DataFrame({"f0": ["1", "2"], "f1": ["1", cell]}), ["f"], "t.csv")
    assert message in str(error.value)


def test_a_missing_column_is_named():
    with pytest.raises(DataError, match=r"t.csv: no column 'g', and none that begins with 'g'; it has 'f0'"):
        read_features(pd.DataFrame({"f0": ["1"]}), ["g"], "t.csv")


# decimal commas


def features(columns, names):
    notes = Notes()
    return read_features(pd.DataFrame(columns), names, "t.csv", notes=notes).tolist(), notes


def test_decimal_commas_are_read_and_said():
    found, notes = features({"a": ["1,5", "2"], "b": ["3", "-0,25"]}, ["a", "b"])
    assert found == [[1.5, 3.0], [2.0, -0.25]]
    assert notes.lines == [
        "t.csv: 2 columns with decimal commas, as in '1,5' (row 1, column 'a'), read as numbers. "
        "(docs: warnings/decimals)"
    ]
    found, notes = features({"a": ["1.5", "2"], "b": ["3", "-0.25"]}, ["a", "b"])
    assert found == [[1.5, 3.0], [2.0, -0.25]] and not notes.lines
    assert features({"a": ["1,5", "2"]}, ["a"])[0] == [[1.5], [2.0]]


def test_lists_are_not_taken_for_decimal_commas():
    found, notes = features({"a": ["1,5", "2,5"]}, ["a"])
    assert found == [[1, 5], [2, 5]] and "'1,5' is read as a list of two numbers" in notes.questions[0].asks
    found, notes = features({"a": ["[1,5]", "[2,5]"]}, ["a"])
    assert found == [[1, 5], [2, 5]] and not notes.questions


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"a": ["1,5", "2.5"], "b": ["3", "4"]},
            "t.csv, column 'a': row 1 has a decimal comma, '1,5', but row 2 a point, '2.5'; write all numbers alike",
        ),
        ({"a": ["1,500", "2"], "b": ["3", "4"]}, "row 1, column 'a': '1,500' may be 1.500 or 1500; write numbers"),
        ({"a": ["1,5", "x"], "b": ["3", "4"]}, "t.csv, row 1, column 'a': not a number but '1,5'"),
    ],
)
def test_commas_that_may_mean_something_else(columns, message):
    with pytest.raises(DataError, match=message):
        features(columns, ["a", "b"])


def test_per_cent_signs_are_taken_away_and_said():
    found, notes = features({"a": ["12,5 %", "3 %"], "b": ["3", "4"]}, ["a", "b"])
    assert found == [[12.5, 3.0], [3.0, 4.0]]
    assert notes.lines[0].startswith("t.csv: column 'a' with per cent signs, as in '12,5 %' (row 1, column 'a'), read")
    assert features({"a": ["12,5 %", "3 %"]}, ["a"])[0] == [[12.5], [3.0]]
    with pytest.raises(DataError, match="column 'a': not a number but '5 %'"):
        features({"a": ["5 %", "3"], "b": ["3", "4"]}, ["a", "b"])
    with pytest.raises(DataError, match="holds a number; write units into the header, and numbers alone"):
        features({"a": ["3 kg", "4 kg"], "b": ["3", "4"]}, ["a", "b"])


def test_columns_of_truth_are_numbers_as_in_parquet():
    found, notes = features({"a": ["1", "2", "3"], "on": ["True", "False", "TRUE"]}, ["a", "on"])
    assert found == [[1, 1], [2, 0], [3, 1]]
    assert notes.lines == ["t.csv: column 'on' of True and False, read as 1 and 0."]
    with pytest.raises(DataError, match="column 'on': row 1, not a number but 'True'"):
        features({"a": ["1", "2", "3"], "on": ["True", "no", "3"]}, ["a", "on"])
    faults = Faults("t.csv", [1, 2, 3], skip_bad=True)
    table = pd.DataFrame({"a": ["1", "2", "3"], "on": ["", "True", "False"]})
    assert read_features(table, ["a", "on"], "t.csv", faults=faults)[1:].tolist() == [[2, 1], [3, 0]]
    assert faults.good().tolist() == [False, True, True]  # an empty cell alone lacks its number


def test_lists_of_many_lengths_are_refused_with_a_way():
    says = "2 of 3 rows have not as many numbers as row 1, 1 .the first: row 2, 2.; give each row as many, such as by"
    with pytest.raises(DataError, match=says):
        features({"x": ["1", "1 2", "1 2 3"]}, ["x"])
    with pytest.raises(
        DataError, match="row 1, column 'x': 1 numbers, but 2 in row 2; --skip-bad leaves out such rows"
    ):
        features({"x": ["1", "1 2", "2 3"]}, ["x"])


def test_decimal_commas_beside_missing_cells(tmp_path):
    pd.DataFrame({"x0": ["1,5", None, "2"], "x1": ["1", "2", "3"]}).to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t.parquet, row 2, column 'x0': not a number but"):
        read_features(table, ["x0", "x1"], "t.parquet")


def test_an_npz_file_with_objects_or_of_another_format(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.eye(2), y=np.array(["a", None], dtype=object))
    with pytest.raises(DataError, match=r"a.npz, array 'y': not readable \(it holds objects of Python; save it"):
        read_row_table(tmp_path / "a.npz", USUAL, Notes(), "x", "y")
    with (tmp_path / "b.npz").open("wb") as file:
        np.save(file, np.eye(2))
    with pytest.raises(DataError, match=r"not readable as npz \(its end is missing, or it is of another format\)$"):
        read_row_table(tmp_path / "b.npz", USUAL, Notes(), "x", "y")


def test_cells_without_a_number_are_named_together_and_their_rows_left_out_on_request():
    table = pd.DataFrame({"f0": ["1", "", "NA", "4"], "f1": ["1", "2", "inf", "4"]})
    with pytest.raises(DataError, match=r"2 of 4 rows lack a number \(column 'f0': row 2, .*''; then 3; .*'f1'") as e:
        read_features(table, ["f"], "t.csv")
    assert "--skip-bad leaves out such rows" in str(e.value) and "median" in str(e.value)
    notes = Notes()
    found = read_features(table, ["f"], "t.csv", notes=notes, faults=Faults("t.csv", [1, 2, 3, 5], skip_bad=True))
    assert np.isfinite(found).all(1).tolist() == [True, False, False, True]
    assert notes.lines[0].startswith("Left out of t.csv: 2 of 4 rows lack a number")


def test_lists_that_differ_in_length_are_left_out_on_request():
    found = read_features(
        pd.DataFrame({"x": ["1 2", "3", "4 5"]}), ["x"], "t.csv", faults=Faults("t.csv", [1, 2, 3], skip_bad=True)
    )
    assert found[[0, 2]].tolist() == [[1, 2], [4, 5]] and np.isnan(found[1]).all()


def test_a_column_of_texts_is_not_left_out_row_by_row():
    table = pd.DataFrame({"f0": ["1", "2"], "f1": ["a", "b"]})
    with pytest.raises(DataError, match="no row of column 'f1' holds a number: leave out"):
        read_features(table, ["f"], "t.csv", faults=Faults("t.csv", [1, 2], skip_bad=True))


def test_rows_without_a_number_are_no_entries(tmp_path):
    (tmp_path / "t.csv").write_text("x1,x2,y\n1,2,a\n,2,a\n3,4,b\n")
    found = KINDS["rows"](features=("x",), label="y").entries(tmp_path / "t.csv", ReadAs(skip_bad=True))
    assert (found.labels, found.at("item", 1)) == (["a", "b"], f"{tmp_path / 't.csv'}, row 3, column 'x'")


def test_decimal_commas_with_exponents_and_beside_words_for_none():
    assert features({"a": ["1,5E+02", "2"], "b": ["3", "4"]}, ["a", "b"])[0] == [[150, 3], [2, 4]]
    with pytest.raises(DataError, match="row 2, column 'a': not a number but 'NA'"):
        features({"a": ["1,5", "NA"], "b": ["3", "4"]}, ["a", "b"])


def test_rows_without_a_number_get_no_prediction(tmp_path):
    (tmp_path / "t.csv").write_text("x1,x2\n1,2\n,2\n3,4\n")
    model = SimpleNamespace(
        network=None, body=None, classes=["a", "b"], probabilities=lambda x, tick: np.eye(2)[(x[:, 0] > 2).astype(int)]
    )
    kind, given = (
        KINDS["rows"](features=("x1", "x2"), label="y", exact=True),
        (tmp_path / "t.csv", ReadAs(skip_bad=True)),
    )
    _, added = kind.answered(model, *given, Notes(), lambda *_: None)
    assert added["predicted"] == ["a", None, "b"] and np.isnan(added["probability"][1])
    with pytest.raises(DataError, match="row 2, column 'x1'"):
        kind.answered(model, tmp_path / "t.csv", ReadAs(), Notes(), lambda *_: None)


def test_arrays_of_an_npz_file_are_noted(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones((3, 2)), y=np.arange(3), z=np.zeros(1))
    notes = Notes()
    read_row_table(tmp_path / "a.npz", ReadAs(), notes, "x", "y")
    assert notes.files[0].line() == f"{tmp_path / 'a.npz'}: npz; 3 rows, columns x, y, z."


def test_a_whole_number_that_no_float_holds_is_not_finite():
    table = pd.DataFrame({"a": [1, -(10**400)], "b": [1, 2], "c": [[1, 2], [3, 10**400]]})
    with pytest.raises(DataError, match=r"row 2, column 'a': a feature is -inf, not finite"):
        read_features(table, ["a", "b"], "t.jsonl", exact=True)
    with pytest.raises(DataError, match=r"row 2, column 'c': a feature is inf, not finite"):
        read_features(table, ["c"], "t.jsonl", exact=True)


def test_numbers_that_need_no_look_are_the_same_as_those_of_each_cell():
    table = pd.DataFrame(
        {"a": [0.1, 1e39, -3.5], "b": np.array([1, 2, 2**62]), "c": np.array([1, 2, 3], dtype=np.uint8)}
    )
    fast = read_features(table[1:2].assign(a=0.1), ["a", "b", "c"], "t.parquet", exact=True)
    np.testing.assert_array_equal(
        fast, read_features(table[1:2].assign(a=0.1).astype(object), ["a", "b", "c"], "t.parquet", exact=True)
    )
    with pytest.raises(DataError, match=r"row 2, column 'a': a feature is inf, not finite"):
        read_features(table, ["a", "b", "c"], "t.parquet", exact=True)
