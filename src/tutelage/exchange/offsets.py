"""Offsets of spans, which some tools count in UTF-16 units: a character beyond the first 65,536 is two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tutelage.exchange.records import Span
from tutelage.exchange.rows import Row
from tutelage.tables.exports.utf16 import in_characters, is_wide, units
from tutelage.tables.notes import Notes

CHARACTERS, UTF_16 = "characters", "utf-16"
"""What offsets count: characters (Unicode code points), or units of UTF-16, as browsers do."""
COUNTED = (CHARACTERS, UTF_16)
"""All that they may count."""


@dataclass
class Counted:
    """Spans of a file, before it is known what their offsets count.

    Attributes:
        usual: what the tool's page counts.
        asked: what the user says that they count; None where the file is to show it.
        fits: how many spans begin and end at the edges of words, by what they count, in texts where that matters.
        cut: how many spans do not fit in their text, by what they count.
    """

    usual: str
    asked: str | None = None
    fits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    cut: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def see(self, text: str, spans: Sequence[Span]) -> None:
        """Take note of the spans of a text."""
        if not spans or not is_wide(text):
            return
        for span in spans:
            for unit in COUNTED:
                place = placed(text, span, unit)
                self.fits[unit] += place is not None and _of_words(text, place)
                self.cut[unit] += place is None

    @property
    def seen(self) -> bool:
        """Whether there are spans for which it matters."""
        return any(self.fits.values()) or any(self.cut.values())

    @property
    def unit(self) -> str:
        """What the offsets count: as the user says, else that in which fewer spans are outside and more fit words."""
        if self.asked is not None:
            return self.asked
        other = _other(self.usual)
        better = (-self.cut[other], self.fits[other]) > (-self.cut[self.usual], self.fits[self.usual])
        return other if better else self.usual

    def say(self, path: object, notes: Notes) -> None:
        """Say what the offsets are taken to count, where the file does not say so and it matters."""
        if self.seen and self.asked is None:
            notes.say(
                f"{path}: offsets of spans in texts with emoji or rare signs are taken to count {self.unit}, as "
                f"the edges of words show; --offsets {_other(self.unit)} takes them for others."
            )


def _other(unit: str) -> str:
    return UTF_16 if unit == CHARACTERS else CHARACTERS


def placed(text: str, span: Span, unit: str) -> Span | None:
    """The span in characters; None where it is not within the text, is empty, or cuts a character.

    >>> placed("😀 Ada", Span(3, 6, "PER"), "utf-16"), placed("😀 Ada", Span(3, 6, "PER"), "characters")
    (Span(start=2, end=5, type='PER'), None)
    """
    start, end = span.start, span.end
    if unit == UTF_16 and is_wide(text):
        found = in_characters(text, start, end)
        if found is None:
            return None
        start, end = found
    return Span(start, end, span.type) if 0 <= start < end <= len(text) else None


def in_text(row: Row, text: str, spans: Sequence[Span], unit: str) -> tuple[Span, ...]:
    """Spans in characters, sorted, each once.

    Raises:
        DataError: one is not within the text, is empty, or cuts a character.
    """
    found = []
    for span in spans:
        place = placed(text, span, unit)
        if place is None:
            length = len(text) if unit == CHARACTERS else units(text)[-1]
            raise row.fault(
                f"the span {span.start} to {span.end} ({span.type}) must lie within its text, which has {length:,} "
                f"{'characters' if unit == CHARACTERS else 'UTF-16 units'}, and hold something"
            )
        found.append(place)
    return tuple(sorted(set(found)))


def in_utf16(text: str, span: Span) -> Span:
    """A span in characters, counted in UTF-16 units.

    >>> in_utf16("😀 Ada", Span(2, 5, "PER"))
    Span(start=3, end=6, type='PER')
    """
    if not is_wide(text):
        return span
    at = units(text)
    return Span(at[span.start], at[span.end], span.type)


def overlap(spans: Sequence[Span]) -> bool:
    """Whether some of sorted spans overlap.

    >>> overlap([Span(0, 3, "PER"), Span(3, 5, "LOC")]), overlap([Span(0, 3, "PER"), Span(2, 5, "LOC")])
    (False, True)
    """
    ends = 0
    for span in spans:
        if span.start < ends:
            return True
        ends = max(ends, span.end)
    return False


def _of_words(text: str, span: Span) -> bool:
    """Whether a span begins and ends at edges of words, and not at a blank."""
    first, last = text[span.start], text[span.end - 1]
    before, behind = text[span.start - 1 : span.start], text[span.end : span.end + 1]
    whole = not (before.isalnum() and first.isalnum()) and not (last.isalnum() and behind.isalnum())
    return whole and not first.isspace() and not last.isspace()
