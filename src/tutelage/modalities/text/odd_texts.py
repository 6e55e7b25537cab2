"""Texts that stand for none, such as "nan", and what programs leave in texts, such as tags of HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from tutelage.tables import Notes
from tutelage.tables.cells import quoted
from tutelage.tables.doubtful import means_none, word_of

WORDS = frozenset(["nan", "nat", "none", "null", "n/a", "[deleted]", "[removed]", "(blank)"])
"""Texts, in lower case, that stand for none, besides what means so for labels and is no word, such as "#N/A"."""
SIGNS = frozenset(["?", "??"])
"""Texts that may be meant, though they mean none for labels."""
LEFT = {
    "tags of HTML": (
        "<",
        re.compile(
            r"</?(?:p|br|hr|[biua]|em|strong|div|span|[uo]l|li|h[1-6]|table|t[rdh]|tbody|thead|img|font|html|body|head|"
            r"code|pre|blockquote|script|style|su[pb]|small|center)(?:\s[^<>]{0,300})?/?>",
            re.IGNORECASE,
        ),
    ),
    "entities of HTML": ("&", re.compile(r"&(?:amp|lt|gt|quot|nbsp|apos|#\d{2,5});")),
    "characters as Excel escapes them": ("_x", re.compile(r"_x[0-9A-Fa-f]{4}_")),
}
"""How what programs leave in texts begins, and its pattern, by its name."""
SAID = 0.01
"""Share of the texts from which on it is said what programs left in them."""
SHORT = 20
"""Characters, at most, of a text that stands for none."""
SHOWN = 5
"""Number of texts that a question lists at most."""


def texts_for_none(texts: Sequence[str]) -> dict[int, str]:
    """Faults of texts that stand for none, by the number of the text, from 0.

    >>> texts_for_none(["soup", "nan", "#REF!", "?", "abstain"])
    {1: "the text is 'nan'", 2: "the text is '#REF!'"}
    """
    found = {}
    for i, text in enumerate(texts):
        if len(text) > SHORT or not (word := word_of(text)) or word in SIGNS:
            continue
        if word in WORDS or (means_none(text) and not word.replace(" ", "").isalpha()):
            found[i] = f"the text is {quoted(text)}"
    return found


def note_odd_texts(texts: Sequence[str], at: Callable[[int], str], place: str, left_out: bool, notes: Notes) -> None:
    """Ask about texts that stand for none, and say what programs left in texts.

    Args:
        texts: n texts.
        at: function that names the place of the i-th text.
        place: the file, for messages.
        left_out: whether texts that stand for none are left out, so that nothing is to be asked.
        notes: takes sentences and questions.
    """
    none = {} if left_out else texts_for_none(texts)
    if none:
        each = Counter(texts[i] for i in none).most_common()
        named = ", ".join(f"{quoted(text)} {count:,}" for text, count in each[:SHOWN])
        more = f" and {len(each) - SHOWN} more" if len(each) > SHOWN else ""
        are, read = ("is", "is read as a text") if len(none) == 1 else ("are", "are read as texts")
        notes.ask(
            f"{place}: {len(none):,} of {len(texts):,} texts {are} {named}{more} (first: {at(next(iter(none)))}), "
            f"which may stand for none, and {read}",
            "--skip-bad leaves such rows out",
            page="odd-texts",
        )
    for name, (begins, pattern) in LEFT.items():
        held = {i: found[0] for i, text in enumerate(texts) if begins in text and (found := pattern.search(text))}
        if held and len(held) >= SAID * len(texts):
            first, shown = next(iter(held.items()))
            hold = "holds" if len(held) == 1 else "hold"
            notes.say(
                f"{place}: {len(held):,} of {len(texts):,} texts {hold} {name}, such as {shown!r} in {at(first)}, "
                "which are read as words."
            )
