"""Tables are read as they are, or refused with the file, the row and the column."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from tutelage.modalities.text.tables import texts_of
from tutelage.tables import DataError, ReadAs, as_label, read_table, write_table


def read_texts(path, text, label=None, charset="utf-8"):
    return texts_of(read_table(path, ReadAs(charset=charset)), path, text, label)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_what_is_written_is_read(tmp_path, kind):
    table = pd.DataFrame({"text": ["a, b", 'says "no"', "tab\there", "línea"], "label": ["x", "y", "", "x"]})
    write_table(table, tmp_path / f"t.{kind}")
    got = read_texts(tmp_path / f"t.{kind}", "text", "label")
    assert got.texts == list(table.text)
    assert got.labels == ["x", "y", None, "x"]
    assert got.rows == [1, 2, 3, 4]


def test_cells_of_csv_stay_text(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\n007,01\nNA,null\n")
    got = read_texts(tmp_path / "t.csv", "text", "label")
    assert (got.texts, got.labels) == (["007", "NA"], ["01", "null"])


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.csv", "text,label\na,b\n"), ("t.tsv", "text\tlabel\na\tb\n"), ("t.jsonl", '{"text": "a", "label": "b"}\n')],
)
def test_a_byte_order_mark_is_not_part_of_the_table(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode("utf-8-sig"))
    assert read_table(tmp_path / name).to_dict("list") == {"text": ["a"], "label": ["b"]}


@pytest.mark.parametrize("rest", ["d,e\n", "d,e,f\n"])
def test_a_first_row_wider_than_the_header_is_refused_not_shifted(tmp_path, rest):
    (tmp_path / "t.csv").write_text("text,label\nsoup, bread,food\n" + rest)
    with pytest.raises(DataError, match=r"t\.csv"):
        read_texts(tmp_path / "t.csv", "text", "label")


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, 0, 1], ["1", "0", "1"]),
        ([1.0, None, 2.0], ["1", None, "2"]),
        ([1.5, float("nan"), -1.0], ["1.5", None, "-1"]),
        (["x", None, " "], ["x", None, None]),
        (pd.array([1, None, 2], dtype="Int64"), ["1", None, "2"]),
        (pd.Categorical(["x", None, "y"]), ["x", None, "y"]),
        ([True, False, None], ["True", "False", None]),
    ],
)
def test_numbers_are_labels_too(tmp_path, values, labels):
    pd.DataFrame({"text": ["a", "b", "c"], "label": values}).to_parquet(tmp_path / "t.parquet")
    assert read_texts(tmp_path / "t.parquet", "text", "label").labels == labels


def test_numbers_beside_empty_cells_are_the_same_labels_in_every_kind_of_file(tmp_path):
    table = pd.DataFrame({"text": ["a", "b", "c"], "label": [1.0, None, 0.0]})
    table.to_csv(tmp_path / "t.csv", index=False)  # writes 1.0
    table.to_parquet(tmp_path / "t.parquet")
    found = [read_texts(tmp_path / f"t.{kind}", "text", "label").labels for kind in ("csv", "parquet")]
    assert found == [["1", None, "0"]] * 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.foo", b"x", "file name must end in one of .csv, .tsv, .txt, .json, .jsonl, .parquet"),
        ("t.xlsx", b"x", "t.xlsx: not readable as a spreadsheet"),
        ("t.csv", b"", "t.csv: the file is empty"),
        ("t.csv", b"text,label\n", "t.csv: the file has no rows"),
        ("t.csv", b"text,label\na,b\na,b,c,d\n", r"1 row has more cells than the 2 of the header .first: row 2, line"),
        ("t.csv", b"text,label\na,b\na\n", r"1 row has fewer cells than the 2 of the header .first: row 2, line"),
        ("t.csv", "text\ncafé à la crème, très bon\n".encode("cp1252"), "is not utf-8.*--charset"),
        ("t.jsonl", b"", "t.jsonl: the file has no rows"),
        ("t.jsonl", b'{"text": "a"}\n{"text": \n', "t.jsonl: row 2 is not JSON"),
        ("t.jsonl", b'{"text": "a"}\n[1]\n', "t.jsonl: row 2 must be a JSON object"),
        ("t.jsonl", b'{"text": "\\ud83d\\ude00"}\n{"text": "\\ud83d"}\n', "t.jsonl: row 2 has half a character"),
        ("t.csv", b"text,label,label\na,b,c\n", "t.csv: 2 columns are named 'label'; each needs its own name"),
        ("t.parquet", b"PAR1 but not really", "t.parquet: not readable as parquet"),
    ],
)
def test_unreadable_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / name)


def test_no_such_file_column_or_text(tmp_path):
    with pytest.raises(DataError, match=r"gone.csv: no such file"):
        read_table(tmp_path / "gone.csv")
    pd.DataFrame({"text": [["a"], ["b"]]}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DataError, match="no column 'body'; it has 'text'"):
        read_texts(tmp_path / "t.parquet", "body")
    with pytest.raises(DataError, match="row 1, column 'text': not text but a list"):
        read_texts(tmp_path / "t.parquet", "text")


@pytest.mark.parametrize("cell", ['["a"]', '{"a": 1}'])
def test_a_cell_of_json_that_is_not_text(tmp_path, cell):
    (tmp_path / "t.jsonl").write_text('{"text": "a"}\n{"text": ' + cell + "}\n")
    with pytest.raises(DataError, match=r"t.jsonl, row 2, column 'text': not text but (a list|an object)"):
        read_texts(tmp_path / "t.jsonl", "text")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("latin-1", "Les élèves préfèrent la crème brûlée à la forêt, garçon! L'hôtel était fermé hier, où es-tu? "),
        ("latin-1", "Die Straße führte über die Brücke; die Häuser waren größer, und die Bäume blühten schön. "),
        ("cp1251", "Жил-был король, у которого было три дочери; каждая из них была красивой. "),
        ("koi8-r", "Жил-был король, у которого было три дочери; каждая из них была красивой. "),
        ("utf-16-le", "Жил-был король, у которого было три дочери; каждая из них была красивой. "),
    ],
)
def test_the_charset_that_is_suggested_reads_the_text_as_it_was_written(tmp_path, encoding, text):
    (tmp_path / "t.csv").write_bytes(f'text\n"{20 * text}"\n'.encode(encoding))
    with pytest.raises(DataError, match=r"is not utf-8.*; it looks .* pass --charset \S+$") as refused:
        read_table(tmp_path / "t.csv")
    suggested = str(refused.value).split()[-1]
    assert read_texts(tmp_path / "t.csv", "text", charset=suggested).texts == [20 * text]


def test_a_table_is_not_written_under_an_unknown_ending(tmp_path):
    with pytest.raises(DataError, match="file name must end in one of"):
        write_table(pd.DataFrame({"text": ["a"]}), tmp_path / "t.txt")
    assert not list(tmp_path.iterdir())


def test_unknown_charset(tmp_path):
    (tmp_path / "t.csv").write_text("text\na\n")
    with pytest.raises(DataError, match="charset 'klingon' is not known"):
        read_table(tmp_path / "t.csv", ReadAs(charset="klingon"))


def test_minus_one_is_a_label_of_a_table():
    assert as_label(-1) == "-1"


@pytest.mark.parametrize(
    ("name", "content", "ending"),
    [
        ("t.csv", '{"text": "a", "label": "b"}\n{"text": "c", "label": "d"}\n', ".jsonl"),
        ("t.tsv", '[{"text": "a"},\n {"text": "b"}]', ".json"),
        ("t.txt", '{\n  "text": ["a"]\n}\n', ".json"),
    ],
)
def test_json_under_another_ending_is_known(tmp_path, name, content, ending):
    (tmp_path / name).write_text(content)
    with pytest.raises(
        DataError, match=rf"not readable as {name[2:]}; the file holds JSON: let its name end in {ending}$"
    ):
        read_table(tmp_path / name)


def test_braces_in_a_header_are_no_json(tmp_path):
    (tmp_path / "t.csv").write_text("{text},[label]\na,b\n")
    assert list(read_table(tmp_path / "t.csv").columns) == ["{text}", "[label]"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("https://example.org/t.csv", "no such file; it is an address: fetch the file first$"),
        ("parts/*.csv", "no such file; one file is read, not all that a pattern names: parts of one table"),
        ("gone.csv", "gone.csv: no such file$"),
    ],
)
def test_paths_that_are_no_file(path, says):
    with pytest.raises(DataError, match=says):
        read_table(path)


def test_a_folder_of_parts_of_a_table_says_how_to_join_them(tmp_path):
    for part in ("label=a/p.parquet", "label=b/p.parquet"):
        (tmp_path / part).parent.mkdir()
        pd.DataFrame({"text": ["a"]}).to_parquet(tmp_path / part)
    with pytest.raises(
        DataError, match=r"joined first, such as by pandas.concat \(pandas.read_parquet\(FOLDER\) makes"
    ):
        read_table(tmp_path)


def test_lines_of_json_keep_all_digits_and_what_is_missing(tmp_path):
    table = pd.DataFrame({"n": [0.30000000000000004, 123456789.12345679, float("nan")], "v": [[1, 0.1], None, True]})
    write_table(table, tmp_path / "t.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [line["n"] for line in lines] == [0.30000000000000004, 123456789.12345679, None]
    assert [line["v"] for line in lines] == [[1, 0.1], None, True]
    write_table(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1:] == [
        '0.30000000000000004,"[1, 0.1]"', "123456789.12345679,", ",true",
    ]  # fmt: skip
