"""Files of separated cells are read as they were meant: dialects, headers, odd rows."""

from __future__ import annotations

import time

import pandas as pd
import pytest
from table_files import noted, quiet, rows_of, written

from tutelage.tables import DataError, Notes, ReadAs, column, read
from tutelage.tables.headers import looks_like_data

ROWS = [[f"text {i} of a film", ("pos", "neg")[i % 2]] for i in range(24)]


def table(separator: str = ",", rows=ROWS, header: str = "text,label", end: str = "\n") -> str:
    lines = [header.replace(",", separator), *(separator.join(row) for row in rows)]
    return end.join(lines) + end


def test_a_usual_file_is_read_without_a_word(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", table()))
    assert quiet(notes)
    assert rows_of(found) == ROWS
    assert (found.seen.lines, found.seen.rows, found.seen.separator, found.seen.charset) == (25, 24, ",", "utf-8")
    assert list(found.rows) == list(range(1, 25))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", table(";"), "semicolons"),
        ("t.csv", "sep=;\n" + table(";"), "semicolons"),
        ("t.csv", '\ufeff"sep=;"\r\n' + table(";", end="\r\n"), "semicolons"),
        ("t.csv", table("\t"), "tabs"),
        ("t.tsv", table(","), "commas"),
        ("t.txt", table("|"), "bars"),
    ],
)
def test_another_separator_is_found_and_said(tmp_path, name, content, said):
    found, notes = noted(written(tmp_path, name, content))
    assert rows_of(found) == ROWS
    assert notes.lines == [f"{tmp_path / name}: its cells are separated by {notes.lines[0].split('by ')[1]}"]
    assert said in notes.lines[0]


def test_a_spreadsheets_csv_of_most_of_europe(tmp_path):
    texts = [[f"bread, butter and tea {i}", label] for i, (_, label) in enumerate(ROWS)]
    found, notes = noted(written(tmp_path, "t.csv", "\ufeff" + table(";", texts)))
    assert rows_of(found) == texts
    assert found.seen.marked and "semicolons" in notes.lines[0]
    control, notes = noted(written(tmp_path, "u.csv", table(";", texts).replace(",", "").replace(";", ",")))
    assert quiet(notes) and len(control.frame) == 24


