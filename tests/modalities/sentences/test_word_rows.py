"""Tables with a word a row are gathered to sentences, or it is asked which rows are one."""

from __future__ import annotations

import pandas as pd
import pytest

WORDS = [["Otto", "met", "Ada"], ["Ulm", "grew"]]
TAGS = [["B-PER", "O", "B-PER"], ["B-LOC", "O"]]


def table(ids, name="sentence_id"):
    flat = [(i, w, t) for i, ws, ts in zip(ids, WORDS, TAGS, strict=True) for w, t in zip(ws, ts, strict=True)]
    return pd.DataFrame(flat, columns=[name, "word", "tag"])


def read(heard, name, content, **options):
    return heard(name, content, tokens="word", tags="tag", **options)


@pytest.mark.parametrize("name", ["sentence_id", "Sentence #", "sent_id", "Sentence", "sentence_idx"])
def test_a_column_of_numbers_tells_the_sentences(heard, name):
    for ids in ([1, 2], ["s1", "s2"]):
        got = read(heard, "a.csv", table(ids, name).to_csv(index=False))
        assert (got.found.tokens, got.tags, got.found.rows) == (WORDS, TAGS, [1, 4])
        assert f"5 rows of a word each are gathered to 2 sentences by column {name!r}." in got.said
        assert not got.asked and not got.found.as_written
    assert read(heard, "a.parquet", table([1, 2], name)).tags == TAGS
    assert read(heard, "a.jsonl", table([1, 2], name).to_dict("records")).tags == TAGS


def test_a_number_in_the_first_row_of_each_sentence_holds_for_the_others(heard):
    first = table(["Sentence: 1", "Sentence: 2"], "Sentence #")
    first.loc[[1, 2, 4], "Sentence #"] = ""
    assert read(heard, "a.csv", first.to_csv(index=False)).tags == TAGS
    assert read(heard, "a.parquet", first.replace("", None)).tags == TAGS


def test_blank_rows_and_blank_lines_tell_the_sentences(heard):
    lines = "word,tag\nOtto,B-PER\nmet,O\nAda,B-PER\n{}\nUlm,B-LOC\ngrew,O\n"
    for between, told in ((",", "blank rows"), ("", "blank lines"), ("-DOCSTART-,O\n,", "blank rows")):
        got = read(heard, "a.csv", lines.format(between))
        assert (got.found.tokens, got.tags) == (WORDS, TAGS)
        assert f"gathered to 2 sentences by {told}" in got.said


@pytest.mark.parametrize("named", [None, "Sentence #"])
def test_words_with_a_blank_are_words_where_a_column_numbers_the_sentences(heard, named):
    """Else each row would be a sentence of its own, without a word."""
    words = ["Ada", "New York", "left", "Bob", "sat"]
    rows = [{"Sentence #": i, "word": w, "tag": "O"} for i, w in zip([1, None, None, 2, None], words, strict=True)]
    got = read(heard, "a.jsonl", rows, sentence_id=named)
    assert [list(each) for each in got.found.tokens] == [["Ada", "New York", "left"], ["Bob", "sat"]]
    assert "5 rows of a word each are gathered to 2 sentences by column 'Sentence #'" in got.said


def test_where_nothing_tells_the_sentences_it_is_asked(heard):
    plain = table([7, 8], "doc")
    got = read(heard, "a.csv", plain.to_csv(index=False))
    assert got.halts
    assert "each row of column 'word' holds one word, and nothing tells which rows are a sentence" in got.asked
    assert "--sentence-id doc (the column that numbers the sentences); or --sentence-id row" in got.asked
    assert read(heard, "a.csv", plain.to_csv(index=False), sentence_id="doc").tags == TAGS
    rows = read(heard, "a.csv", plain.to_csv(index=False), sentence_id="row")
    assert (len(rows.found), rows.asked) == (5, "")
    with pytest.raises(ValueError, match="no column 'id'; it has 'doc', 'word', 'tag'"):
        read(heard, "a.csv", plain.to_csv(index=False), sentence_id="id")


def test_numbers_may_begin_anew_and_scattered_rows_are_refused(heard):
    again = pd.concat([table([1, 2]), table([1, 2])])
    assert read(heard, "a.csv", again.to_csv(index=False)).tags == TAGS * 2
    mixed = pd.concat([table([2 * i, 2 * i + 1]).iloc[[j]] for j in range(5) for i in range(8)])
    assert read(heard, "a.csv", mixed.to_csv(index=False)).halts
    got = read(heard, "a.csv", mixed.to_csv(index=False), sentence_id="sentence_id")
    assert "rows of one sentence lie apart; sort the table by sentence" in got.notes.faults[0]


def test_words_may_be_numbers_and_an_empty_one_is_refused(heard):
    got = read(heard, "a.parquet", pd.DataFrame({"sid": [1, 1], "word": [2018, 7], "tag": ["B-X", "O"]}))
    assert (got.found.tokens, got.tags) == ([["2018", "7"]], [["B-X", "O"]])
    bad = read(heard, "a.csv", "sid,word,tag\n1,a,O\n1,,B-X\n")
    none = read(heard, "b.csv", "sid,word,tag\n1,-DOCSTART-,O\n1,-DOCSTART-,O\n")
    assert "the file has no sentences" in none.notes.faults[0]
    assert "row 1, column 'word': word 2 must be text and not blank, got None" in bad.notes.faults[0]


def test_sentences_and_texts_of_one_word_are_no_words_a_row(heard):
    assert heard("a.jsonl", [{"tokens": ["soup"], "tags": ["B-X"]}] * 2).tags == [["B-X"]] * 2
    assert heard("b.jsonl", [{"tokens": "soup", "tags": [[0, 4, "X"]]}, {"tokens": "a", "tags": []}]).tags[0] == ["B-X"]
    assert heard("c.csv", 'tokens,tags\n"[""a""]","[""O""]"\n"[""b""]","[""B-X""]"\n').tags == [["O"], ["B-X"]]
    assert not heard("d.csv", "tokens\nsoup\nbread\n", tags=None).asked


def test_a_conll_file_by_another_name_is_told(heard):
    with pytest.raises(ValueError, match=r"its first row is 'Otto', 'B-PER', so it seems to have no names of columns"):
        read(heard, "a.tsv", "Otto\tB-PER\nmet\tO\n")


def test_words_of_a_pool_that_nothing_parts_are_asked_about_without_a_halt(heard):
    rows = [{"tokens": word, "number": i // 2} for i, word in enumerate(["to", "it's", "no", "yes"])]
    got = heard("a.jsonl", rows, tags=None)
    assert not got.halts
    assert (
        "each row of column 'tokens' holds one word, and nothing tells which rows are a sentence, so each is"
        in got.asked
    )
    assert "--sentence-id number" in got.asked
