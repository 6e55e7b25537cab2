"""Offsets of spans as other tools count them: in units of UTF-16 or UTF-8, from 1, with ends within the span."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from typing import NamedTuple

from tutelage.modalities.sentences.place import Place
from tutelage.ops.tags import Offsets
from tutelage.tables import Notes


class RawSpan(NamedTuple):
    """A span as it is written.

    Attributes:
        start, end: first place and the one behind the last, in whatever units the file counts.
        kind: type of the entity.
        text: words of the entity, as the file repeats them; None where it does not.
    """

    start: int
    end: int
    kind: str
    text: str | None = None


@dataclass(frozen=True)
class Counting:
    """A way of counting offsets.

    Attributes:
        unit: name of the units in `UNITS`.
        first: number of the first place, 0 or 1.
        closed: whether the end is the span's last place, and not the one behind it.
    """

    unit: str = "characters"
    first: int = 0
    closed: bool = False

    def words(self) -> str:
        """The way of counting in words.

        >>> Counting("utf-16").words(), Counting(first=1, closed=True).words()
        ('in UTF-16 units', 'in characters, from 1, with ends that belong to the span')
        """
        ends = ", with ends that belong to the span" if self.closed else ""
        return f"{UNITS[self.unit].says}{', from 1' if self.first else ''}{ends}"


@dataclass(frozen=True)
class Unit:
    """A unit of offsets.

    Attributes:
        says: the unit in words.
        least: spans, at least, that must tell the unit.
        length: number of units of each character of a text.
        concerns: whether a text has characters of another length than one.
    """

    says: str
    least: int
    length: Callable[[str], list[int]]
    concerns: Callable[[str], bool]


def _stripped(text: str) -> list[int]:
    blank = len(text) - len(text.lstrip())
    return [0] * blank + [1] * (len(text) - blank)


def _marks(text: str) -> list[int]:
    return [0 if unicodedata.combining(letter) else 1 for letter in text]


def _letters(text: str) -> list[int]:
    return [len(unicodedata.normalize("NFD", letter)) for letter in text]


LAST = "\uffff"
"""Last character that is one unit of UTF-16."""
UNITS: Mapping[str, Unit] = {
    "characters": Unit("in characters", 0, lambda text: [1] * len(text), lambda text: False),
    "utf-16": Unit(
        "in UTF-16 units", 1, lambda text: [1 + (c > LAST) for c in text], lambda text: max(text, default="") > LAST
    ),
    "utf-8": Unit(
        "in bytes of UTF-8", 2, lambda text: [len(c.encode(errors="replace")) for c in text],
        lambda text: not text.isascii(),
    ),
    "one line end": Unit(
        "in characters, with one for both signs of a line's end", 3,
        lambda text: [0 if text[i : i + 2] == "\r\n" else 1 for i in range(len(text))], lambda text: "\r\n" in text,
    ),
    "two line ends": Unit(
        "in characters, with two for a line's end", 3, lambda text: [1 + (c == "\n") for c in text],
        lambda text: "\n" in text,
    ),
    "stripped": Unit("from the first character that is not blank", 3, _stripped, lambda text: text[:1].isspace()),
    "composed": Unit(
        "in characters without combining marks", 3, _marks, lambda text: any(map(unicodedata.combining, text))
    ),
    "decomposed": Unit(
        "in letters and combining marks", 3, _letters,
        lambda text: not text.isascii() and sum(_letters(text)) > len(text),
    ),
}  # fmt: skip
"""Units of offsets by name, the likeliest first."""

NAMED = ("characters", "utf-16", "utf-8")
"""Units that a user may name."""
SHIFTS = ((0, True), (1, True), (1, False))
"""Number of the first place, and whether ends belong to spans, where a file counts as few do."""
LEAST_ASKED = 3
"""Spans, at least, that would fit if they were counted in other units, so that it is asked."""
LEAST_SHIFTED = 5
"""Spans, at least, that tell that offsets count from 1, or that ends belong to spans."""
WELL = 0.9
"""Share of the spans that must fit words where they are counted otherwise."""
BADLY = 0.5
"""Share of the spans, at most, that may fit words as they are."""


@dataclass(frozen=True)
class Texts:
    """Texts with spans, in which ways of counting are tried.

    Attributes:
        texts: n texts.
        words: start and end of each text's words, in characters.
        spans: spans of each text, as they are written.
    """

    texts: Sequence[str]
    words: Sequence[Offsets]
    spans: Sequence[Sequence[RawSpan]]

    def counted(self, i: int, how: Counting) -> list[RawSpan]:
        """Spans of the i-th text in characters; those that are cut from no whole characters are (-1, -1)."""
        if how == Counting():
            return list(self.spans[i])
        text, unit = self.texts[i], UNITS[how.unit]
        at = [0, *accumulate(unit.length(text))] if unit.concerns(text) else None
        found = []
        for span in self.spans[i]:
            start, end = span.start - how.first, span.end - how.first + how.closed
            if at is not None:
                first, last = bisect_right(at, start) - 1, bisect_right(at, end) - 1
                whole = first >= 0 and last >= 0 and (at[first], at[last]) == (start, end)
                start, end = (first, last) if whole else (-1, -1)
            found.append(span._replace(start=start, end=end))
        return found

    def fits(self, i: int, span: RawSpan, exactly: bool = False) -> bool:
        """Whether a span of the i-th text, in characters, begins and ends with words, and is the text it repeats.

        Args:
            i: number of the text.
            span: the span.
            exactly: whether there may be no blanks at its ends.
        """
        text, words = self.texts[i], self.words[i]
        if not 0 <= span.start < span.end <= len(text):
            return False
        start, end = trimmed(text, span.start, span.end)
        if exactly and (start, end) != (span.start, span.end):
            return False
        if span.text is not None and not same(span.text, text[start:end]):
            return False
        first, last = bisect_left(words, (start,)), bisect_left(words, (end,)) - 1
        return first <= last and words[first][0] == start and words[last][1] == end

    def wide(self) -> bool:
        """Whether most spans begin or end with a blank, so that they say little about the unit."""
        each = [(text, s.start, s.end) for text, spans in zip(self.texts, self.spans, strict=True) for s in spans]
        return sum(trimmed(*span) != span[1:] for span in each) > BADLY * len(each)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Start and end of a part of a text without the blanks at its ends; of blanks alone the part itself.

    >>> trimmed("to  Rome ", 2, 9)
    (4, 8)
    """
    inner = text[start:end].strip()
    if not inner or len(inner) == end - start:
        return start, end
    first = start + len(text[start:end]) - len(text[start:end].lstrip())
    return first, first + len(inner)


