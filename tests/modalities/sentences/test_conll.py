"""CoNLL files with comments, numbered words, missing columns and other column orders."""

from __future__ import annotations

import zipfile

import pytest

from tutelage.modalities.sentences.tables import read_sentences
from tutelage.tables import Notes, ReadAs
from tutelage.tables.packed import packed


def test_comments_are_passed_over_and_words_that_begin_with_a_hash_are_not(heard):
    lines = "# sent_id = 1\n# text = Otto #1 won\nOtto NN B-PER\n#1 CD O\n# HASH O\n\n"
    lines += "# newdoc\nRome NN B-LOC\n# id 7\nUlm NN B-LOC\n"
    got = heard("a.conll", lines)
    assert got.found.tokens == [["Otto", "#1", "#"], ["Rome"], ["Ulm"]]
    assert got.found.rows == [3, 8, 10]
    assert "4 comments are passed over, the first in row 1: '# sent_id = 1'" in got.said


def test_comments_with_as_many_columns_as_words_are_told_by_their_tag(heard):
    got = heard(
        "a.conll", "# id 5239 domain=train\nOtto _ _ B-PER\n# _ _ O\nmet _ _ O\n\n# id 61 domain=train\nUlm _ _ B-LOC\n"
    )
    assert (got.found.tokens, got.tags) == ([["Otto", "#", "met"], ["Ulm"]], [["B-PER", "O", "O"], ["B-LOC"]])


@pytest.mark.parametrize(
    "mark", ["-DOCSTART-", "-DOCSTART- O", "-DOCSTART- -X- -X- O O", "-DOCSTART-\t-X-\tO", "-DOCEND-"]
)
def test_documents_begin_and_end_sentences_in_any_number_of_columns(heard, mark):
    got = heard("a.conll", f"{mark}\n\nOtto NN B-PER\n{mark}\nUlm NN B-LOC\n")
    assert (got.found.tokens, got.said) == ([["Otto"], ["Ulm"]], "")


def test_numbered_words_of_conll_u(heard):
    lines = (
        "# text = Vamonos\n1-2\tVamonos\t_\t_\n1\tVamos\tVERB\tO\n2\tnos\tPRON\tO\n2.1\tx\t_\t_\n3\tUlm\tPROPN\tB-LOC\n"
        "\n1\tOtto\tPROPN\tB-PER\n"
    )
    got = heard("a.conllu", lines)
    assert got.found.tokens == [["Vamos", "nos", "Ulm"], ["Otto"]]
    assert got.tags == [["O", "O", "B-LOC"], ["B-PER"]]
    assert "column 0 numbers the words; the words are read from column 1" in got.said
    assert "2 multiword tokens (1-2) and empty nodes (1.1) are passed over" in got.said
    assert heard("a.conllu", lines, tokens="1", tags="2").tags[0] == ["B-VERB", "B-PRON", "B-PROPN"]


def test_a_last_column_without_tags_is_asked_of(heard):
    lines = "Otto B-PER O\nmet O O\n\nUlm B-LOC O\n"
    got = heard("a.conll", lines)
    assert got.halts
    assert "the last column holds no tags of entities, but 'O'. To settle it: --tags 1 (such as 'B-LOC')" in got.asked
    assert heard("a.conll", lines, tags="1").tags == [["B-PER", "O"], ["B-LOC"]]
    assert not heard("a.conll", lines, tags="2").asked
    misc = heard("b.conllu", "1\tOtto\tPROPN\tSpaceAfter=No\n2\tmet\tVERB\t_\n")
    assert misc.halts and "To settle it: --tags 2." in misc.asked
    assert not heard("c.conll", "Otto B-NP O\nmet B-VP B-PER\n").asked  # chunks and then entities, as in CoNLL 2003
    named = heard("d.conll", "Otto B-PER ann\nmet O bob\n")
    assert named.halts and "but 'ann', 'bob'. To settle it: --tags 1 (such as 'B-PER')" in named.asked
    nested = heard("e.conll", "Otto B-PER O\nUlm B-LOC B-LOC\n")
    assert not nested.halts and "columns 1 and 2 hold tags of the same types" in nested.asked
    assert "--tags 1; or --tags 2 (as now)" in nested.asked


