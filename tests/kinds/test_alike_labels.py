"""Labels that are probably one class under two names, or no classes, are asked about."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

from tutelage.kinds.alike_labels import ask_of_alike
from tutelage.kinds.odd_labels import ask_of_joined, ask_of_many
from tutelage.kinds.texts import Texts
from tutelage.tables import Notes


def asked(ask, *labels):
    notes = Notes()
    ask(Counter(dict.fromkeys(labels, 4)), "t.csv, column 'y'", notes)
    return [question.asks for question in notes.questions]


def asked_of_many(tmp_path, *labels):
    table = tmp_path / "t.csv"
    pd.DataFrame({"text": range(4 * len(labels)), "label": labels * 4}).to_csv(table, index=False)
    notes = Notes()
    train = Texts(text="text", label="label").entries(table, notes=Notes())
    ask_of_many(Counter(train.labels), train, notes)
    return [question.asks for question in notes.questions]


@pytest.mark.parametrize(
    "labels, named",
    [
        (("0", "1", "False"), "'0' 4 beside 'False' 4, may be one class"),
        (("yes", "no", "1", "0"), "'1' 4 beside 'yes' 4, and '0' 4 beside 'no' 4, may be one class each"),
        (("pos", "positive", "neutral"), "'pos' 4 beside 'positive' 4, may be one class"),
        (("dog", "dog copy", "cat"), "'dog copy' 4 beside 'dog' 4, may be one class"),
        (("food & drink", "food &amp; drink"), "'food &amp; drink' 4 beside 'food & drink' 4, may be one class"),
        (("fútbol", "futbol", "golf"), "'fútbol' 4 beside 'futbol' 4, may be one class"),
        (("semi-final", "semi\u2013final"), "'semi\u2013final' 4 beside 'semi-final' 4, may be one class"),
        (("food", "__label__food"), "'food' 4 beside '__label__food' 4, may be one class"),
        (("dog", "dog - Kopie (2)", "cat (1)", "cat"), "'cat (1)' 4 beside 'cat' 4, and 'dog - Kopie (2)'"),
    ],
)
def test_two_names_of_one_class_are_asked_about(labels, named):
    (question,) = asked(ask_of_alike, *labels)
    assert named in question


@pytest.mark.parametrize(
    "labels",
    [
        ("0", "1"),
        ("True", "False"),
        ("1", "2", "yes"),
        ("pos", "neg"),
        ("copy", "paste"),
        ("o", "ö"),
        ("мой", "мои"),
        ("C#", "C++"),
        ("M (1)", "M (2)"),
        ("photo", "photocopy"),
    ],
)
def test_labels_with_a_name_each_are_classes(labels):
    assert not asked(ask_of_alike, *labels)


@pytest.mark.parametrize(
    "labels, what",
    [
        (("2024-01-02", "2024-01-03", "03.01.2024"), "dates such as '2024-01-02'"),
        (("1", "1.5", "2", "2.5"), "numbers, which are amounts"),
        (("1,0", "1,5", "2,0"), "numbers, which are amounts"),
    ],
)
def test_dates_and_amounts_are_asked_about_though_they_repeat(labels, what, tmp_path):
    (question,) = asked_of_many(tmp_path, *labels)
    assert what in question


def test_class_numbers_and_two_amounts_are_classes(tmp_path):
    assert not asked_of_many(tmp_path, "0", "1", "2", "10")
    assert not asked_of_many(tmp_path, "0.5", "1.5")


def test_labels_that_join_names_are_asked_about_though_no_name_stands_alone():
    (question,) = asked(ask_of_joined, "food|cheap", "food|dear", "sport|cheap")
    assert "12 of 12 labels join names by '|', as 'food|cheap' does" in question
    assert not asked(ask_of_joined, "a|b", "c;d", "AC/DC", "AC/EC")


def test_an_option_does_not_spell_out_hundreds_of_classes():
    notes = Notes()
    ask_of_alike(Counter(["dog", "dog copy", *map(str, range(500))]), "t.csv, column 'y'", notes)
    assert notes.questions[0].options[1] == "--classes NAMES, if each is a class of its own"
