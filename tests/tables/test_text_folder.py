"""Folders of text files are tables of texts."""

from __future__ import annotations

import pytest
from table_files import noted, quiet, rows_of

from tutelage.tables import DataError, ReadAs, holds_texts, read


def folder(root, **classes):
    for name, texts in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for i, text in enumerate(texts):
            (root / name / f"{i}.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def test_a_folder_for_each_class(tmp_path):
    root = folder(tmp_path / "in", pos=["good\n", "fine\r\nindeed\r\n"], neg=["bad"], unsup=["so so"])
    found, notes = noted(root)
    assert found.seen.columns == ["file", "text", "label"] and quiet(notes)
    assert rows_of(found) == [
        ["neg/0.txt", "bad", "neg"], ["pos/0.txt", "good", "pos"], ["pos/1.txt", "fine\nindeed", "pos"],
        ["unsup/0.txt", "so so", ""],
    ]  # fmt: skip


def test_texts_without_folders_have_no_label(tmp_path):
    root = folder(tmp_path, flat=["a", "b"])
    assert rows_of(noted(root / "flat")[0]) == [["0.txt", "a", ""], ["1.txt", "b", ""]]


def test_other_files_are_passed_over_and_said(tmp_path):
    root = folder(tmp_path / "in", pos=["a"], neg=["b"], more=[])
    (root / "readme.md").write_text("x")
    (root / "urls.txt").write_text("x")
    found, notes = noted(root)
    assert len(found.frame) == 2
    assert "2 other files are passed over (readme.md, urls.txt)" in notes.lines[0] and "folder more" in notes.lines[1]


def test_files_that_have_numbers_for_names(tmp_path):
    root = tmp_path / "in"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        (root / name / "49960").write_text(f"text {name}")
    assert [row[1:] for row in rows_of(noted(root)[0])] == [["text a", "a"], ["text b", "b"]]


def test_folders_of_parts_are_no_classes(tmp_path):
    root = folder(tmp_path / "in", train=["a"], test=["b"])
    with pytest.raises(DataError, match="the folders test, train are parts of a data set, not classes"):
        read(root)


def test_a_file_in_another_charset_is_named(tmp_path):
    root = folder(tmp_path / "in", pos=["Très bien, c'était délicieux".encode("cp1252")], neg=["b"])
    with pytest.raises(DataError, match=r"pos/0.txt: byte 0xe8 is not utf-8.*pass --charset cp1252"):
        read(root)
    assert noted(root, charset="cp1252")[0].frame.text[1] == "Très bien, c'était délicieux"


def test_a_folder_without_texts(tmp_path):
    (tmp_path / "t.csv").write_text("a\nb\n")
    with pytest.raises(DataError, match=r"neither a saved data set nor a folder of texts; name one file in it"):
        read(tmp_path)
    assert not holds_texts(tmp_path)


def test_files_in_another_charset_are_named_together_and_left_out_whole(tmp_path):
    bad = "Très bien, c'était délicieux".encode("cp1252")
    root = folder(tmp_path / "in", pos=["a", bad, "c"], neg=["b", bad, "d", "zero\0"])
    with pytest.raises(
        DataError, match=r"neg/1.txt: .*\(3 of 7 files cannot be read; then neg/3.txt, pos/1.txt\)"
    ) as e:
        read(root)
    assert str(e.value).endswith("--skip-bad leaves such files out") and "row" not in str(e.value)
    found, notes = noted(root, skip_bad=True)
    assert found.frame.text.tolist() == ["b", "d", "a", "c"]
    assert "3 of 7 files that cannot be read (first: " in notes.lines[0]


def test_a_charset_that_hardly_any_file_has_leaves_none_out(tmp_path):
    root = folder(tmp_path / "in", pos=["é".encode("cp1252")] * 3, neg=["b"])
    with pytest.raises(DataError, match=r"3 of 4 files cannot be read") as e:
        read(root, ReadAs(skip_bad=True))
    assert "--skip-bad" not in str(e.value)


def test_texts_one_level_too_deep_are_named(tmp_path):
    folder(tmp_path / "in" / "news", pos=["a"], neg=["b"])
    assert holds_texts(tmp_path / "in")
    with pytest.raises(
        DataError, match=r"such as news/neg: name the folder whose folders are the classes, such as .*news"
    ):
        read(tmp_path / "in")
    (tmp_path / "in" / "news" / "readme.md").write_text("x")
    assert not holds_texts(tmp_path / "in")
