"""Files that hold one table: in a folder, by a pattern, by links."""

from __future__ import annotations

import pytest

from tutelage.tables import DataError
from tutelage.tables.several import files_of, is_several


@pytest.fixture
def folder(tmp_path):
    """A folder with a table, a folder of Spark's, its mark, and a link to a folder elsewhere."""
    for name in (
        "pool/a.csv",
        "pool/part.parquet/part-0.csv",
        "pool/part.parquet/_SUCCESS",
        "pool/_SUCCESS",
        "b/b.csv",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text\nsoup\n")
    (tmp_path / "pool" / "linked").symlink_to(tmp_path / "b")
    return tmp_path / "pool"


ALL = ["pool/a.csv", "pool/linked/b.csv", "pool/part.parquet/part-0.csv"]


@pytest.mark.parametrize(
    ("pattern", "expected"), [("", ALL), ("*", ALL), ("**", ALL), ("*.parquet", ALL[2:]), ("l*", ALL[1:2])]
)
def test_a_pattern_names_files_and_folders_of_parts(pattern, expected, folder):
    found = files_of(folder / pattern)
    assert [str(each.relative_to(folder.parent)) for each in found] == expected


def test_a_file_of_two_names_is_read_once(folder):
    (folder / "z.csv").symlink_to(folder / "a.csv")
    (folder / "linked" / "above").symlink_to(folder)
    assert len(files_of(folder)) == len(ALL)


NAMES = ["gone.csv", "linked/gone.parquet", "gone"]


@pytest.mark.parametrize(
    ("pattern", "name"), [("*.csv", "gone.csv"), *((pattern, name) for pattern in ("", "*") for name in NAMES)]
)
def test_a_link_to_what_is_gone_is_named(pattern, name, folder):
    (folder / name).symlink_to(folder / "nothing.csv")
    with pytest.raises(DataError, match=r"gone.*: a link to .*nothing\.csv, which is gone; bring back what it points"):
        files_of(folder / pattern)


def test_a_folder_of_nothing_but_a_link_to_what_is_gone_is_a_table_that_cannot_be_read(tmp_path):
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nothing.csv")
    assert is_several(tmp_path)
    with pytest.raises(DataError, match="which is gone"):
        files_of(tmp_path)


def test_a_hidden_link_and_one_in_a_circle_are_passed_over(folder):
    (folder / "_gone.csv").symlink_to(folder / "nothing.csv")
    (folder / "circle.csv").symlink_to("circle.csv")
    assert len(files_of(folder)) == len(files_of(folder / "*")) == len(ALL)