def test_what_the_user_says_is_not_said_again(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", table(";")), separator=";")
    assert quiet(notes) and rows_of(found) == ROWS


def test_a_separator_that_fits_all_rows_but_a_few_is_found(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", table(";") + "a;b;c\n"))
    assert rows_of(found) == ROWS
    assert "1 row has more cells than the 2 of the header (first: row 25, line 26, 3 cells, 'a;b;c')" in notes.faults[0]


# quotation marks


@pytest.mark.parametrize("ending", ["tsv", "csv"])
def test_marks_that_are_never_closed_are_characters(tmp_path, ending):
    separator = "\t" if ending == "tsv" else ","
    rows = [['"' * (i in (3, 9, 15)) + text, label] for i, (text, label) in enumerate(ROWS)]
    found, notes = noted(written(tmp_path, f"t.{ending}", table(separator, rows)))
    assert rows_of(found) == rows
    assert "in 3 rows a quotation mark opens a cell and none closes it" in notes.lines[0]
    assert "(first: row 4, line 5" in notes.lines[0] and "; then 10, 16)" in notes.lines[0]
    assert not notes.questions and not notes.faults
    control, notes = noted(written(tmp_path, f"u.{ending}", table(separator)))
    assert quiet(notes) and rows_of(control) == ROWS


def test_a_lone_mark_behind_a_million_good_rows_is_found(tmp_path):
    many = "text\tlabel\n" + "a good text\tpos\n" * 300_000
    found, notes = noted(written(tmp_path, "t.tsv", many + '"Lone\tneg\n' + "another\tneg\n" * 3))
    assert len(found.frame) == 300_004
    assert found.frame.text.iloc[300_000] == '"Lone'
    assert "first: row 300001, line 300002" in notes.lines[0]


def test_marks_within_a_text_are_characters(tmp_path):
    rows = [['5" pipe', "a"], ['he said "no" twice', "b"], ["plain", "a"]]
    found, notes = noted(written(tmp_path, "t.tsv", table("\t", rows)))
    assert quiet(notes) and rows_of(found) == rows


def test_lines_that_a_pair_of_lone_marks_would_swallow_stay_rows(tmp_path):
    rows = [["x" * (i == 4) + text, label] for i, (text, label) in enumerate(ROWS)]
    rows[3][0], rows[7][0] = '"' + rows[3][0], rows[7][0] + '"'
    found, notes = noted(written(tmp_path, "t.csv", table(",", rows)))
    assert rows_of(found) == rows
    assert "(first: row 4, line 5" in notes.lines[0]


def test_a_text_of_several_lines_is_one_row(tmp_path):
    rows = [["Dear all,\n\nthanks, for, it", "pos"], ['so "good"\nit is', "neg"], *ROWS]
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(tmp_path / "t.csv", index=False)
    found, notes = noted(tmp_path / "t.csv")
    assert rows_of(found) == rows
    assert notes.lines == [f"{tmp_path / 't.csv'}: 2 rows are longer than a line (first: row 1, lines 2 to 4)."]
    assert found.seen.spanning == ((1, 2, 4), (2, 5, 6)) and found.seen.longer == 3
    assert found.seen.lines == 1 + found.seen.rows + found.seen.longer


def test_where_both_readings_are_possible_a_question_halts(tmp_path):
    path = written(tmp_path, "t.csv", 'text\none\n"two\nthree"\nfour\nfive\n')
    _, notes = noted(path)
    (question,) = notes.questions
    assert question.halts and "opens in row 2, line 3, '\"two', and closes in line 4" in question.asks
    assert [option.split(",")[0] for option in question.options] == ["--quote double", "--quote none"]
    assert rows_of(noted(path, quote="double")[0]) == [["one"], ["two\nthree"], ["four"], ["five"]]
    assert rows_of(noted(path, quote="none")[0]) == [["one"], ['"two'], ['three"'], ["four"], ["five"]]
    assert not noted(path, quote="double")[1].questions and not noted(path, quote="none")[1].questions


def test_a_mark_that_shall_quote_must_be_closed(tmp_path):
    _, notes = noted(written(tmp_path, "t.csv", 'text,label\na,b\n"c,d\n'), quote="double")
    assert "a quotation mark is never closed (first: row 2, line 3" in notes.faults[0]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (r'"He said \"hi\", ok"', 'He said "hi", ok'),
        (r'"C:\\dir, \"x\""', r'C:\dir, "x"'),
        ('"He said ""hi"", ok"', 'He said "hi", ok'),
        (r'"C:\dir\", ok', None),
    ],
)
def test_escaped_and_doubled_marks_are_told_apart(tmp_path, cell, text):
    found, notes = noted(written(tmp_path, "t.csv", f'text,label\n{cell},a\n"b, c",d\n'))
    if text is None:
        assert notes.faults
        return
    assert rows_of(found) == [[text, "a"], ["b, c", "d"]]
    assert ("escaped by backslashes" in " ".join(notes.lines)) == ("\\" in cell)
    assert found.seen.escape == ("\\" if "\\" in cell else "")


