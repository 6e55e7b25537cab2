"""Comments above the header of a csv file are asked about; a header that begins with # is none."""

from __future__ import annotations

import pytest

from tutelage.tables import DataError, Notes
from tutelage.tables.read import read

ROWS = "".join(f"{i},a text of {i}\n" for i in range(5))


@pytest.mark.parametrize(
    "above", ["# exported 2024\n", "# exported 2024\n# by ann, bob, eve\n", "# a\n# b, c\n\n# d\n"]
)
def test_comments_above_the_header_are_asked_about(tmp_path, above):
    (tmp_path / "t.csv").write_text(f"{above}id,text\n{ROWS}")
    with pytest.raises(DataError, match=r"begin with # like comments, above the header 'id,text'\. To settle it: take"):
        read(tmp_path / "t.csv")


@pytest.mark.parametrize("header", ["# id,text", "#,text", "#id,text"])
def test_a_header_may_begin_with_the_sign(tmp_path, header):
    (tmp_path / "t.csv").write_text(f"{header}\n{ROWS}")
    notes = Notes()
    found = read(tmp_path / "t.csv", notes=notes)
    assert len(found.frame) == 5 and list(found.frame.columns) == header.split(",") and not notes.questions