def test_no_column_is_asked_of_where_only_words_are_read(tmp_path):
    (tmp_path / "a.conll").write_text("Otto NN O x=y\nmet VB O _\n")
    notes = Notes()
    found = read_sentences(tmp_path / "a.conll", notes=notes, only_words=True)
    assert (found.tokens, found.tags, notes.lines, notes.questions) == ([["Otto", "met"]], [None], [], [])


def test_two_words_a_line_are_no_words_with_tags(heard):
    names = heard("a.txt", "".join(f"Otto{i} Rossi{i}\n" for i in range(10)))
    assert names.halts and "10 words have 10 different tags, such as 'Rossi0'" in names.asked


def test_missing_last_columns_are_words_without_a_tag(heard):
    lines = "Otto NN B-PER\nmet VB\nUlm NN B-LOC\n. . O\n\nhe\nran\n"
    got = heard("a.conll", lines)
    assert got.halts
    assert "3 rows lack their last columns, which are read as empty, the first in row 2: 'met VB'" in got.said
    assert "row 1, column '2': word 2, 'met', has no tag (empty)" in got.asked
    assert heard("a.conll", lines, open_words="outside").tags == [["B-PER", "O", "B-LOC", "O"], None]


def test_several_tabs_and_blanks_part_columns(heard):
    got = heard("a.conll", "Otto\t\tB-PER\nmet\tO\nNew York\tB-LOC\n \t \nUlm  \t B-LOC\n")
    assert got.found.tokens == [["Otto", "met", "New York"], ["Ulm"]]
    assert got.tags == [["B-PER", "O", "B-LOC"], ["B-LOC"]]


def test_lines_with_too_many_columns_are_counted_and_can_be_left_out(heard):
    lines = "Otto B-PER\nmet O\n\nNew York B-LOC\n\nUlm B-LOC\nso far O\n\nhe O\n"
    (fault,) = heard("a.conll", lines).notes.faults
    assert "row 4: 3 columns where row 1 has 2; so have 1 more rows" in fault
    got = heard("a.conll", lines, how=ReadAs(skip_bad=True))
    assert (got.found.tokens, got.notes.faults) == ([["Otto", "met"], ["he"]], [])
    assert "2 sentences have rows with other columns and are left out, the first: " in got.said


def test_a_plain_text_is_no_conll_file(heard):
    got = heard("a.txt", "The cat sat.\nIt ran.\nWhere did it go, he asked?\n")
    assert got.notes.faults and "a CoNLL file has one word a line" in got.notes.faults[0]


@pytest.mark.parametrize("ending", [".gz", ".zst", ".zip"])
def test_packed_files(tmp_path, ending):
    path = tmp_path / f"a.conll{ending}"
    text = b"Otto B-PER\nmet O\n"
    if ending == ".zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.conll", text)
    else:
        path.write_bytes(packed(text, {".gz": "gzip", ".zst": "zstandard"}[ending]))
    found = read_sentences(path)
    assert (found.tokens, found.tags) == ([["Otto", "met"]], [["B-PER", "O"]])


def test_tags_among_keys_with_values_are_read(heard):
    lines = "1\tOtto\tPROPN\tNER=B-PER|SpaceAfter=No\n2\tmet\tVERB\t_\n3\tUlm\tPROPN\tSpaceAfter=No|NER=B-LOC\n"
    got = heard("b.conllu", lines)
    assert got.tags == heard("b.conllu", lines, tags="3").tags == [["B-PER", "O", "B-LOC"]]
    assert "column 3 holds keys with values, of which NER= is the tag; words without it are O." in got.said
    assert not got.asked


def test_which_columns_are_read_is_counted(heard):
    got = heard("a.conll", "Ada NN B-NP B-PER\nleft VB O O\n\nshe PR O O\n", tokens="tokens", tags="tags")
    (fact,) = got.notes.facts.values()
    assert fact.says.endswith(
        "a.conll: CoNLL, 2 sentences of 3 words; words in column 0, tags in column 3, of the columns 0, 1, 2, 3."
    )