def test_single_quotation_marks_around_cells_are_found(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", "text,label\n'a, b',x\n'c, d',y\n'e',x\n"))
    assert rows_of(found) == [["a, b", "x"], ["c, d", "y"], ["e", "x"]]
    assert "single quotation marks" in notes.lines[0]


# rows


def test_all_odd_rows_are_named_at_once(tmp_path):
    path = written(tmp_path, "t.csv", table() + "a,b,c\nonly\n\nlast,pos\na,b,c,d\n")
    found, notes = noted(path)
    more, fewer = notes.faults
    assert "2 rows have more cells than the 2 of the header (first: row 25, line 26, 3 cells, 'a,b,c'; then 28)" in more
    assert "1 row has fewer cells than the 2 of the header (first: row 26, line 27, 1 cell, 'only')" in fewer
    assert "--skip-bad" in more and "--skip-bad" in fewer
    assert notes.lines == [f"{path}: 1 line is blank and passed over (first: line 28)."]
    with pytest.raises(DataError, match="more cells"):
        read(path)
    found, notes = noted(path, skip_bad=True)
    assert not notes.faults and len(notes.lines) == 3
    assert list(found.rows) == [*range(1, 25), 27] and found.seen.left_out == 3
    assert found.seen.lines == 1 + found.seen.rows + found.seen.left_out + found.seen.blank


def test_nothing_is_left_out_where_most_rows_are_odd(tmp_path):
    _, notes = noted(written(tmp_path, "t.csv", "text,label\na;b\nc;d\ne,f\n"), skip_bad=True)
    assert "2 rows have fewer cells" in notes.faults[0] and "--separator" in notes.faults[0]
    assert "--skip-bad" not in notes.faults[0]


def test_joined_files_lose_their_second_header(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", table() + table()))
    assert rows_of(found) == ROWS + ROWS
    assert "1 row repeats the names of the columns (first: row 25)" in notes.lines[0]
    assert list(found.rows)[22:26] == [23, 24, 26, 27]


def test_rows_that_begin_with_their_number_as_r_writes_them(tmp_path):
    lines = ['"text","label"', *(f'"{i}","{text}","{label}"' for i, (text, label) in enumerate(ROWS, start=1))]
    found, notes = noted(written(tmp_path, "t.csv", "\n".join(lines) + "\n"))
    assert found.seen.columns == ["Unnamed: 0", "text", "label"]
    assert [row[1:] for row in rows_of(found)] == ROWS and "as R writes it" in notes.lines[0]


# headers


def test_a_header_that_looks_like_data_is_asked_about(tmp_path):
    path = written(tmp_path, "t.csv", table().split("\n", 1)[1])
    with pytest.raises(DataError, match=r"the first line looks like a row of data.*--columns NAME1,NAME2.*header"):
        read(path, notes=Notes())
    found, notes = noted(path, columns="text,label")
    assert quiet(notes) and rows_of(found) == ROWS and found.seen.columns == ["text", "label"]
    assert noted(path, columns="header")[0].seen.columns == ROWS[0]


def test_names_of_columns_that_the_file_has_too(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", table()), columns="text,label")
    assert rows_of(found) == ROWS and "repeats the names of the columns (first: row 1)" in notes.lines[0]
    with pytest.raises(DataError, match="--columns names 3 columns, but each row has 2 cells"):
        noted(written(tmp_path, "t.csv", table()), columns="a,b,c")


@pytest.mark.parametrize("header", ["a,b", "0,1", "2020,2021", "spam,label"])
def test_names_that_are_none_of_the_cells_below_are_a_header(tmp_path, header):
    rows = [["spam", "1"], ["ham", "0"], ["spam", "1"], ["ham", "0"], ["spam", "0"]]
    found, notes = noted(written(tmp_path, "t.csv", table(",", rows, header)))
    assert quiet(notes) and found.seen.columns == header.split(",")


def test_numbers_in_the_header_are_asked_about(tmp_path):
    with pytest.raises(DataError, match=r"its cell '1\.5' is a number"):
        read(written(tmp_path, "t.csv", "1.5,2.5,a\n3.5,1,b\n"))


def test_a_title_above_the_header_is_asked_about(tmp_path):
    with pytest.raises(DataError, match=r"'Export of 2024', has one cell, but each other line has .*semicolons"):
        read(written(tmp_path, "t.csv", "Export of 2024\n" + table(";")))
    path = written(tmp_path, "u.csv", "text\nhello, world\nyes, no\n")
    with pytest.raises(DataError, match="--separator tab, if each line is one text"):
        read(path)
    assert rows_of(noted(path, separator="tab")[0]) == [["hello, world"], ["yes, no"]]


def test_lines_of_one_column_are_read_whole(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", "text\nhello, world\nok\nso, yes, no\n"))
    assert rows_of(found) == [["hello, world"], ["ok"], ["so, yes, no"]]
    assert "one column, so each line is one cell" in notes.lines[0]
    found, _ = noted(written(tmp_path, "t.txt", "I like it\nI do not\nSo what, then\n"), columns="text")
    assert rows_of(found) == [["I like it"], ["I do not"], ["So what, then"]]


def test_columns_without_a_name_get_one(tmp_path):
    found, notes = noted(written(tmp_path, "t.csv", ",text\n0,a\n1,b\n"))
    assert quiet(notes) and found.seen.columns == ["Unnamed: 0", "text"]


def test_names_that_are_there_twice_are_all_named(tmp_path):
    with pytest.raises(DataError, match=r"2 columns are named 'a'; each needs its own name \(so are 'b'\)"):
        read(written(tmp_path, "t.csv", "a,b,b,a\n1,2,3,4\n"))


@pytest.mark.parametrize(("wanted", "nearest"), [("label", "Label "), ("texts", "text")])
def test_the_nearest_column_is_named(wanted, nearest):
    from tutelage.tables import column

    with pytest.raises(DataError, match=f"no column '{wanted}'; it has 'text', 'Label '; the nearest is '{nearest}'"):
        column(pd.DataFrame({"text": ["a"], "Label ": ["b"]}), wanted, "t.csv")


@pytest.mark.parametrize("how", [{"columns": "a,a"}, {"columns": "a,,b"}, {"separator": "::"}, {"quote": "x"}])
def test_options_that_mean_nothing(how):
    with pytest.raises(DataError):
        ReadAs(**how)


def test_a_long_run_of_letters_takes_no_long_time(tmp_path):
    begin = time.process_time()
    found, _ = noted(written(tmp_path, "t.txt", f"text;label\n{'x' * 15_000};pos\nsoup;neg\n"))
    assert rows_of(found)[1] == ["soup", "neg"]
    assert time.process_time() - begin < 3


def test_a_table_of_r_has_blanks_between_its_cells_and_rows_with_names(tmp_path):
    rows = '"text" "label"\n"1" "Bread, \\"salt\\"" "food"\n"2" "A goal; late" "sport"\n'
    found, notes = noted(written(tmp_path, "t.txt", rows))
    assert found.frame[["text", "label"]].values.tolist() == [['Bread, "salt"', "food"], ["A goal; late", "sport"]]
    assert "each row begins with its number, which the header does not name" in notes.lines[0]
    rows = '"miles" "class"\n"Mazda RX4" 21 "low"\n"Datsun 710" 22.8 "high"\n'
    found, notes = noted(written(tmp_path, "t.csv", rows))
    assert found.frame.columns.tolist() == ["Unnamed: 0", "miles", "class"]
    assert found.frame["Unnamed: 0"].tolist() == ["Mazda RX4", "Datsun 710"] and "its name" in notes.lines[0]


def test_a_row_more_than_the_header_is_no_name_where_it_repeats_or_has_no_marks(tmp_path):
    for rows in ('"a","b"\n"x",1,2\n"x",3,4\n', '"a","b"\nx,1,2\ny,3,4\n', 'a,b\n"x",1,2\n"y",3,4\n'):
        with pytest.raises(DataError, match="2 rows have more cells than the 2 of the header"):
            read(written(tmp_path, "t.csv", rows))


def test_one_column_whose_name_has_the_one_that_is_sought_may_be_cut_at_blanks(tmp_path):
    table = read(written(tmp_path, "t.txt", "width label\n1.5 low\n2 high\n")).frame
    with pytest.raises(DataError, match=r"no column 'label'; it has 'width label'; .* say --separator space"):
        column(table, "label", "t.txt")


@pytest.mark.parametrize("cells", [["a", "b"], ["1.5", "b"], ["good", "pos"], ["a good old film", "pos"], ["x", ""]])
def test_a_header_is_judged_alike_whatever_the_columns_hold(cells):
    rows = [["bad", "pos"], ["good", "pos"], ["good", ""], ["2.5", ""], ["3.5", "neg"], ["4,5", "neg"], ["4.5", "neg"]]
    texts = pd.DataFrame(rows, dtype=pd.StringDtype())
    assert looks_like_data(cells, texts) == looks_like_data(cells, texts.astype(object))


@pytest.mark.parametrize(("separator", "typed"), [("~", "'~'"), ("^", "'^'"), ("\x01", r"'\x01'")])
def test_a_separator_that_is_not_found_out_is_named(tmp_path, separator, typed):
    path = written(tmp_path, "t.csv", table(separator, header=f"text{separator}label"))
    with pytest.raises(DataError) as e:
        column(read(path).frame, "label", path)
    assert str(e.value).endswith(f"separates its cells, say --separator {typed}")
    assert rows_of(read(path, ReadAs(separator=typed.strip("'")))) == ROWS


def test_a_file_without_a_comma_is_not_said_to_have_them(tmp_path):
    assert quiet(noted(written(tmp_path, "t.txt", "label text\npos a film\nneg a bad film\n"))[1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a film,pos,", "a plot,neg,"], "each of these rows ends in a separator behind its last cell"),
        (["“a film, long”,pos", "“a plot, old”,neg"], 'typographic marks (“) quote no cell: write " in their place'),
        (["a, film,pos", "a, plot,neg"], "are its cells separated by commas?"),
    ],
)
def test_what_makes_each_row_too_long_is_said(tmp_path, rows, message):
    with pytest.raises(DataError) as e:
        noted(written(tmp_path, "t.csv", "\n".join(["text,label", *rows * 3])))[1].settle()
    assert message in str(e.value)


def test_a_sheet_of_a_file_without_sheets_is_said(tmp_path):
    _, notes = noted(written(tmp_path, "t.csv", table()), sheet="3")
    assert "--sheet 3 means nothing here" in notes.lines[0]


@pytest.mark.parametrize("content", ["sep=;\n", "sep=;\n\n\r\n"])
def test_a_file_that_only_names_its_separator_has_no_rows(tmp_path, content):
    with pytest.raises(DataError, match=r"t.csv: the file has no rows below its first line, which names"):
        noted(written(tmp_path, "t.csv", content))
