"""Words that run from right to left within sentences that run from left to right."""

from __future__ import annotations

import re
from html import escape

LETTERS = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff"
"""Letters that run from right to left: of Hebrew, Arabic, Syriac, Thaana, N'Ko, Adlam and others."""

RUN = re.compile(rf"[{LETTERS}]+(?:[ \u00a0_&;#0-9'.-]*[{LETTERS}]+)*")
"""Pattern of a run of such words, within escaped HTML."""


def isolated(words: str) -> str:
    """HTML of a sentence, in which each run of words from right to left is isolated.

    Else a number or a bracket behind such a word, as of a class, would be shown on its other side.

    >>> isolated("a < b")
    'a &lt; b'
    >>> isolated("given \u05d0\u05d1 \u05d2 (3), rather b") == "given <bdi>\u05d0\u05d1 \u05d2</bdi> (3), rather b"
    True
    """
    return RUN.sub(r"<bdi>\g<0></bdi>", escape(words))
