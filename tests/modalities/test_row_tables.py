"""Features in tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tutelage.data.tables import DataError
from tutelage.modalities.rows.tables import read_features

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
