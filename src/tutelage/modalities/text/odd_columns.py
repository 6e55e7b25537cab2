"""Columns that hold no texts: one value, numbers or ids, of which nothing could be learnt."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from tutelage.data.errors import DataError
from tutelage.tables import Notes
from tutelage.tables.cells import quoted

TAKE = "take"
"""Value of the option that takes such a column for texts all the same."""
FEWEST = 3
"""Number of texts from which on a column is judged."""
_EXPONENT = re.compile(r"[-+]?\d+([.,]\d+)?[eE][-+]?\d+")
_HEX = re.compile(r"\{?[0-9a-fA-F]{8}[0-9a-fA-F-]*\}?")


def require_odd(odd_texts: str | None) -> None:
    """Check the option.

    Raises:
        DataError: it is neither None nor TAKE.
    """
    if odd_texts not in (None, TAKE):
        raise DataError(f"odd_texts must be {TAKE}, got {odd_texts!r}")


def instead_of_texts(texts: Sequence[str]) -> str:
    """What a column holds instead of texts, in words; empty where it may hold texts. Empty cells do not count.

    One value is said of texts that are all the same; numbers of those with digits and no letter, so dates and amounts,
    too; ids of those of one word that are all different, and differ in their digits alone, or are hexadecimal, or are
    as long as each other with letters and digits in each.

    Args:
        texts: texts of the column.

    >>> instead_of_texts(["4.5", "17", "2,000 %"]), instead_of_texts(["T-01", "T-02", "T-17"])
    ('numbers', 'ids')
    >>> instead_of_texts(["la"] * 9), instead_of_texts(["late", "lost", "covid19"]), instead_of_texts([":-(", "!", "b"])
    ('one value', '', '')
    """
    said = [text.strip() for text in texts if text.strip()]
    if len(said) < FEWEST:
        return ""
    if said.count(said[0]) == len(said):
        return "one value"
    if all(map(_is_number, said)):
        return "numbers"
    return "ids" if len(set(said)) == len(said) and _are_ids(said) else ""


def _is_number(text: str) -> bool:
    digits = any(c.isdigit() for c in text)
    return digits and (not any(c.isalpha() for c in text) or _EXPONENT.fullmatch(text) is not None)


def _are_ids(texts: Sequence[str]) -> bool:
    if not all(any(c.isdigit() for c in text) and len(text.split()) == 1 for text in texts):
        return False
    alike = len({re.sub(r"\d+", "", text) for text in texts}) == 1
    mixed = len(set(map(len, texts))) == 1 and len(texts[0]) >= 8 and all(any(map(str.isalpha, t)) for t in texts)
    return alike or mixed or all(map(_HEX.fullmatch, texts))


def ask_of_column(texts: Sequence[str], place: str, column: str, notes: Notes) -> None:
    """Ask, before anything is learnt, about a column that seems to hold no texts.

    Args:
        texts: texts of the column.
        place: file and column, for messages.
        column: name of the column.
        notes: takes the question.
    """
    what = instead_of_texts(texts)
    if not what:
        return
    first = next(text for text in texts if text.strip())
    holds = f"{what}, {quoted(first)}" if what == "one value" else f"{what}, such as {quoted(first)}"
    rows = [f"--kind rows --features {shlex.quote(column)}, if numbers are to be learnt from"] * (what == "numbers")
    notes.ask(
        f"{place}: the column of the texts holds {holds}, of which no text can be learnt",
        "--text COLUMN, if another column holds the texts",
        *rows,
        f"--odd-texts {TAKE}, if these are the texts",
        halts=True,
        page="odd-texts",
    )
