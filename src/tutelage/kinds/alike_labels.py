"""Labels that are probably one class under two names: yes beside 1, copies of a folder, other dashes or accents."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter

from tutelage.tables import Notes
from tutelage.tables.cells import quoted
from tutelage.tables.doubtful import without_signs
from tutelage.tables.name_lists import classes_option

SWITCHES = (frozenset(["1", "true", "yes"]), frozenset(["0", "false", "no"]))
"""Words, in small letters, that mean yes, and those that mean no."""
SHORT = (frozenset(["positive", "pos"]), frozenset(["negative", "neg"]), frozenset(["neutral", "neu"]))
"""Words, in small letters, of which one shortens the other."""
DASHES = re.compile(r"[\u2010-\u2015\u2212]")
"""Pattern of a dash other than the hyphen of a keyboard."""
LEAST = 3
"""Number of characters of a label, at least, by which it is compared without accents, dashes and a last sign."""
COPY = re.compile(r"(.+?)(?: ?- ?| |_)(?:copy|kopie|copie|copia)(?: ?\(?\d+\)?)?|(.+?) ?\(\d+\)", re.IGNORECASE)
"""Pattern of the name that a file manager gives to a copy of something."""


def ask_of_alike(counts: Counter[str], place: str, notes: Notes) -> None:
    """Ask whether labels are one class, of which one means the same as another, or has the name of a copy of it.

    Args:
        counts: number of times that each label is there.
        place: file and column, for messages.
        notes: takes the question.

    >>> notes = Notes()
    >>> ask_of_alike(Counter({"True": 3, "False": 3, "1": 2, "0": 2}), "t.csv, column 'y'", notes)
    >>> notes.questions[0].asks
    "t.csv, column 'y': '1' 2 beside 'True' 3, and '0' 2 beside 'False' 3, may be one class each, but are not taken so"
    """
    pairs = list(dict.fromkeys([*_same(counts), *_copies(counts), *_nearly(counts)]))
    if not pairs:
        return
    named = ", and ".join(
        f"{quoted(one)} {counts[one]:,} beside {quoted(other)} {counts[other]:,}" for one, other in pairs[:3]
    )
    named += f", and {len(pairs) - 3} more" if len(pairs) > 3 else ""
    each = "one class each" if len(pairs) > 1 else "one class"
    notes.ask(
        f"{place}: {named}, may be {each}, but {'are' if len(pairs) > 1 else 'is'} not taken so",
        "one name for each class in the file",
        f"{classes_option(counts)}, if each is a class of its own",
        page="spellings",
    )


def _same(counts: Counter[str]) -> list[tuple[str, str]]:
    """Pairs of labels that mean the same; of words for yes and no, where there are no other labels."""
    small = {label.strip().casefold(): label for label in sorted(counts)}
    switches = SWITCHES if small.keys() <= SWITCHES[0] | SWITCHES[1] else ()
    found = []
    for words in (*switches, *SHORT):
        there = [small[word] for word in sorted(words & small.keys())]
        found += [(there[0], other) for other in there[1:]]
    return found


def _copies(counts: Counter[str]) -> list[tuple[str, str]]:
    """Labels with the names of copies of other labels, and these."""
    found = []
    for label in sorted(counts):
        match = COPY.fullmatch(label)
        of = str(match[1] or match[2]) if match else ""
        if of in counts:
            found.append((label, of))
    return found


def _nearly(counts: Counter[str]) -> list[tuple[str, str]]:
    """Pairs of labels that differ by accents, or by signs as HTML or fastText writes them, alone."""
    found: dict[str, str] = {}
    pairs = []
    for label, _ in sorted(counts.items(), key=lambda each: (-each[1], each[0])):
        key = _plain(label)
        other = found.setdefault(key, label) if len(key) >= LEAST else label
        if without_signs(label) != without_signs(other):  # else `tables.doubtful` has asked about them
            pairs.append((label, other))
    return pairs


def _plain(label: str) -> str:
    """A label in small letters, without what `_nearly` passes over, and without fastText's prefix.

    >>> _plain("F\u00fatbol."), _plain("food &amp; drink")
    ('futbol', 'food & drink')
    """
    plain = DASHES.sub("-", html.unescape(label)).casefold().removeprefix("__label__").rstrip(" .,;:!")
    letters = (unicodedata.normalize("NFD", letter) for letter in unicodedata.normalize("NFC", plain))
    return "".join(parts[0] if parts[0].isascii() else parts for parts in letters)
