"""Folding of texts: what differs by case, blanks, punctuation or the form of its letters alone becomes equal."""

from __future__ import annotations

import re
import unicodedata

NO_WORD = re.compile(r"[\W_]+")
"""Pattern of what stands between words: blanks, punctuation, signs and underscores."""


def folded(text: str) -> str:
    r"""A text in which only letters and digits are left, with one blank between words: NFKC, casefold.

    A text without any letter or digit keeps its signs, without blanks, so that ":-)" is not equal to "?".

    >>> folded("  Ｓｏｕｐ -- is GOOD!\n"), folded(": - )")
    ('soup is good', ':-)')
    """
    return words_of(text) or "".join(text.split())


def words_of(text: str) -> str:
    """The same, but nothing is left of a text without any letter or digit.

    >>> words_of("Is it GOOD?!"), words_of("?!")
    ('is it good', '')
    """
    plain = text.lower() if text.isascii() else _composed(_composed(text).casefold())
    return NO_WORD.sub(" ", plain).strip()


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
