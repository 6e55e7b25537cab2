"""Tagged sentences are read from every format alike, or refused with the file, the row and the column."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from tutelage.modalities.sentences.tables import read_sentences, span_rows, write_conll
from tutelage.tables import DataError, ReadAs

WORDS = [["EU", "rejects", "British", "lamb"], ["Peter", "Blackburn", "said"]]
TAGS = [["B-ORG", "O", "B-MISC", "O"], ["B-PER", "I-PER", "O"]]
CONLL = "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\nBritish JJ B-MISC\nlamb NN O\n\n\nPeter NNP B-PER\n"
CONLL += "Blackburn NNP I-PER\nsaid VBD O\n"


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def lists(path, kind):
    """The two sentences as lists in a file of this kind."""
    table = pd.DataFrame({"tokens": WORDS, "tags": TAGS})
    if kind == "parquet":
        table.to_parquet(path)
    elif kind == "jsonl":
        jsonl(path, table.to_dict("records"))
    elif kind == "json in csv":
        table.map(json.dumps).to_csv(path, index=False)
    else:
        table.map(" ".join).to_csv(path, index=False, sep="\t")
    return path


@pytest.mark.parametrize(
    ("name", "kind"), [("a.parquet", "parquet"), ("a.jsonl", "jsonl"), ("a.csv", "json in csv"), ("a.tsv", "words")]
)
def test_lists_are_read_from_every_table(tmp_path, name, kind):
    got = read_sentences(lists(tmp_path / name, kind), tags="tags")
    assert (got.tokens, got.tags, got.rows, len(got)) == (WORDS, TAGS, [1, 2], 2)
    assert (got.distant, got.offsets, got.repaired, got.empty) == ([None, None], None, 0, 0)
    assert got.file == str(tmp_path / name)


@pytest.mark.parametrize("ending", ["conll", "txt", "bio", "iob"])
@pytest.mark.parametrize("separator", [" ", "\t", "   "])
def test_conll_has_the_word_first_and_the_tag_last(tmp_path, ending, separator):
    path = tmp_path / f"a.{ending}"
    path.write_text(CONLL.replace(" ", separator))
    got = read_sentences(path)
    assert (got.tokens, got.tags, got.rows) == (WORDS, TAGS, [3, 9])
    assert read_sentences(path, "tokens", "tags") == got
    assert read_sentences(path, tags="1").tags[1] == ["B-NNP", "I-NNP", "B-VBD"]


def test_conll_takes_windows_line_ends_and_a_byte_order_mark(tmp_path):
    (tmp_path / "a.conll").write_bytes(CONLL.replace("\n", "\r\n").encode("utf-8-sig"))
    assert read_sentences(tmp_path / "a.conll").tags == TAGS


def test_conll_columns_go_by_number_when_rules_are_asked_for(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("1 EU B-ORG -1\n2 in O O\n3 Rome B-LOC I-LOC\n\n1 Li B-PER B-PER\n")
    got = read_sentences(path, tokens="1", tags="2", distant="3")
    assert got.tokens == [["EU", "in", "Rome"], ["Li"]]
    assert got.tags == [["B-ORG", "O", "B-LOC"], ["B-PER"]]
    assert got.distant == [[None, "O", "B-LOC"], ["B-PER"]]
    assert got.repaired == 1
    assert read_sentences(path, tokens="1", distant="3").tags == [None, None]
    with pytest.raises(DataError, match=r"a\.conll: no column 'votes'; it has '0', '1', '2', '3'"):
        read_sentences(path, distant="votes")


def test_conll_of_words_alone_is_unlabelled(tmp_path):
    (tmp_path / "a.txt").write_text("EU\nrejects\n\nlamb\n")
    got = read_sentences(tmp_path / "a.txt", tags="tags")
    assert (got.tokens, got.tags, got.rows) == ([["EU", "rejects"], ["lamb"]], [None, None], [1, 4])


def test_a_word_of_a_conll_file_may_hold_a_space_that_does_not_break(tmp_path):
    (tmp_path / "a.conll").write_text("10\u00a0000 B-NUM\neuros O\n", encoding="utf-8")
    assert read_sentences(tmp_path / "a.conll").tokens == [["10\u00a0000", "euros"]]


def test_what_is_written_as_conll_is_read(tmp_path):
    write_conll(tmp_path / "a.conll", [*WORDS, ["New York", '"']], [*TAGS, None])
    got = read_sentences(tmp_path / "a.conll")
    assert (got.tokens, got.tags) == ([*WORDS, ["New York", '"']], [*TAGS, None])
    with pytest.raises(DataError, match=r"a word may hold no tab and no line's end, got 'a\\tb\\tO'"):
        write_conll(tmp_path / "a.conll", [["a\tb"]], [["O"]])
    with pytest.raises(DataError, match=r"file name must end in one of \.conll, \.txt"):
        write_conll(tmp_path / "a.csv", WORDS, TAGS)


def test_numbers_are_types_and_minus_one_is_a_word_without_a_vote(tmp_path):
    table = pd.DataFrame({"tokens": [["a", "b", "c", "d", "e"]], "tags": [[7, 7, 0, 1, 0]]})
    table["majority"] = [[-1, 7, -1, 7, -1]]
    table["tags"] = [np.array(t, dtype=np.int8) for t in table.tags]
    table.to_parquet(tmp_path / "a.parquet")
    got = read_sentences(tmp_path / "a.parquet", tags="tags", distant="majority")
    assert got.tags == [["B-7", "I-7", "O", "B-1", "O"]]
    assert got.distant == [[None, "B-7", None, "B-7", None]]
    assert got.repaired == 0


def test_a_null_in_a_list_of_rules_is_a_word_without_a_vote(tmp_path):
    path = jsonl(
        tmp_path / "a.jsonl", [{"tokens": ["a", "b"], "votes": [None, "PER"]}, {"tokens": ["c"], "votes": [-1]}]
    )
    assert read_sentences(path, distant="votes").distant == [[None, "B-PER"], [None]]


def test_a_sentence_on_which_rules_say_nothing_is_not_one_they_did_not_see(tmp_path):
    rows = [{"tokens": ["a", "b"], "votes": [None, None]}, {"tokens": ["c"], "votes": None}]
    assert read_sentences(jsonl(tmp_path / "a.jsonl", rows), distant="votes").distant == [[None, None], None]


def test_columns_that_need_not_be_there_are_left_out(tmp_path):
    path = jsonl(tmp_path / "a.jsonl", [{"tokens": ["a"], "tags": ["B-X"]}])
    got = read_sentences(path, tags="tags", distant="votes", needed=["tags"])
    assert (got.tags, got.distant) == ([["B-X"]], [None])


def test_nulls_and_empty_cells_are_unlabelled(tmp_path):
    rows = [{"tokens": ["a"], "tags": ["B-X"]}, {"tokens": ["b"], "tags": None}, {"tokens": ["c"], "tags": []}]
    rows += [{"tokens": ["d"]}, {"tokens": ["e"], "tags": [None]}]
    got = read_sentences(jsonl(tmp_path / "a.jsonl", rows), tags="tags")
    assert got.tags == [["B-X"], None, None, None, None]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    assert read_sentences(tmp_path / "a.parquet", tags="tags").tags == got.tags
    (tmp_path / "a.csv").write_text("tokens,tags\na b,O O\nc d,\n")
    assert read_sentences(tmp_path / "a.csv", tags="tags").tags == [["O", "O"], None]
    (tmp_path / "a.conll").write_text("a\tB-X\n\nb\t\nc\t\n")
    assert read_sentences(tmp_path / "a.conll").tags == [["B-X"], None]


def test_sentences_without_a_word_are_left_out_and_counted(tmp_path):
    rows = [{"tokens": []}, {"tokens": ["a"], "tags": ["O"]}, {"tokens": None}, {"tokens": ["b"]}]
    got = read_sentences(jsonl(tmp_path / "a.jsonl", rows), tags="tags")
    assert (got.tokens, got.tags, got.rows, got.empty) == ([["a"], ["b"]], [["O"], None], [2, 4], 2)
    rows = [{"tokens": " "}, {"tokens": "a b", "tags": []}, {"tokens": "", "tags": []}]
    got = read_sentences(jsonl(tmp_path / "b.jsonl", rows), tags="tags")
    assert (got.tokens, got.rows, got.empty) == ([["a", "b"]], [2], 2)


def test_the_scheme_is_that_of_the_whole_column(tmp_path):
    rows = [{"tokens": ["a", "b"], "tags": ["I-X", "I-X"]}, {"tokens": ["c"], "tags": ["S-X"]}]
    got = read_sentences(jsonl(tmp_path / "a.jsonl", rows), tags="tags")
    assert (got.tags, got.repaired) == ([["B-X", "I-X"], ["B-X"]], 1)
    rows = [{"tokens": ["a", "b"], "tags": ["B-X", "E-X"], "rules": ["X", "X"]}]
    got = read_sentences(jsonl(tmp_path / "b.jsonl", rows), tags="tags", distant="rules")
    assert (got.tags, got.distant, got.repaired) == ([["B-X", "I-X"]], [["B-X", "I-X"]], 0)


@pytest.mark.parametrize("named", ["list", "label", "type"])
def test_spans_of_texts_become_tags_and_give_the_spans_back(tmp_path, named):
    text = "Dr. Müller flew\tto New  York."
    spans = [[4, 10, "PER"], [19, 28, "LOC"]]
    written = spans if named == "list" else [{"start": a, "end": b, named: kind} for a, b, kind in spans]
    rows = [{"text": text, "ents": written}, {"text": "no one.", "ents": []}, {"text": "who knows?", "ents": None}]
    rows += [{"text": "who else?", "ents": " "}]
    got = read_sentences(jsonl(tmp_path / "a.jsonl", rows), tokens="text", tags="ents")
    assert got.tokens[0] == ["Dr", ".", "Müller", "flew", "to", "New", "York", "."]
    assert got.tags == [["O", "O", "B-PER", "O", "O", "B-LOC", "I-LOC", "O"], ["O"] * 3, None, None]
    assert [text[a:b] for a, b in got.offsets[0]] == got.tokens[0]
    assert got.repaired == 0
    back = span_rows(got.tokens[:1], got.tags[:1], got.offsets[:1])[0]
    assert [[row["start"], row["end"], row["type"]] for row in back] == spans
    assert [row["text"] for row in back] == ["Müller", "New  York"]


def test_spans_are_read_from_parquet(tmp_path):
    rows = [{"text": "to Rome", "ents": [{"start": 3, "end": 7, "label": "LOC"}]}, {"text": "to", "ents": []}]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    got = read_sentences(tmp_path / "a.parquet", "text", "ents")
    assert got.tags == [["O", "B-LOC"], ["O"]]


def test_a_span_within_a_word_takes_the_word_and_is_counted(tmp_path):
    rows = [{"text": "to Rome now", "tags": [[4, 8, "LOC"]], "rules": [[0, 1, "X"]]}]
    got = read_sentences(jsonl(tmp_path / "a.jsonl", rows), "text", "tags", "rules")
    assert (got.tags, got.distant, got.repaired) == ([["O", "B-LOC", "O"]], [["B-X", "O", "O"]], 2)


def test_a_mask_selects_sentences_and_keeps_the_counts(tmp_path):
    rows = [{"text": text, "tags": [[0, 1, "X"]]} for text in ("ab", "c d", "e f g")]
    got = read_sentences(jsonl(tmp_path / "a.jsonl", rows), "text", "tags")
    part = got.where(np.array([False, True, True]))
    assert (part.tokens, part.rows) == ([["c", "d"], ["e", "f", "g"]], [2, 3])
    assert (part.offsets, part.tags) == (got.offsets[1:], got.tags[1:])
    assert (part.distant, part.repaired, part.file, len(part)) == ([None, None], 1, got.file, 2)
    lines = read_sentences(lists(tmp_path / "b.jsonl", "jsonl"), tags="tags")
    assert lines.where(np.array([False, True])).offsets is None


GOOD = {"tokens": ["a", "b"], "tags": ["O", "B-X"]}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": ["a", "b", "c"], "tags": ["O", "O"]}, "column 'tags': 2 tags for 3 words"),
        ({"tokens": [], "tags": ["O"]}, "column 'tags': 1 tags for 0 words"),
        ({"tokens": ["a"], "tags": ["X-PER"]}, "column 'tags': tag 1 must be O, B-TYPE or I-TYPE, got 'X-PER'"),
        ({"tokens": ["a", "b"], "tags": ["B-X", "X"]}, "column 'tags': tag 2 must be .* got 'X'"),
        ({"tokens": ["a", "b"], "tags": ["O", -1]}, r"column 'tags': word 2, 'b', has no tag \(-1\) in a tagged"),
        ({"tokens": ["a", "b"], "tags": ["O", None]}, r"column 'tags': word 2, 'b', has no tag \(empty\) in a tagged"),
        ({"tokens": ["a", "b"], "tags": ["O", ["B-X"]]}, "column 'tags': a tag must be text or a number, got"),
        ({"tokens": ["a"], "tags": [[0, 1, "X"]]}, "column 'tags': a tag must be text or a number, got"),
        ({"tokens": ["a"], "tags": {"0": "O"}}, "column 'tags': not a list but an object"),
        ({"tokens": ["a"], "tags": 3}, "column 'tags': not a list but a number"),
        ({"tokens": ["a", True], "tags": ["O", "O"]}, "column 'tokens': word 2 must be text and not blank, got True"),
        ({"tokens": ["a", " "], "tags": ["O", "O"]}, "column 'tokens': word 2 must be text and not blank, got ' '"),
        ({"tokens": ["a", None], "tags": ["O", "O"]}, "column 'tokens': word 2 must be text and not blank, got None"),
        ({"tokens": "a b", "tags": ["O", "O"]}, "column 'tokens': not a list but text"),
    ],
)
def test_bad_lists_are_refused_with_their_place(tmp_path, row, message):
    with pytest.raises(DataError, match=rf"a\.jsonl, row 2, {message}"):
        read_sentences(jsonl(tmp_path / "a.jsonl", [GOOD, row]), tags="tags")


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[0, 99, "X"]], r"span \(0, 99, 'X'\) must have 0 <= start < end <= 7, the length of the text"),
        ([[4, 4, "X"]], r"span \(4, 4, 'X'\) must have 0 <= start < end"),
        ([[0, 5, "X"], [3, 7, "Y"]], r"spans \(0, 5, 'X'\) and \(3, 7, 'Y'\) overlap"),
        ([[0, 2]], r"a span must be \[start, end, type\] .* got \[0, 2\]"),
        ([["0", "2", "X"]], r"a span must be .* got \['0', '2', 'X'\]"),
        ([{"start": 0, "end": 2}], r"a span must be .* got \[0, 2, None\]"),
        (["O", "B-X"], "a span must be .* got 'O'"),
        ({"start": 0}, "not a list but an object"),
    ],
)
def test_bad_spans_are_refused_with_their_place(tmp_path, spans, message):
    rows = [{"text": "all good", "tags": []}, {"text": "to Rome", "tags": spans}]
    with pytest.raises(DataError, match=rf"a\.jsonl, row 2, column 'tags': {message}"):
        read_sentences(jsonl(tmp_path / "a.jsonl", rows), "text", "tags")


def test_a_column_of_texts_holds_only_texts(tmp_path):
    rows = [{"text": "to Rome"}, {"text": ["to", "Rome"]}]
    with pytest.raises(DataError, match=r"a\.jsonl, row 2, column 'text': not text but a list"):
        read_sentences(jsonl(tmp_path / "a.jsonl", rows), "text")


@pytest.mark.parametrize(
    ("cell", "words"),
    [("see [ 3 ]", ["see", "[", "3", "]"]), ("[ citation needed ]", ["[", "citation", "needed", "]"]), ("[x] y", None)],
)
def test_brackets_between_spaces_are_words(tmp_path, cell, words):
    (tmp_path / "a.csv").write_text(f"tokens\n{cell}\n")
    assert read_sentences(tmp_path / "a.csv").tokens == [words or cell.split()]


@pytest.mark.parametrize("cell", ["[B-X, O, O]", "['O', 'O' 'O']", "['O' 'O' ... 'O']", "[O O O]"])
def test_lists_that_are_not_json_are_refused(tmp_path, cell):
    (tmp_path / "a.tsv").write_text(f"tokens\ttags\na b\tO O\nc d e\t{cell}\n")
    with pytest.raises(DataError, match=r"a\.tsv, row 2, column 'tags': not a JSON list: ['\"]\["):
        read_sentences(tmp_path / "a.tsv", tags="tags")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conll", b"", "a.conll: the file has no sentences"),
        ("a.conll", b"\n-DOCSTART-\n\n", "a.conll: the file has no sentences"),
        ("a.conll", b"a O\n\nb O\nc\n", r"a.conll, row 3, column '1': word 2, 'c', has no tag \(empty\) in a tagged"),
        ("a.conll", b"a O\nb O b O\nc O\nd O e\n", "row 2: 4 columns where row 1 has 2; so have 1 more rows; a CoNLL"),
        ("a.conll", b"one\ntwo words\nthree words here\n", "row 2: 2 columns where row 1 has 1; so have 1 more"),
        ("a.conll", b"a\tO\nb\tX O\nNew York\tO\tO\n", "a.conll, row 3: 3 columns where row 1 has 2"),
        ("a.conll", b"a O\n\nb B-X\nc X-X\n", r"a.conll, row 3, column '1': tag 2 must be .* got 'X-X'"),
        ("a.conll", b"a\tB-X\n\nb\tO\nc\t\n", r"a.conll, row 3, column '1': word 2, 'c', has no tag \(empty\)"),
        ("a.conll", "café O\ndéjà O\n".encode("cp1252"), "a.conll: byte 0xe9 is not utf-8"),
        ("a.jsonl", b'{"tokens": []}\n', "a.jsonl: the file has no sentences"),
        ("a.jsonl", b'{"tokens": ["a"]}\n{"tokens": \n', "a.jsonl: row 2 is not JSON"),
        ("a.jsonl", b'{"words": ["a"]}\n', "a.jsonl: no column 'tokens'; it has 'words'"),
        ("a.foo", b"<a>", r"a.foo: file name must end in one of \.conll, .*\.csv"),
    ],
)
def test_unreadable_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_sentences(tmp_path / name)


def test_no_such_file_charset_or_column(tmp_path):
    for name in ("gone.conll", "gone.parquet", "gone.xml"):
        with pytest.raises(DataError, match=f"{name}: no such file"):
            read_sentences(tmp_path / name)
    (tmp_path / "a.conll").write_text("a O\n")
    with pytest.raises(DataError, match="charset 'utf-9' is not known"):
        read_sentences(tmp_path / "a.conll", how=ReadAs(charset="utf-9"))
    with pytest.raises(DataError, match="no column '4'; it has '0', '1'"):
        read_sentences(tmp_path / "a.conll", tags="4")
    with pytest.raises(DataError, match="no column 'gold'; it has 'tokens', 'tags'"):
        read_sentences(lists(tmp_path / "a.jsonl", "jsonl"), tags="gold")


def test_a_charset_reads_conll(tmp_path):
    (tmp_path / "a.conll").write_bytes("café B-X\n".encode("cp1252"))
    assert read_sentences(tmp_path / "a.conll", how=ReadAs(charset="cp1252")).tokens == [["café"]]
