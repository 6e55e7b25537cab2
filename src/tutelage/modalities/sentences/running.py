"""Running text cut into words: at the word boundaries of Unicode, by the regex package, for any language with blanks.

Source: Unicode Standard Annex 29, "Unicode Text Segmentation", default word boundaries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import regex

from tutelage.ops.tags import Offsets
from tutelage.tables import as_label

BOUNDARY = regex.compile(r"(?w)\b")
"""Pattern of a word boundary by Unicode's rules."""

CLITIC = regex.compile(r"(?i)(?<=\p{L})(?:n['’]t|['’](?:s|d|m|ll|re|ve))$")
"""Pattern of the end of an English word that corpora count as a word of its own, as in "Ann's" and "don't"."""

LISTED = ("[", "(", "{", "array", "list", "tuple", "np.", "numpy.")
"""Beginnings of cells that hold a list."""

ATTACHED = re.compile(r"\w[.,;:!?]+[\"')\]”’»]*(?=\s|$)")
"""Pattern of a mark at the end of a word, as running text has it."""
ALONE = re.compile(r"(?:^|\s)[.,;:!?]+(?=\s|$)")
"""Pattern of a mark with blanks around it, as words have it that were split before."""

SAYS = "at the word boundaries of Unicode (UAX 29, by the regex package)"
"""Words for messages on how running text is cut."""


def word_offsets(text: str) -> Offsets:
    """Start and end of each word of a text; marks are words of their own, and so are clitics as in "Ann's".

    >>> text = "Ann's U.S. tax, 3.5 %?"
    >>> [text[a:b] for a, b in word_offsets(text)]
    ['Ann', "'s", 'U.S', '.', 'tax', ',', '3.5', '%', '?']
    """
    cuts = [match.start() for match in BOUNDARY.finditer(text)]
    found: Offsets = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        word = text[start:end]
        if not word.strip():
            continue
        clitic = CLITIC.search(word)
        cut = start + clitic.start() if clitic else end
        found += [(a, b) for a, b in ((start, cut), (cut, end)) if a < b]
    return found


def is_running(cells: Sequence[object]) -> bool:
    """Whether cells hold running text, whose marks stand at words, rather than lists or words that were split before.

    >>> is_running(["In Rome, he slept."]), is_running(["In Rome , he slept ."]), is_running(['["In", "Rome,"]'])
    (True, False, False)
    """
    texts = [cell for cell in cells if as_label(cell) is not None]
    if not all(isinstance(text, str) for text in texts):
        return False
    written = [str(text).strip() for text in texts]
    if any(text.startswith(LISTED) and text.endswith(("]", ")", "}")) for text in written):
        return False
    attached, alone = (sum(len(pattern.findall(text)) for text in written) for pattern in (ATTACHED, ALONE))
    return attached > alone
