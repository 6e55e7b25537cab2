"""A cell that is nearly a number is refused with what to do about it."""

from __future__ import annotations

import pandas as pd
import pytest

from tutelage.modalities.rows.faults import likely_form
from tutelage.modalities.rows.tables import read_features
from tutelage.tables import DataError


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("2.640,42", "thousands"), ("2,640.42", "thousands"), ("1 234", "thousands"), ("1'234.5", "thousands"),
        ("0.1%", "without %"), ("12,5 %", "without %"), ("\u22121.265", "write - in its place"),
        ("<1500", "without the sign before it"), ("48.7 kg", "into the header"), ("5 mg/l", "units"),
        ("37 °C", "units"), ("€12", "currency"), ("2024-05-01", "date"), ("2. Feb", "date"), ("1/2/24", "date"),
        ("5 März", "date"), ("48 mmol", "units"), ("x", ""), ("", ""), ("years", ""), ("NA", ""), ("a 5", ""),
    ],
)  # fmt: skip
def test_what_to_do_is_said_by_the_form_of_the_cell(cell, advice):
    found = likely_form(f"not a number but {cell!r}")
    assert bool(found) == bool(advice) and advice in found


def test_a_column_of_such_cells_is_not_to_be_left_out():
    table = pd.DataFrame({"a": ["1", "2"], "b": ["5 kg", "6 kg"]})
    with pytest.raises(DataError, match=r"no row of column 'b' holds a number; write units into the header") as refused:
        read_features(table, ["a", "b"], "t.csv")
    assert "leave out of" not in str(refused.value)
