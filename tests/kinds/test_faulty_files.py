"""Faulty inputs of all kinds and formats: data or a clear refusal, and no row and no class without a word."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import faulty
import numpy as np
import pytest
from faulty.case import Case
from faulty.checks import Broken, checked, require_clear
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tutelage.kinds import one_class, texts
from tutelage.kinds.one_class import table_of
from tutelage.modalities.text.tables import texts_of
from tutelage.tables import Notes, doubtful

FEW = settings(
    max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)  # fmt: skip
CHOICES = st.randoms(use_true_random=False)


def check(kind: str, rng) -> None:
    case = faulty.drawn(kind, rng)
    note(str(case))
    with tempfile.TemporaryDirectory() as folder:
        checked(case, Path(folder) / "data")


@pytest.mark.parametrize("kind", faulty.KINDS)
@FEW
@given(CHOICES)
def test_faulty_files_are_read_or_refused(kind, rng):
    check(kind, rng)


@pytest.mark.slow
@pytest.mark.parametrize("kind", faulty.KINDS)
@settings(FEW, max_examples=2_000, derandomize=False)
@given(CHOICES)
def test_ten_thousand_faulty_files_are_read_or_refused(kind, rng):
    check(kind, rng)


def of_texts(*cells: str, **options) -> Case:
    """A good table of texts with these labels."""
    lines = "".join(f"text {i},{cell}\n" for i, cell in enumerate(cells))
    case = Case(
        "texts", "csv", {"text": "text", "label": "label", **options}, rows=len(cells), classes={"food", "sport"}
    )
    case.content["train.csv"], case.sources["train"] = f"text,label\n{lines}".encode(), "train.csv"
    return case


GOOD = of_texts("food", "sport", "food", "sport", "", "")


def test_a_good_input_passes(tmp_path):
    done = checked(GOOD, tmp_path)
    assert (done.read, done.said, done.messages) == (True, False, ())


def warned(*args):
    warnings.warn("of another library", DeprecationWarning, stacklevel=2)
    return texts_of(*args)


def printed(*args):
    print("seen")
    return texts_of(*args)


def one_row_less(*args):
    table, rows = table_of(*args)
    return table[:-1], rows[:-1]


BROKEN = {
    "KeyError": (texts, "texts_of", lambda *args: {}["a"]),
    "an error of another library": (texts, "texts_of", lambda *args: np.zeros(2).reshape(3)),
    "warnings of other libraries": (texts, "texts_of", warned),
    "printed": (texts, "texts_of", printed),
    "5 items of 6": (texts, "table_of", one_row_less),
    "classes .'ghost'. without a word": (one_class, "class_names", lambda *args: ["food", "ghost", "sport"]),
    "no JSON": (Notes, "as_dict", lambda notes: {"share": float("nan")}),
}
"""Faults of the library itself, by what the check says of each."""


@pytest.mark.parametrize("says", BROKEN)
def test_the_check_sees_a_fault_of_the_library(says, monkeypatch, tmp_path):
    monkeypatch.setattr(*BROKEN[says])
    with pytest.raises(Broken, match=says):
        checked(GOOD, tmp_path)


def test_the_check_sees_a_class_that_is_a_word_for_none(monkeypatch, tmp_path):
    case = of_texts("food", "sport", "food", "sport", "nan", "nan")
    assert checked(case, tmp_path / "a").said
    monkeypatch.setattr(doubtful, "NO_LABEL", frozenset())
    with pytest.raises(Broken, match=r"classes .'nan'. without a word"):
        checked(case, tmp_path / "b")


def test_the_check_sees_a_class_that_is_split_by_capitals(monkeypatch, tmp_path):
    """A class whose labels are all in capitals is called so; two that differ by capitals alone are a fault."""
    assert checked(of_texts("FOOD", "sport", "FOOD", "sport"), tmp_path / "a").read
    monkeypatch.setattr(one_class, "class_names", lambda *args: ["Food", "food", "sport"])
    with pytest.raises(Broken, match=r"classes .'Food'. without a word"):
        checked(GOOD, tmp_path / "b")


def test_the_check_sees_a_class_that_is_not_declared(monkeypatch, tmp_path):
    monkeypatch.setattr(one_class, "class_names", lambda *args: ["food", "ghost", "sport"])
    with pytest.raises(Broken, match="are declared"):
        checked(of_texts("food", "sport", "food", "sport", classes=("food", "sport")), tmp_path)


@pytest.mark.parametrize(
    "message",
    ["no column 'None'; it has 'a'", "Traceback (most recent call last)", "a.csv: not text but dict", " ", "a.csv: ",
     "a.csv: KeyError('a')", "not a list but array([1, 2])", "got <class 'int'>", "x" * 3000],
)  # fmt: skip
def test_unclear_messages_are_seen(message):
    with pytest.raises(Broken):
        require_clear(message)
    require_clear("a.csv, row 7, column 'label': 'dict' is none of the classes 'array([1])', 'b'")