def same(written: str, found: str) -> bool:
    """Whether two texts are alike but for blanks, capitals, marks of pieces, and combined letters."""
    plain = ("".join(unicodedata.normalize("NFKC", t).casefold().replace("##", "").split()) for t in (written, found))
    return next(plain) == next(plain)


class _Tried(NamedTuple):
    """What a way of counting does to the spans of a column.

    Attributes:
        how: the way of counting.
        concerned: number of spans that it moves.
        before, after: number of those that fit words as they are, and when they are counted so.
        gained: number of those that fit only when they are counted so.
        first: number of the first text with such a span.
    """

    how: Counting
    concerned: int
    before: int
    after: int
    gained: int
    first: int


def counting_of(at: Place, given: Texts, notes: Notes, named: str | None = None) -> Counting:
    """How the spans of a column are counted, which is said where it is not in characters from 0.

    Other ways are tried where spans do not begin and end with words. One is taken where nine of ten spans that it
    moves fit words so, and at most half of them do as they are.

    Args:
        at: the column.
        given: texts with their spans.
        notes: takes what is found.
        named: unit that the user or the file names; None finds it out.
    """
    if named is not None:
        if named != "characters":
            notes.say(f"{at.whole}: offsets are counted {Counting(named).words()}, as is said of them.")
        return Counting(named)
    fit = [[given.fits(i, span) for span in spans] for i, spans in enumerate(given.spans)]
    if all(map(all, fit)):
        return Counting()
    few = sum(map(sum, fit)) <= BADLY * sum(map(len, fit))  # else all would not fit better from 1, or with other ends
    ways = [Counting(u, f, c) for (f, c), u in product([(0, False), *(SHIFTS if few else ())], UNITS)][1:]
    tried = [_try(given, how, fit) for how in ways]
    best = min(tried, key=lambda each: (not _convinces(each), -each.gained, each.before))
    if _convinces(best):
        others = "characters" if best.how.unit != "characters" else "they are"
        notes.say(
            f"{at.whole}: offsets are counted {best.how.words()}: of {best.concerned} spans that this moves "
            f"{best.after} fit words so, and {best.before} fit as {others}; first in {at.row(best.first)}."
        )
        return best.how
    shifted = best.how.first or best.how.closed
    misfits = best.concerned - best.before
    told = not shifted and best.gained >= max(WELL * misfits, LEAST_ASKED)
    if best.how.unit in NAMED[1:] and told and not given.wide():
        notes.ask(
            f"{at.whole}: of {best.concerned} spans whose places depend on the unit {misfits} do not fit words, and "
            f"{best.gained} of these would if they were counted {best.how.words()}; the first such text is in "
            f"{at.row(best.first)}",
            at.option("offsets", best.how.unit), at.option("offsets", "characters"), halts=True, page="span-offsets",
        )  # fmt: skip
    return Counting()


def _try(given: Texts, how: Counting, fit: Sequence[Sequence[bool]]) -> _Tried:
    """How many spans a way of counting moves, and how many of them fit before and after; the row of the first."""
    concerned = before = after = gained = 0
    first = -1
    for i, (spans, fits) in enumerate(zip(given.spans, fit, strict=True)):
        if not spans or not (how.first or how.closed or UNITS[how.unit].concerns(given.texts[i])):
            continue
        for old, new, fitted in zip(spans, given.counted(i, how), fits, strict=True):
            if old != new:
                first = i if first < 0 else first
                concerned += 1
                before += fitted
                fitting = given.fits(i, new, exactly=bool(how.first or how.closed))
                after += fitting
                gained += fitting and not fitted
    return _Tried(how, concerned, before, after, gained, first)


def _convinces(tried: _Tried) -> bool:
    """Whether a way of counting is taken."""
    least = max(UNITS[tried.how.unit].least, LEAST_SHIFTED * (tried.how.first or tried.how.closed))
    fit = tried.after >= WELL * tried.concerned and tried.before <= BADLY * tried.concerned
    return tried.concerned >= least and tried.after > tried.before and fit
