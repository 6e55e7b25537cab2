"""Sentences of commands that pages put into words of their own, in which names stay as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

QUOTED = re.compile(r"(?<![\w=])('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")(?!\w)")
"""Pattern of a name or cell in a message, which is quoted as Python quotes it."""

NEUTRAL = "\0"
"""Letter that stands for each letter of a name where patterns are looked for; it is in none of them."""


class Sentence:
    """A sentence in which names are no part of what is looked for.

    Args:
        text: the sentence.

    Attributes:
        text: the sentence as it is by now.
        seen: the same, with NEUTRAL for each letter of the names; patterns are looked for here.

    >>> sentence = Sentence("class '--a' is rare, or pass --b")
    >>> sentence.name(QUOTED)
    >>> sentence.sub(r", or pass --[a-z]", "")
    >>> sentence.text
    "class '--a' is rare"
    """

    def __init__(self, text: str) -> None:
        self.text = self.seen = text

    def name(self, pattern: re.Pattern[str]) -> None:
        """Take what a pattern finds for a name."""
        self.seen = pattern.sub(lambda found: NEUTRAL * len(found[0]), self.seen)

    def sub(self, pattern: str | re.Pattern[str], words: str | Callable[[Sequence[str]], str]) -> None:
        """Put words in place of what a pattern finds: these, or those that a function makes of its groups' texts."""
        text, seen, end = "", "", 0
        for found in re.finditer(pattern, self.seen):
            begin, groups = found.start(), [self.text[slice(*found.span(i))] for i in range(found.re.groups + 1)]
            put = words if isinstance(words, str) else words(groups)
            text, seen = f"{text}{self.text[end:begin]}{put}", f"{seen}{self.seen[end:begin]}{put}"
            end = found.end()
        self.text, self.seen = text + self.text[end:], seen + self.seen[end:]
