"""Tags in lists are read by other tools' habits: numbers, -100, other words for outside; or it is asked."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tutelage.modalities.sentences.facts import tag_facts
from tutelage.modalities.sentences.tables import TagsAs, tags_of_values
from tutelage.tables import DataError, Notes

WORDS = ["Otto", "Rossi", "met", "Ada", "in", "New", "York"]
TAGS = ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "I-LOC"]
NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
NUMBERS = [NAMES.index(tag) for tag in TAGS]


def rows(tags, count=4, words=WORDS):
    return [{"tokens": words, "tags": tags}] * count


def test_numbers_have_the_names_of_the_file_s_own_metadata(heard, tmp_path):
    """The control: the same file with the names in place of the numbers."""
    table = pa.table({"tokens": [WORDS] * 2, "tags": [NUMBERS] * 2})
    feature = {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "List"}
    kept = json.dumps({"info": {"features": {"tags": feature}}})
    pq.write_table(table.replace_schema_metadata({"huggingface": kept}), tmp_path / "numbers.parquet")
    got = heard("numbers.parquet", (tmp_path / "numbers.parquet").read_bytes())
    control = heard("names.parquet", pd.DataFrame(rows(TAGS, 2)))
    assert got.tags == control.tags == [TAGS] * 2
    assert "the names that the file itself gives: 0 O, 1 B-PER, 2 I-PER, 3 B-LOC, 4 I-LOC" in got.said
    assert not control.said and not got.asked


def test_numbers_that_may_be_b_and_i_halt_until_it_is_said(heard):
    asked = heard("a.jsonl", rows(NUMBERS))
    assert asked.halts
    assert "0 (8), 1 (8), 2 (4), 3 (4), 4 (4); 2 begins directly behind 1 in 4 of 4 places" in asked.asked
    assert "--classes O,B-PER,I-PER,..." in asked.asked and "--tags-are types" in asked.asked
    assert heard("a.jsonl", rows(NUMBERS), classes=",".join(NAMES)).tags == [TAGS] * 4
    types = heard("a.jsonl", rows(NUMBERS), tags_are="types")
    assert types.tags[0] == ["B-1", "B-2", "O", "B-1", "O", "B-3", "B-4"]
    assert "each of 4 others is a type" in types.said


@pytest.mark.parametrize(
    ("tags", "asked"),
    [
        ([1, 1, 0, 2, 0, 3, 3], ""),  # no number behind another one
        ([1, 1, 0, 1, 0, 1, 0], ""),
        ([7, 7, 0, 0, 0, 7, 7], ""),
        ([1, 1, 4, 1, 4, 4, 4], "0 is not the most frequent"),
        ([2, 2, 1, 1, 1, 2, 1], "0 is not the most frequent"),
        ([0, 1, 2, 0, 0, 0, 2], "2 begins directly behind 1 in 4 of 8 places"),
    ],
)
def test_numbers_are_types_where_that_is_evident(heard, tags, asked):
    got = heard("a.jsonl", rows(tags))
    assert got.halts == bool(asked)
    assert asked in got.asked


def test_a_number_without_a_name_is_refused_with_its_row(heard):
    got = heard("a.jsonl", [*rows(NUMBERS, 2), *rows([9] * 7, 2)], classes=",".join(NAMES))
    (fault,) = got.notes.faults
    assert "row 3, column 'tags': tag 1 is 9, but the classes have names from 0 to 4 only" in fault
    assert "1 more cannot be read: row 4" in fault


def test_types_that_were_not_declared_are_refused(heard):
    got = heard("a.jsonl", [*rows(TAGS, 2), *rows(["O"] * 6 + ["B-ORG"], 1)], classes="PER, LOC")
    (fault,) = got.notes.faults
    assert "row 3, column 'tags': type 'ORG' is none of the classes LOC, PER" in fault
    assert not heard("a.jsonl", rows(TAGS, 2), classes="O,B-PER,I-PER,B-LOC").halts


def test_special_tokens_are_dropped_where_they_are_ignored(heard):
    """The control: the same sentences without the special tokens."""
    tags = [1, 1, 0, 1, 0, 2, 2]
    padded = {"tokens": ["[CLS]", *WORDS, "[SEP]", "[PAD]"], "tags": [-100, *tags, -100, -100]}
    untagged = {"tokens": ["[CLS]", *WORDS, "[SEP]"], "tags": None}
    got = heard("a.jsonl", [padded, padded, untagged])
    control = heard("b.jsonl", [*rows(tags, 2), {"tokens": WORDS, "tags": None}])
    assert (got.found.tokens, got.tags) == (control.found.tokens, control.tags)
    assert got.tags[0] == ["B-1", "I-1", "O", "B-1", "O", "B-2", "I-2"]
    assert "special tokens without a tag (-100) are dropped: 3 [CLS], 2 [PAD], 3 [SEP], first in row 1." in got.said
    assert not got.found.as_written and control.found.as_written


def test_a_special_token_with_a_tag_and_one_amid_an_untagged_sentence_stay(heard):
    got = heard("a.jsonl", [{"tokens": ["[CLS]", "a"], "tags": ["B-X", "O"]}, {"tokens": ["a", "<s>", "b"]}])
    assert got.found.tokens == [["[CLS]", "a"], ["a", "<s>", "b"]]
    assert not got.said


def test_special_tokens_that_are_outside_are_dropped_at_the_ends(heard):
    got = heard("a.jsonl", [{"tokens": ["[CLS]", *WORDS[:2], "[SEP]", "b", "[SEP]"], "tags": ["O", "B-X", *"OOOO"]}])
    assert got.found.tokens == [[*WORDS[:2], "[SEP]", "b"]]
    assert "special tokens outside entities (O) are dropped: 1 [CLS], 1 [SEP], first in row 1." in got.said


@pytest.mark.parametrize(("count", "halts"), [(1, False), (3, True)])
def test_tags_that_all_begin_with_b_are_asked_about(heard, count, halts):
    tags = ["B-PER", "B-PER", "O", "B-PER", "O", "B-LOC", "B-LOC"]
    got = heard("a.jsonl", rows(tags, count))
    assert got.halts == halts
    assert f"{2 * count} that begin with B- lie directly behind one of their own type" in got.asked
    one = heard("a.jsonl", rows(tags, count), tags_are="types")
    assert one.tags[0] == TAGS and not one.asked
    assert not heard("a.jsonl", rows(tags, count), tags_are="bio").asked
    assert not heard("b.jsonl", rows(TAGS, count)).asked  # the control


@pytest.mark.parametrize(
    ("pieces", "tags"),
    [
        (["Ot", "##to", "met", "Müll", "##er"], [1, -100, 0, 1, -100]),
        (["Ot", "##to", "met", "Müll", "##er"], ["B-X", "X", "O", "B-X", "X"]),
        (["Ot", "##to", "met", "Müll", "##er"], ["B-X", "I-X", "O", "B-X", "B-X"]),
        (["▁Ot", "to", "▁met", "▁Müll", "er"], [1, -100, 0, 1, -100]),
        (["Ot", "to", "Ġmet", "ĠMÃ¼ll", "er"], [1, -100, 0, 1, -100]),
        (["▁", "Ot", "to", "▁met", "▁Müll", "er"], [1, -100, -100, 0, 1, -100]),
    ],
)
def test_pieces_are_joined_to_words(heard, pieces, tags):
    got = heard("a.jsonl", [*rows(tags, 3, pieces), {"tokens": pieces, "tags": None}])
    assert got.found.tokens == [["Otto", "met", "Müller"]] * 4
    assert [tag[0] for tag in got.tags[0]] == ["B", "O", "B"]
    assert "pieces of words are joined, first in row 1: " in got.said and "as 'Otto'" in got.said


def test_words_are_not_joined_where_some_without_a_tag_are_no_pieces(heard):
    got = heard("a.jsonl", rows([1, -100, -100], 3, ["Ot", "##to", "met"]))
    assert got.halts
    assert (
        "row 1, column 'tags': word 2, '##to', has no tag (-100) in a tagged sentence; 6 such words in 3" in got.asked
    )
    assert "3 words look like pieces of words ('##to') and stay as they are" in got.said


def test_maltese_words_are_no_pieces(heard):
    words = ["Ġurnata", "sabiħa", "u", "twila"]
    assert heard("a.jsonl", rows(["O"] * 4, 4, words)).found.tokens[0] == words
    assert heard("b.jsonl", [{"tokens": words}] * 4, tags=None).found.tokens[0] == words


@pytest.mark.parametrize("open_words", ["outside", "untagged"])
@pytest.mark.parametrize("none", [-100, -1, None, "_", "-", "?", ""])
def test_words_without_a_tag_halt_until_it_is_said_what_they_are(heard, none, open_words):
    tags = ["B-PER", "I-PER", "O", none, "O", "B-LOC", "I-LOC"]
    asked = heard("a.jsonl", [*rows(TAGS, 2), *rows(tags, 2)])
    assert asked.halts
    assert "row 3, column 'tags': word 4, 'Ada', has no tag" in asked.asked
    got = heard("a.jsonl", [*rows(TAGS, 2), *rows(tags, 2)], open_words=open_words)
    assert not got.asked
    outside = [tag if i != 3 else "O" for i, tag in enumerate(TAGS)]
    assert got.tags == [TAGS, TAGS, *([outside, outside] if open_words == "outside" else [None, None])]
    assert "2 such words in 2 sentences" in got.said


def test_a_sentence_without_any_tag_is_untagged(heard):
    got = heard("a.jsonl", [*rows(TAGS, 1), *rows([-100] * 7, 1), *rows([None] * 7, 1), *rows([-1] * 7, 1)])
    assert got.tags == [TAGS, None, None, None]
    assert not got.asked


def test_tags_of_pieces_beside_words_are_those_of_the_words(heard):
    got = heard("a.jsonl", rows([-100, 1, 1, -100, 0, -100], 2, ["Otto", "Rossi", "met"]))
    assert got.tags == [["B-1", "I-1", "O"]] * 2
    assert "2 sentences have more tags than words, and as many without those that are -100" in got.said
    padded = heard("a.jsonl", rows([1, 1, 0, -100, -100], 2, ["Otto", "Rossi", "met"]))
    assert padded.tags == [["B-1", "I-1", "O"]] * 2
    wrong = heard("a.jsonl", [*rows(TAGS, 1), *rows([1, 0, 0, 0, -100], 1, ["Otto", "Rossi", "met"])])
    assert "row 2, column 'tags': 5 tags for 3 words" in wrong.notes.faults[0]


def test_what_stands_for_outside_is_said_or_asked(heard):
    said = heard("a.jsonl", rows([tag if tag != "O" else "_" for tag in TAGS]))
    assert (said.tags[0], said.asked) == (TAGS, "")
    assert "no word is O, and 8 are '_', which is read as outside" in said.said
    bare = [{"O": "other"}.get(tag, tag[2:]) for tag in TAGS]
    asked = heard("a.jsonl", rows(bare))
    assert asked.halts
    assert "8 of 28 words have the tag 'other'. To settle it: --outside other (it means outside)" in asked.asked
    assert heard("a.jsonl", rows(bare), outside="other").tags[0] == TAGS
    types = heard("a.jsonl", rows(bare), tags_are="types")
    assert types.tags[0][2] == "B-other" and not types.halts
    marked = heard("a.jsonl", rows([tag if tag != "O" else "OUT" for tag in TAGS]))
    assert marked.halts and "--outside OUT" in marked.asked


def test_parts_of_speech_are_types_and_it_is_asked_without_halting(heard):
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "it", "ran"]
    got = heard("a.jsonl", rows(["DT", "NN", "VBD", "IN", "DT", "NN", "CC", "PRP", "VBD"], 4, words))
    assert got.tags[0][:3] == ["B-DT", "B-NN", "B-VBD"]
    assert not got.halts
    assert "no word is outside of entities (O), and 8 of 36 words have the tag 'DT'" in got.asked


def test_a_type_in_several_spellings_is_one_and_can_be_kept_apart(heard):
    other = ["B-Per", "I-per", "O", "B-PER\u200b", "O", "B-LOC", "I-LOC"]
    got = heard("a.jsonl", [*rows(TAGS, 3), *rows(other, 1)])
    assert got.tags == [TAGS] * 4
    assert "'Per' (1) as 'PER' (10), 'per' (1) as 'PER' (10)" in got.said
    assert "1 tags hold signs that are not seen, which are left out: 'B-PER\\u200b'" in got.said
    apart = heard("a.jsonl", [*rows(TAGS, 3), *rows(other, 1)], spelling="as-is")
    assert apart.tags[3] == ["B-Per", "B-per", "O", "B-PER\u200b", "O", "B-LOC", "I-LOC"]


def test_the_spelling_of_distant_tags_is_that_of_the_clean_ones(heard):
    table = [
        {"tokens": ["a"], "tags": ["B-PER"], "rules": ["B-per"]},
        {"tokens": ["b"], "tags": None, "rules": ["per"]},
    ]
    assert heard("a.jsonl", table[:1] * 2, distant="rules").found.distant == [["B-PER"]] * 2


def test_what_is_mended_is_shown_and_most_of_a_file_halts(heard):
    some = heard("a.jsonl", [*rows(TAGS, 3), *rows(["B-PER", "I-LOC", "O", "O", "O", "O", "O"], 1)])
    assert not some.asked
    assert some.said.endswith("have been mended, the first in row 4: 'Rossi' I-LOC -> B-LOC.")
    wrong = ["I-PER", "I-PER", "O", "I-PER", "O", "B-LOC", "I-LOC"]
    most = heard("a.jsonl", rows(wrong))
    assert most.halts
    assert "8 of 12 entities were not well formed and had to be mended" in most.asked
    assert "the first in row 1: 'Otto' I-PER -> B-PER. To settle it: --mended take" in most.asked
    taken = heard("a.jsonl", rows(wrong), mended="take")
    assert (taken.tags[0], taken.asked) == (TAGS, "")
    assert not heard("a.jsonl", rows(wrong, 2)).asked  # fewer than five


def test_iob1_needs_no_mending(heard):
    got = heard("a.jsonl", rows(["I-PER", "B-PER", "O", "I-PER", "O", "I-LOC", "I-LOC"]))
    assert got.tags[0] == ["B-PER", "B-PER", "O", "B-PER", "O", "B-LOC", "I-LOC"]
    assert (got.said, got.asked, got.found.repaired) == ("", "", 0)


def test_a_notation_is_said_and_a_doubt_is_asked(heard):
    got = heard("a.jsonl", rows([tag if tag == "O" else f"{tag[2:]}-{tag[0]}" for tag in TAGS]))
    assert got.tags[0] == TAGS and "tags are read in BIO: 'LOC-B' as B-LOC" in got.said
    doubt = heard("a.jsonl", rows(["B_x", "O", "O", "B_y", "O", "O", "O"]))
    assert doubt.halts and "first in row 1. To settle it: --tags-are types" in doubt.asked
    assert heard("a.jsonl", rows(["B_x", "O"], 2, ["a", "b"]), tags_are="bio").tags == [["B-x", "O"]] * 2
    several = heard("a.jsonl", rows(["B-X|B-Y", "O"], 2, ["a", "b"]))
    assert "2 words have several tags at once, such as 'B-X|B-Y'" in several.notes.faults[0]


def test_bad_rows_are_named_together_and_can_be_left_out(heard):
    bad = [{"tokens": ["a", "b"], "tags": ["O"]}, {"tokens": ["a"], "tags": ["B-X", "O"]}]
    got = heard("a.jsonl", [*rows(TAGS, 1), *bad])
    assert got.notes.faults[0].endswith("row 2, column 'tags': 1 tags for 2 words; 1 more cannot be read: row 3; "
                                        "--skip-bad leaves such rows out")  # fmt: skip


def test_python_values_are_read_alike():
    notes = Notes()
    X = [["[CLS]", "Otto", "Ros", "##si", "met"]] * 2
    found = tags_of_values(
        X, [np.array([-100, 1, 2, -100, 0])] * 2, [None, None], how=TagsAs(classes=NAMES), notes=notes
    )
    assert (found.tokens, found.tags) == ([["Otto", "Rossi", "met"]] * 2, [["B-PER", "I-PER", "O"]] * 2)
    assert notes.lines[0] == "X: special tokens without a tag (-100) are dropped: 2 [CLS], first in X[0]."
    with pytest.raises(DataError, match=r"y: tags are numbers without names: .* classes='O,B-PER,I-PER,...'"):
        tags_of_values([["a", "b"]] * 2, [[1, 2], [0, 0]], [None, None])


def test_facts_count_entities_and_name_what_was_mended(heard):
    got = heard("a.jsonl", [*rows(TAGS, 3), *rows(["B-PER", "I-LOC", "O", "O", "O", "O", "O"], 1), {"tokens": ["a"]}])
    found = got.found
    facts = tag_facts(found.tokens, found.tags, found.distant, found.repaired, found.mended)
    assert facts == {
        "sentences": 5, "words": 29, "tagged": 4, "untagged": 1, "distant": 0, "entities": {"PER": 7, "LOC": 4},
        "distant_entities": {}, "mended": 1, "first_mended": "row 4: 'Rossi' I-LOC -> B-LOC",
    }  # fmt: skip


def test_a_tag_for_outside_that_no_word_has_is_said_of_columns_with_tags_alone(heard):
    got = heard("a.jsonl", rows(TAGS), outside="X")
    assert got.notes.lines == [f"{got.found.file}, column 'tags': no word has the tag 'X'."]
