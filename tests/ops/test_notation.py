"""Tags in other tools' notations are read as the entities that were meant, or it is asked."""

from __future__ import annotations

import pytest

from tutelage.ops.notation import PLAIN, notation_of, unstarred
from tutelage.ops.tags import scheme, to_bio

MEANT = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-LOC", "B-LOC", "I-LOC"]]


def read(corpus, tags_are=None):
    """Clean BIO of a corpus, and its notation."""
    notation = notation_of(corpus, tags_are)
    tags = [notation.of(sentence) for sentence in corpus]
    return [to_bio(sentence, scheme(tags))[0] for sentence in tags], notation


@pytest.mark.parametrize(
    "write",
    [
        lambda letter, kind: f"{kind}-{letter}", lambda letter, kind: f"{kind}_{letter}",
        lambda letter, kind: f"{letter}_{kind}", lambda letter, kind: f"{letter}/{kind}",
        lambda letter, kind: f"{letter}:{kind}", lambda letter, kind: f"{letter} {kind}",
        lambda letter, kind: f"{letter.lower()}-{kind}", lambda letter, kind: f"{letter}-[{kind}]",
        lambda letter, kind: f"[{letter}-{kind}]", lambda letter, kind: f"<{letter}_{kind}>",
        lambda letter, kind: f"{letter}\u2013{kind}", lambda letter, kind: f"{letter}({kind})",
    ],
)  # fmt: skip
def test_letters_and_types_are_told_apart(write):
    corpus = [[tag if tag == "O" else write(tag[0], tag[2:]) for tag in tags] for tags in MEANT]
    found, notation = read(corpus)
    assert found == MEANT
    assert " as B-LOC" in notation.says


@pytest.mark.parametrize("outside", ["o", "0"])
def test_a_small_o_and_a_zero_are_outside_where_tags_have_letters(outside):
    found, notation = read([[outside if tag == "O" else tag for tag in tags] for tags in MEANT])
    assert (found, notation.says) == (MEANT, f"{outside!r} as O")


def test_a_few_tags_that_are_written_otherwise_are_read_as_the_others():
    found, notation = read([["B-PER", "i-PER", "O", "B_LOC"], *MEANT[1:]])
    assert (found, notation.says) == (MEANT, "'B_LOC' as B-LOC, 'i-PER' as I-PER")


@pytest.mark.parametrize(
    ("corpus", "found"),
    [
        ([["B", "I", "O", "B"]], ["B-ENTITY", "I-ENTITY", "O", "B-ENTITY"]),
        ([["b", "i", "o", "b"]], ["B-ENTITY", "I-ENTITY", "O", "B-ENTITY"]),
        ([["B-", "I-", "O", "B-"]], ["B-ENTITY", "I-ENTITY", "O", "B-ENTITY"]),
        ([["I", "I", "O", "I"]], ["B-ENTITY", "I-ENTITY", "O", "B-ENTITY"]),
        ([["B", "L", "O", "U"]], ["B-ENTITY", "I-ENTITY", "O", "B-ENTITY"]),
        ([["B", "O", "O", "B"]], ["B-ENTITY", "O", "O", "B-ENTITY"]),
        ([["S", "O", "O", "S"]], ["B-ENTITY", "O", "O", "B-ENTITY"]),
        ([["True", "True", "False", "True"]], ["B-ENTITY", "I-ENTITY", "O", "B-ENTITY"]),
        ([["(PER*", "*)", "*", "(LOC)"]], ["B-PER", "I-PER", "O", "B-LOC"]),
        ([["(PER*)", "(LOC*", "*", "*)"]], ["B-PER", "B-LOC", "I-LOC", "I-LOC"]),
    ],
)
def test_letters_truths_and_stars_make_entities(corpus, found):
    got, notation = read(corpus)
    assert (got[0], notation.doubt, notation.fault) == (found, "", "")
    assert notation.says


@pytest.mark.parametrize(
    "corpus",
    [
        [["O", "Price", "geo-loc"]], [["0", "3"]], [["E-mail", "O"]], [["NN", "VB"]], [["B-PER", "PER"]], [["I-PER"]],
        [["T_cell", "B_cell", "O"]], [["S", "M", "O"]], [["B-", "B-X"]], [["type-A", "type-C"]], [["M_size", "E_mail"]],
    ],
)  # fmt: skip
def test_other_tags_stay_as_they_are(corpus):
    assert notation_of(corpus) is PLAIN or notation_of(corpus).of(corpus[0]) == corpus[0]
    assert not notation_of(corpus).says


@pytest.mark.parametrize(
    ("corpus", "doubt"),
    [
        ([["B_cell", "O"]], "'B_cell' may be the type 'B_cell', or B- of a type 'cell'"),
        ([["vitamin-B", "O", "vitamin-E"]], "'vitamin-B' may be the type 'vitamin-B', or B- of a type 'vitamin'"),
        ([["S_cell", "O", "E_cell"]], "'S_cell' may be the type 'S_cell', or S- of a type 'cell'"),
        ([["B_cell", "O", "I_beam"]], "'B_cell' may be the type 'B_cell', or B- of a type 'cell'"),
        ([["B", "B", "O"]], "'B' may be a type, or the beginnings and insides of one type"),
        ([["O", "I", "O", "B"] * 3], "'B', 'I' may be types, or the beginnings and insides of one type"),
        ([[f"w{i}" for i in range(30)]], "30 words have 30 different tags, such as 'w0'; these may be no tags at all"),
    ],
)
def test_what_may_mean_two_things_is_a_doubt_and_can_be_settled(corpus, doubt):
    found = notation_of(corpus)
    assert (found.doubt, found.says) == (doubt, "")
    assert found.first in corpus[0]
    for settled in ("types", "bio"):
        assert notation_of(corpus, settled).doubt == ("" if settled == "types" or "no tags" not in doubt else doubt)
    types = read(corpus, "types")[0]
    assert [tag[2:] for tag in types[0]] == [tag if tag != "O" else "" for tag in corpus[0]]
    if "w0" not in corpus[0]:
        assert {tag[2:] for tag in read(corpus, "bio")[0][0]} - {""} <= {"cell", "beam", "vitamin", "ENTITY"}


def test_the_letters_of_a_whole_corpus_count():
    """Ten in a hundred entities may begin wrongly; more, and the letters are no letters."""
    good, bad = ["B_x", "I_x", "O"], ["I_x", "O", "O"]
    assert not notation_of([good] * 20 + [bad]).doubt
    assert notation_of([good] * 2 + [bad] * 2).doubt


@pytest.mark.parametrize("tag", ["B-PER|B-LOC", "B-PER,I-LOC", "B-PER; O", "B-PER I-LOC"])
def test_several_tags_of_a_word_are_refused(tag):
    found = notation_of([["O", tag], ["B-PER", tag]])
    assert found.fault == f"2 words have several tags at once, such as {tag!r}; a word has one tag, so keep one of them"
    bare = tag.replace("B-", "").replace("I-", "")
    assert notation_of([["O", "PER"], ["LOC", bare]]).fault.startswith("1 words have several tags at once")
    assert not notation_of([["O", "X|Y"], ["Y", "O"]]).fault


@pytest.mark.parametrize("tags", [["(A*", "(B)", "*)"], ["*)"], ["(A*", "*"]])
def test_brackets_that_do_not_close_are_refused(tags):
    with pytest.raises(ValueError, match=r"brackets within brackets|where none is open|never closed"):
        unstarred(tags)
