"""A column that holds no texts stops a fit with a question; texts of one word do not."""

from __future__ import annotations

import uuid

import pandas as pd
import pytest

from tutelage.modalities.text.odd_columns import instead_of_texts

CITIES = ["Rome", "Oslo", "Bern", "Lima", "Kiew", "Rome", "Paris"]


@pytest.mark.parametrize(
    ("texts", "what"),
    [
        (["late", " late", "late", ""], "one value"),
        (["1", "2.5", "-3", "4e5", "17 %"], "numbers"),
        (["2024-01-02", "2024-02-03", "03/04/2024"], "numbers"),
        ([f"doc_{i}.txt" for i in (7, 23, 112)], "ids"),
        ([f"{uuid.UUID(int=i * 7919 + 2**120)}" for i in range(9)], "ids"),
        (["9f86d081884c7d65", "60303ae22b998861", "fd61a03af4f77d87"], "ids"),
        (["aZ3kP9qL", "b81xQw0r", "Zk9P2m4n"], "ids"),
    ],
)
def test_what_is_no_text_is_named(texts, what):
    assert instead_of_texts(texts) == what


@pytest.mark.parametrize(
    "texts",
    [
        CITIES,
        ["covid19", "mp3", "h2o", "web2"],
        ["soup", "soup", "cake"],
        ["bad1", "bad1", "bad2"],  # they repeat
        ["1", "2", "three"],
        ["deadbeef", "facade", "decade"],
        ["!", "?", ":-("],
        ["12", ""],  # too few
    ],
)
def test_texts_of_one_word_are_texts(texts):
    assert instead_of_texts(texts) == ""


@pytest.mark.parametrize(("cells", "what"), [([f"T-{i}" for i in range(30)], "ids"), (range(30), "numbers")])
def test_such_a_column_stops_with_a_question_that_an_option_settles(run, tmp_path, encoder_folder, cells, what):
    table = pd.DataFrame({"text": cells, "label": (["a", "b"] * 15)})
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ("look", "--train", tmp_path / "t.csv", "--text", "text", "--label", "label", "--encoder", encoder_folder)
    code, shown = run(*words)
    assert code == 2
    assert f"t.csv, column 'text': the column of the texts holds {what}, such as" in shown
    assert "--odd-texts take" in shown and ("--kind rows --features text" in shown) == (what == "numbers")
    code, shown = run(*words, "--odd-texts", "take")
    assert code == 0, shown


def test_a_column_of_one_word_texts_is_looked_at_without_a_question(run, tmp_path, encoder_folder):
    pd.DataFrame({"text": CITIES * 3, "label": (["a", "b", "a"] * 7)}).to_csv(tmp_path / "t.csv", index=False)
    words = ("--train", tmp_path / "t.csv", "--text", "text", "--label", "label", "--encoder", encoder_folder)
    code, shown = run("look", *words)
    assert code == 0 and "column of the texts" not in shown


def test_another_word_for_the_option_is_refused(run, tmp_path):
    code, shown = run("look", "--train", tmp_path / "t.csv", "--text", "text", "--label", "l", "--odd-texts", "yes")
    assert code == 2 and "odd_texts must be take, got 'yes'" in shown
