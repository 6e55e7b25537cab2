"""Letters that were spoilt before a file was written: utf-8 that was read as another charset, and lost characters."""

from __future__ import annotations

import re

from tutelage.tables.charsets import BLOCK
from tutelage.tables.notes import Notes

LOST = "\ufffd"
"""Character that stands for a character that was lost, where a program could not decode it."""
LOOKED_AT = 50_000
"""Bytes of each block of a file that are searched for spoilt letters."""
BETWEEN = re.compile(r'[,;|"\[\]{}]+')
"""Pattern of what is between words besides spaces."""
TAKEN_FOR = ("cp1252", "latin-1", "cp1250", "cp1251", "mac-roman")
"""Charsets that utf-8 is taken for by mistake."""
ENOUGH = 3
"""Number of different spoilt words from which on a user is asked, if they are few among the good ones."""


def check_letters(data: bytes, path: str, notes: Notes) -> None:
    """Note lost characters, and ask about words that look like utf-8 read as another charset.

    Args:
        data: text of the file, in utf-8.
        path: the file, for messages.
        notes: takes what is noticed.
    """
    if data.isascii():
        return
    if lost := data.count(LOST.encode()):
        notes.say(
            f"{path}: {lost} characters were lost before the file was written; {LOST!r} stands for them "
            f"(first: line {_line(data, LOST)})."
        )
    words = [word for begin in range(0, len(data), BLOCK) for word in _words(data[begin : begin + LOOKED_AT])]
    spoilt = {word: mended for word in dict.fromkeys(words) if (mended := mend(word))}
    if len(spoilt) >= ENOUGH or (spoilt and 2 * sum(word in spoilt for word in words) >= len(words)):
        word, (meant, charset) = next(iter(spoilt.items()))
        notes.ask(
            f"{path}: words such as {word!r} (line {_line(data, word)}) look like utf-8 that was read as {charset}, "
            f"where {meant!r} was meant",
            "export the file again, as utf-8",
            page="charset",
        )


def mend(word: str) -> tuple[str, str] | None:
    r"""What a word was before its utf-8 was read as another charset, and that charset; None for a good word.

    >>> mend("PÅ™Ã\xadliÅ¡"), mend("Příliš")
    (('Příliš', 'cp1252'), None)
    """
    for charset in TAKEN_FOR:
        try:
            meant = word.encode(charset).decode()
        except UnicodeError:
            continue
        letters = [c for c in meant if not c.isascii()]
        if letters and all(c.isalpha() or c in "’‘“”–—…€ " for c in letters) and not _by_chance(word, meant):
            return meant, charset
    return None


def _by_chance(word: str, meant: str) -> bool:
    """Whether a good word may look spoilt: one letter with a quotation mark or a dash behind it, as in "CAFÉ”"."""
    return len(word) == len(meant) + 1 and word[-1] in "”“’‘»«›‹–—…\xa0™®°ºª§" and word[-2:] not in ("â€",)


def _words(data: bytes) -> list[str]:
    """Words with a character beyond ASCII."""
    parts = [part for part in data.decode("utf-8", "ignore").split() if not part.isascii()]
    return [word for part in parts for word in BETWEEN.split(part) if not word.isascii()]


def _line(data: bytes, text: str) -> int:
    return data.count(b"\n", 0, data.index(text.encode())) + 1
