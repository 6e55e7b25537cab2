"""Texts that say the same are copies; texts on the same subject are not."""

from __future__ import annotations

import pytest

from tutelage.copies.folding import folded
from tutelage.copies.frames import parts_of, unframed
from tutelage.copies.writing import Writings, same_texts

BODIES = [
    "the parcel came late and the box was torn",
    "my invoice shows a wrong amount for May",
    "please change the address of my account",
    "the app does not start since the update",
]
LONG = (
    "When we came to the lake in the evening the boats were already on the shore and an old man who sold fish told us "
    "that the storm of the night before had taken two of them, and that nobody would go out before Sunday."
)


@pytest.mark.parametrize(
    "changed",
    [
        str.upper,
        str.title,
        lambda text: text.replace(" ", "  \t"),
        lambda text: text.replace(" ", ", ") + "!!!",
        lambda text: f'"{text}."',
        lambda text: "".join(chr(ord(c) + 0xFEE0) if "a" <= c <= "z" else c for c in text),  # full width
        lambda text: f"{text}\n-- \nAnn, phone 12",
    ],
)
def test_texts_that_differ_by_form_alone_are_copies(changed):
    texts = [*BODIES, *map(changed, BODIES)]
    assert same_texts(texts).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


@pytest.mark.parametrize(
    "frame", ["{}\nKind regards\nAnn Bell", "Dear team,\n{}", "Bell & Sons\nMain Street 3\n{}\nAnn"]
)
def test_signatures_and_letterheads_that_recur_make_no_difference(frame):
    assert same_texts([*BODIES, *(frame.format(body) for body in BODIES)]).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


def test_signatures_in_one_line_make_no_difference():
    assert same_texts([*BODIES, *(f"{body}. Sent by Ann" for body in BODIES)]).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


def test_a_text_whose_own_sentence_recurs_is_equal_to_itself_signed():
    texts = [f"Here is what was said at noon: {body}. More of it will follow" for body in BODIES]
    signed = [f"{text}\n{name}" for text, name in zip(texts, ["Ann", "Ann", "Ann", "Bob"], strict=True)]
    assert same_texts([*texts, *signed]).tolist() == [0, 1, 2, 3, 0, 1, 2, 4]


def test_an_ending_that_does_not_recur_is_part_of_the_text():
    assert same_texts([BODIES[0], f"{BODIES[0]}\nAnd I want my money back"]).tolist() == [0, 1]


def test_an_ending_around_copies_of_one_text_is_part_of_it():
    """Four copies of one text are one body, so their last line is no signature."""
    copied = f"{BODIES[0]}\nI want my money back"
    assert same_texts([BODIES[0], *[copied, copied.upper()] * 2]).tolist() == [0, 1, 1, 1, 1]


def test_a_frequent_short_answer_is_no_signature_of_all():
    texts = [f"{body}\nthank you" for body in BODIES] + ["thank you", "thank you", "no\nthank you", "yes\nthank you"]
    assert same_texts(texts).tolist() == [0, 1, 2, 3, 4, 4, 5, 6]


def test_short_sentences_before_a_recurring_one_stay_apart_from_it():
    texts = ["Great film. Loved it.", "Great film. Must see.", "Bad film. Loved it.", "Dull film. Loved it."]
    assert same_texts(texts).tolist() == [0, 1, 2, 3]


def test_one_word_of_a_long_text_makes_no_difference_and_of_a_short_one_does():
    assert same_texts([LONG, LONG.replace("fish", "bread")]).tolist() == [0, 0]
    assert same_texts(["no fish today", "no bread today"]).tolist() == [0, 1]


def test_texts_from_one_pattern_are_no_copies_where_much_differs():
    texts = [f"the {a} in the {b} was {c} and cost {d} pounds" for a, b, c, d in (
        ("soup", "hall", "good", "ten"), ("fish", "hall", "cold", "ten"), ("soup", "yard", "dear", "six"),
    )]  # fmt: skip
    assert len(set(same_texts(texts).tolist())) == 3


def test_copies_of_copies_are_in_one_group():
    step = LONG.replace("fish", "bread")
    assert same_texts([LONG, step.replace("Sunday", "Monday"), step]).tolist() == [0, 0, 0]


def test_texts_of_signs_are_equal_only_where_the_signs_are():
    assert same_texts([":-)", ":-)  ", "?", "", ":-("]).tolist() == [0, 0, 1, 2, 3]
    assert folded("...") == "..."


def test_what_follows_two_dashes_is_a_signature_where_the_text_is_there_without_it():
    signed = [f"{body}\n-- \n{name}" for body, name in zip(BODIES, ["Ann", "Bob", "Cid", "Dee"], strict=True)]
    assert same_texts([*BODIES, *signed]).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert same_texts([BODIES[0], signed[0], f"{BODIES[0]}\n--\nsomebody else"]).tolist() == [0, 0, 0]


def test_mails_below_one_subject_and_two_dashes_are_different_texts():
    mails = [f"question about a late order\n--\n{body}, number {i}" for i, body in enumerate(BODIES)]
    assert len(set(same_texts(mails).tolist())) == len(mails)
    answers = [f"what is meant by this\n--\nanswer {i}" for i in range(3)]
    assert len(set(same_texts(answers).tolist())) == 3
    known = Writings.of(mails[:2])
    assert Writings.of(mails[2:], known.frames).within(known).tolist() == [0, 0]
    assert Writings.of([f"{mails[0]}\n-- \nAnn"], known.frames).within(known).tolist() == [1]


def test_frames_that_are_known_are_taken_from_a_single_text():
    letters = [f"{body}\nKind regards\nAnn" for body in BODIES[:3]]
    _, frames = unframed(letters)
    assert unframed([f"{BODIES[3]}\nKind regards\nAnn"], frames)[0] == [BODIES[3]]
    assert unframed([f"{BODIES[3]}\nKind regards\nAnn"])[0] == [f"{BODIES[3]} kind regards ann"]


def test_text_below_nothing_but_a_signature_is_kept():
    assert parts_of("-- \nAnn") == ("ann",)
    assert same_texts([]).tolist() == []
