"""Folding of texts: what differs by case, blanks, punctuation or the form of its letters alone becomes equal."""

from __future__ import annotations

import re
import unicodedata

import regex

NO_WORD_IN_ASCII = re.compile(r"[^a-z0-9$+<=>|~#%&@]+")
"""Pattern of what stands between words of texts in ASCII."""

NO_WORD = regex.compile(r"[[\p{P}\p{Z}\p{C}\p{Sk}\s]--[#%&@]]+", regex.V1)
"""The same in any script. Marks belong to their letters, as vowels in Hindi do, and symbols mean something."""

MINUS = re.compile(r"(?<!\S)-(?=\d)")
"""Pattern of the sign of a negative number."""

SMILES = re.compile(r"(?<!\S)[:;=]-?[)D](?!\w)")
"""Pattern of a face of signs that smiles."""

FROWNS = re.compile(r"(?<!\S)[:;=]-?[(/\\|](?!\w)")
"""Pattern of a face of signs that does not."""


def folded(text: str) -> str:
    r"""A text without case, punctuation and needless blanks, with one blank between words: NFKC, casefold.

    Letters with their marks, digits and symbols are left, and of punctuation the signs # % & @, which words are made
    of. A minus before a digit and faces of signs are kept as symbols. A text that is nothing but punctuation keeps it.

    >>> folded("  Ｓｏｕｐ -- is GOOD!\n"), folded("?!"), folded("C++ is not C#")
    ('soup is good', '?!', 'c++ is not c#')
    >>> folded("at -3 degrees :-(") == folded("at 3 degrees"), folded("कि") == folded("की")
    (False, False)
    """
    return words_of(text) or "".join(text.split())


def words_of(text: str) -> str:
    """The same, but nothing is left of a text that is nothing but punctuation.

    >>> words_of("Is it GOOD?!"), words_of("?!")
    ('is it good', '')
    """
    if "-" in text or ":" in text or ";" in text or "=" in text:
        text = FROWNS.sub("\u2639", SMILES.sub("\u263a", MINUS.sub("\u2212", text)))
    if text.isascii():
        return NO_WORD_IN_ASCII.sub(" ", text.lower()).strip()
    found: str = NO_WORD.sub(" ", _composed(_composed(text).casefold())).strip()
    return found


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
