"""What a table is taken for where nobody says it, and what is asked where it could be meant otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tutelage.data.errors import DataError
from tutelage.kinds.told import Told, told, told_of, unfit
from tutelage.tables import USUAL

N = 40
TEXTS = [f"the {word} of day {i} was quite good" for i, word in enumerate(["soup", "bank", "goal", "song"] * 10)]
SHORT = [f"{word} news {i}" for i, word in enumerate(["soup", "bank", "goal", "song"] * 10)]
DATES = [f"{i % 28 + 1:02d}.03.2024" for i in range(N)]
LONG_DATES = [f"{i % 28 + 1}. März 2024 um 12:{i:02d} Uhr" for i in range(N)]
PRICES = [f"{i},{i % 10}5 EUR" for i in range(N)]
LINKS = [f"https://shop.example/a/long/way/to/the-item-that-is-meant?number={i}" for i in range(N)]
UUIDS = [f"3f2504e0-4f89-11d3-9a0c-0305e82c33{i:02d}" for i in range(N)]
PHONES = [f"+49 30 1234 56 {i:02d}" for i in range(N)]
NAMES = [
    f"{first} {last}"
    for first in ("Ann", "Bo", "Cy", "Di", "Ed")
    for last in ("Ash", "Birch", "Cane", "Dill", "Elm", "Fern", "Gorse", "Hop")
]
CLASSES = ["food", "money", "sport", "food"] * 10
SOME = [*CLASSES[:12], *[None] * 28]
NUMBERS = [i % 3 for i in range(N)]
WIDTHS = [i * 0.37 % 5 for i in range(N)]
NONE: list[None] = [None] * N
WORDS = [["Ann", "saw", "Rome", str(i)] for i in range(N)]
TAGS = [["B-PER", "O", "B-LOC", "O"]] * N
SPANS = [[[0, 3, "PER"], [8, 12, "LOC"]]] * N
PICTURES = [f"pictures/{i}.png" for i in range(N)]

# what stands in the columns; kind, items, labels; what is asked about, empty where all is plain
SURE = {
    "plain": ({"text": TEXTS, "label": CLASSES}, "texts", "text", "label"),
    "labels first": ({"label": CLASSES, "text": TEXTS}, "texts", "text", "label"),
    "german": (
        {"Nr": range(N), "Datum": DATES, "Preis": PRICES, "Bemerkung": TEXTS, "Kategorie": SOME},
        "texts",
        "Bemerkung",
        "Kategorie",
    ),
    "tag is a day": ({"Tag": DATES, "Text": TEXTS, "Klasse": CLASSES}, "texts", "Text", "Klasse"),
    "long dates": ({"Wann": LONG_DATES, "Was": SHORT, "label": CLASSES}, "texts", "Was", "label"),
    "addresses": ({"url": LINKS, "title": SHORT, "label": CLASSES}, "texts", "title", "label"),
    "ids": ({"uuid": UUIDS, "phone": PHONES, "said": SHORT, "class": CLASSES}, "texts", "said", "class"),
    "no labels": ({"id": range(N), "text": TEXTS}, "texts", "text", None),
    "one column": ({"text": TEXTS}, "texts", "text", None),
    "an empty column": ({"text": TEXTS, "mark": NONE}, "texts", "text", "mark"),
    "numbers as labels": ({"text": TEXTS, "label": NUMBERS}, "texts", "text", "label"),
    "stars": ({"text": TEXTS, "stars": NUMBERS}, "texts", "text", "stars"),
    "tokens": ({"tokens": WORDS, "ner_tags": TAGS}, "sentences", "tokens", "ner_tags"),
    "lists of other names": ({"woerter": WORDS, "marken": TAGS}, "sentences", "woerter", "marken"),
    "tokens alone": ({"tokens": WORDS}, "sentences", "tokens", None),
    "spans": ({"text": TEXTS, "label": SPANS}, "sentences", "text", "label"),
    "pictures": ({"file": PICTURES, "label": CLASSES}, "images", "file", "label"),
    "rows": ({"width": WIDTHS, "length": WIDTHS[::-1], "species": CLASSES}, "rows", ["width", "length"], "species"),
    "rows with ids and dates": (
        {"id": range(N), "date": DATES, "width": WIDTHS, "length": WIDTHS[::-1], "species": CLASSES},
        "rows",
        ["width", "length"],
        "species",
    ),
    "japanese": (
        {"本文": [f"今日は株価が大きく下がりました{i}" for i in range(N)], "label": CLASSES},
        "texts",
        "本文",
        "label",
    ),
    "japanese names beside texts": (
        {
            "名前": ["田中太郎", "鈴木花子"] * 20,
            "本文": [f"今日は株価が大きく下がりました{i}" for i in range(N)],
            "label": CLASSES,
        },
        "texts",
        "本文",
        "label",
    ),
    "a class of flowers beside whole numbers": (
        {"width": WIDTHS, "petals": [4, 5] * 20, "class": CLASSES},
        "rows",
        ["width", "petals"],
        "class",
    ),
    "names beside texts": ({"author": NAMES, "text": TEXTS, "label": CLASSES}, "texts", "text", "label"),
    "of next": (
        {"row": range(N), "text": TEXTS, "label": NONE, "guess": CLASSES, "why": TEXTS, "asked_by": CLASSES},
        "texts",
        "text",
        "label",
    ),
}
for few in (0, 1, 3, 8, 30):  # labels that were given so far
    some = [*CLASSES[:few], *[None] * (N - few)]
    SURE[f"downloaded, {few} given"] = (
        {"text": TEXTS, "label_given": some, "label_predicted": CLASSES, "probability": WIDTHS}, "texts", "text",
        "label_given",
    )  # fmt: skip
    SURE[f"downloaded twice, {few} given"] = (
        {"text": TEXTS, "label_given": NONE, "label_predicted": CLASSES, "probability": WIDTHS, "label_given_2": some,
         "label_predicted_2": CLASSES, "probability_2": WIDTHS},
        "texts", "text", "label_given_2",
    )  # fmt: skip
    SURE[f"predicted beside labels, {few} given"] = (
        {"text": TEXTS, "label": some, "predicted": CLASSES, "probability": WIDTHS, "answered_by": CLASSES},
        "texts", "text", "label",
    )  # fmt: skip
    SURE[f"annotated beside labels, {few} given"] = (
        {"text": TEXTS, "label": some, "said": CLASSES, "p_food": [0, 1] * 20, "p_money": [1, 0] * 20},
        "texts", "text", "label",
    )  # fmt: skip
SURE |= {
    "downloaded rows": (
        {"width": WIDTHS, "length": WIDTHS[::-1], "label_given": SOME, "label_predicted": CLASSES,
         "probability": WIDTHS},
        "rows", ["width", "length"], "label_given",
    ),
    "downloaded sentences": (
        {"text": TEXTS, "label_given": NONE, "spans_predicted": SPANS, "probability": WIDTHS}, "sentences", "text",
        "label_given",
    ),
}  # fmt: skip
NO_LABEL = "which is no label"
UNSURE = {
    "predicted alone": ({"text": TEXTS, "predicted": CLASSES, "probability": WIDTHS}, "texts", "text", None, NO_LABEL),
    "predicted under the name of the download": (
        {"text": TEXTS, "label_predicted": CLASSES, "probability": WIDTHS},
        "texts",
        "text",
        None,
        NO_LABEL,
    ),
    "predicted spans alone": (
        {"text": TEXTS, "predicted_spans": SPANS, "probability": WIDTHS},
        "sentences",
        "text",
        None,
        NO_LABEL,
    ),
    "answered by a cascade": (
        {"text": TEXTS, "predicted": CLASSES, "probability": WIDTHS, "answered_by": ["student", "teacher"] * 20},
        "texts",
        "text",
        None,
        NO_LABEL,
    ),
    "annotated alone": (
        {"text": TEXTS, "said": CLASSES, "p_food": [0.2] * N, "p_money": [0.8] * N},
        "texts",
        "text",
        None,
        NO_LABEL,
    ),
    "labels that were typed beside those given": (
        {"text": TEXTS, "label": CLASSES, "label_given": SOME, "label_predicted": CLASSES},
        "texts",
        "text",
        "label_given",
        "'label' holds more labels",
    ),
    "numbers of a usual name": (
        {"text": TEXTS, "target": WIDTHS},
        "texts",
        "text",
        None,
        "'target' holds many different numbers",
    ),
    "numbers of a usual name among others": (
        {"width": WIDTHS, "target": WIDTHS[::-1]},
        "rows",
        ["width", "target"],
        None,
        "are they meant as labels?",
    ),
    "two texts": (
        {"title": TEXTS, "text": [f"{t} and more" for t in TEXTS], "label": CLASSES},
        "texts",
        "text",
        "label",
        "'title' holds texts, too",
    ),
    "few words in a column of any name": (
        {"land": ["Chile", "Peru", "Laos"] * 13 + ["Laos"], "text": TEXTS},
        "texts",
        "text",
        "land",
        "'land' holds few different words",
    ),
    "in part, before one that is full": (
        {"city": ["Bonn", "Ulm"] * 20, "befund": SOME, "text": TEXTS},
        "texts",
        "text",
        "befund",
        "or 'city'",
    ),
    "two of usual names": (
        {"text": TEXTS, "topic": CLASSES, "sentiment": CLASSES[::-1]},
        "texts",
        "text",
        "topic",
        "'sentiment' may hold labels, too",
    ),
    "two empty ones": ({"text": TEXTS, "notes": NONE, "mark": NONE}, "texts", "text", "mark", "'mark' is empty"),
    "single words": ({"name": ["Ann", "Bo"] * 20, "label": CLASSES}, "texts", "name", "label", "single words"),
    "addresses alone": ({"url": LINKS, "label": CLASSES}, "texts", "url", "label", "does not look like texts"),
    "switches": (
        {"text": TEXTS, "relevant": [0, 1] * 20},
        "texts",
        "text",
        "relevant",
        "'relevant' holds few different numbers",
    ),
    "numbers as a class": (
        {"text": TEXTS, "befund": NUMBERS},
        "texts",
        "text",
        "befund",
        "'befund' holds few different numbers",
    ),
    "numbers as a class beside words": (
        {"text": TEXTS, "land": ["Chile", "Peru"] * 20, "befund": NUMBERS},
        "texts",
        "text",
        "land",
        "or 'befund'",
    ),
    "numbers as a class beside an empty column": (
        {"text": TEXTS, "befund": NUMBERS, "note": NONE},
        "texts",
        "text",
        "note",
        "does 'befund' hold them",
    ),
    "pictures with captions": (
        {"file": PICTURES, "caption": TEXTS, "label": CLASSES},
        "images",
        "file",
        "label",
        "'caption' holds texts",
    ),
    "questions and answers": (
        {"question": SHORT, "answer": [f"{t} {t} {t}" for t in TEXTS], "label": CLASSES},
        "texts",
        "answer",
        "label",
        "'question' holds texts, too",
    ),
    "questions and short answers": (
        {"question": TEXTS, "answer": NAMES, "label": CLASSES},
        "texts",
        "question",
        "label",
        "'answer' holds texts, too",
    ),
    "two japanese texts": (
        {
            "見出し": [f"株価が大きく下がる{i}" for i in range(N)],
            "本文": [f"今日は株価が大きく下がりました。市場関係者は驚いている{i}" for i in range(N)],
            "label": CLASSES,
        },
        "texts",
        "本文",
        "label",
        "'見出し' holds texts, too",
    ),
    "art beside another": (
        {"Art": ["neu", "alt"] * 20, "Befund": CLASSES, "text": TEXTS},
        "texts",
        "text",
        "Art",
        "'Befund' may hold labels, too",
    ),
    "class beside another": (
        {"Class": ["first", "second"] * 20, "text": TEXTS, "outcome": NUMBERS},
        "texts",
        "text",
        "Class",
        "'outcome' may hold labels, too",
    ),
    "a word a row": (
        {"word": ["Ann", "saw", "Rome", "again"] * 10, "mark": ["B-PER", "O", "B-LOC", "O"] * 10},
        "sentences",
        "word",
        "mark",
        "is each row a word",
    ),
}


@pytest.mark.parametrize("name", SURE)
def test_what_leaves_no_doubt_is_told(name):
    columns, kind, items, labels = SURE[name]
    found = told_of(pd.DataFrame(columns), Path("a.csv"))
    assert (found.kind, *_columns(found)) == (kind, items, labels)
    assert not found.unsure


@pytest.mark.parametrize("name", UNSURE)
def test_what_could_be_meant_otherwise_is_asked(name):
    columns, kind, items, labels, asks = UNSURE[name]
    found = told_of(pd.DataFrame(columns), Path("a.csv"))
    assert (found.kind, *_columns(found)) == (kind, items, labels)
    assert asks in " ".join(found.unsure)


@pytest.mark.parametrize("name", [name for name in SURE if "tokens" not in name and "list" not in name])
def test_the_same_is_told_of_a_file_whose_cells_are_text(name, tmp_path):
    columns, kind, items, labels = SURE[name]
    frame = pd.DataFrame(columns).map(lambda cell: json.dumps(cell) if isinstance(cell, list) else cell)
    frame.to_csv(tmp_path / "a.csv", index=False)
    found = told(tmp_path / "a.csv", USUAL)
    assert (found.kind, *_columns(found), list(found.unsure)) == (kind, items, labels, [])


@pytest.mark.parametrize(("lines", "items", "tags"), [("Ann B-PER", "0", "1"), ("1 Ann NNP I-NP B-PER", "1", "4")])
def test_a_file_with_a_word_a_line_holds_sentences(tmp_path, lines, items, tags):
    path = tmp_path / "a.conll"
    rest = lines.split()[2 if len(lines) > 9 else 1 : -1]
    number = ["2"] if len(lines) > 9 else []
    path.write_text("".join(f"{lines}\n{' '.join([*number, 'sang', *rest, 'O'])}\n\n" for _ in range(3)))
    found = told(path, USUAL)
    assert (found.kind, *_columns(found)) == ("sentences", items, tags)


@pytest.mark.parametrize(
    ("kind", "items", "cells", "says"),
    [
        ("images", "images", TEXTS, "like texts, not like images"),
        ("texts", "text", PICTURES, "like images, not like texts"),
        ("texts", "text", WIDTHS, "like numbers, not like texts"),
        ("sentences", "tokens", WIDTHS, "like numbers, not like sentences"),
        ("rows", "features", TEXTS, "like texts, not like numbers"),
        ("texts", "text", WORDS, "like lists, not like texts"),
        ("images", "images", PICTURES, ""), ("sentences", "tokens", TEXTS, ""), ("sentences", "tokens", WORDS, ""),
        ("rows", "features", WIDTHS, ""), ("rows", "features", CLASSES, ""), ("texts", "text", LINKS, ""),
    ],
)  # fmt: skip
def test_a_kind_that_is_not_that_of_the_cells_is_noticed(kind, items, cells, says):
    value = ["a"] if kind == "rows" else "a"
    found = unfit(Told(kind, {items: value}), pd.DataFrame({"a": cells}))
    assert (says in " ".join(found)) if says else not found


@pytest.mark.parametrize(
    ("text", "says"), [("\n\n", "no sentence is in it; write a word a line"), ("a,b\n1,2\n", ".csv")]
)
def test_a_file_with_a_word_a_line_that_is_none_says_what_to_do(tmp_path, text, says):
    (tmp_path / "a.conll").write_text(text)
    with pytest.raises(DataError, match=says):
        told(tmp_path / "a.conll", USUAL)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "it has a password"),
        (b"PK\x03\x04x", "save it again, as .xlsx or .csv"), (b"text,label\na,b\n", "end in .csv or .tsv"),
    ],
)  # fmt: skip
def test_a_spreadsheet_that_cannot_be_read_says_what_to_do(tmp_path, data, says):
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(DataError, match=says):
        told(tmp_path / "a.xlsx", USUAL)


def test_a_table_of_numbers_that_count_the_rows_alone_has_no_items():
    with pytest.raises(DataError, match="no column looks like items"):
        told_of(pd.DataFrame({"a": [None, None], "b": [None, None]}), Path("a.csv"))


def _columns(found):
    names = {
        "texts": ("text", "label"),
        "sentences": ("tokens", "tags"),
        "images": ("images", "label"),
        "rows": ("features", "label"),
    }
    items, labels = names[found.kind]
    return found.options[items], found.options.get(labels)
