"""Words without a tag, columns that are swapped, and sentences without bounds are told by name."""

from __future__ import annotations

import pytest

from tutelage.kinds import KINDS
from tutelage.kinds.entries import POOL
from tutelage.modalities.sentences.open_words import one_sentence
from tutelage.tables import DataError, Notes

TAGGED = [("Ada", "B-PER"), ("left", "O"), ("Rome", "B-LOC"), (".", "O")]


def conll(rows, sentences=3):
    return "\n".join("".join(f"{a} {b}\n" for a, b in rows) for _ in range(sentences))


def test_columns_that_are_swapped_are_asked_about_by_name(heard):
    with pytest.raises(DataError) as refused:
        heard("a.conll", conll([(tag, word) for word, tag in TAGGED]), tokens="0", tags="1")
    assert "all 12 words are tags, such as 'B-PER'" in str(refused.value)
    assert "To settle it: --tokens 1 --tags 0." in str(refused.value)
    assert heard("a.conll", conll([(tag, word) for word, tag in TAGGED]), tokens="1", tags="0").tags[0] == [
        tag for _, tag in TAGGED
    ]


def test_tags_in_place_of_words_are_refused_where_no_tags_are_read(tmp_path):
    (tmp_path / "pool.conll").write_text("B-PER\nO\n\nB-LOC\nO\n")
    kind = KINDS["sentences"](tokens="0", tags="1")
    with pytest.raises(DataError, match=r"all 4 words are tags.*another column holds the words.*--tokens COLUMN"):
        kind.entries(tmp_path / "pool.conll", notes=Notes(), sought=POOL)


def test_words_that_look_like_tags_beside_tags_are_words(heard):
    assert heard("a.conll", conll([("B-52", "B-AIR"), ("O", "O")]), tokens="0", tags="1").tags[0] == ["B-AIR", "O"]


def test_sentences_without_any_tag_are_said_where_open_words_are_outside(heard):
    rows = [{"tokens": ["Ada", "left"], "tags": tags} for tags in (["B-PER", ""], ["", ""], ["B-PER", "O"])]
    got = heard("a.jsonl", rows, open_words="outside")
    assert got.tags == [["B-PER", "O"], None, ["B-PER", "O"]]
    assert "1 sentences, the first in row 2, have no tag at all, and stay untagged" in got.said


def test_one_long_sentence_is_told_from_a_short_one():
    assert "put a blank line" in one_sentence(["a"] * 300)
    assert "tag one more" in one_sentence(["a"] * 5)


def test_spans_that_are_too_wide_are_not_taken_for_bytes(heard):
    texts = ["Zoë met Łucja here", "Łucja met Zoë here", "so Zoë met Łucja"] * 3
    rows = [{"id": i, "text": text, "label": []} for i, text in enumerate(texts)]
    for row in rows:
        for name in ("Zoë", "Łucja"):
            start = row["text"].index(name)
            row["label"].append([max(start - 1, 0), min(start + len(name) + 1, len(row["text"])), "PER"])
    got = heard("a.jsonl", rows, tokens="text", tags="label")
    assert not got.asked and "18 spans begin or end with a blank" in got.said


def test_empty_lists_of_spans_are_said(heard):
    rows = [
        {"text": "Ada left", "label": [[0, 3, "PER"]]},
        {"text": "it rains", "label": []},
        {"text": "b", "label": None},
    ]
    got = heard("a.jsonl", rows * 5, tokens="text", tags="label")
    assert got.tags[:3] == [["B-PER", "O"], ["O", "O"], None]
    assert "5 rows have an empty list, a text without an entity (first: row 2)" in got.said
    assert "empty list" not in heard("a.jsonl", rows[:2] * 2, tokens="text", tags="label").said
