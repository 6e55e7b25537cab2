"""Spellings of names: what does not matter when two are compared."""

from __future__ import annotations

import re
import unicodedata

from tutelage.tables.label_cells import UNSEEN_CHARACTERS

BLANKS = re.compile(r"[\s_]+")
"""Pattern of blanks, among which an underscore counts."""

MARKS = ('""', "''", "``", "“”", "‘’", "„“", "«»", "‚‘")
"""Quotation marks that may stand around a label, each the first and the last character."""


def folded(name: str) -> str:
    r"""Key that the spellings of a name share.

    Case, blanks, underscores, unseen characters and quotation marks around it do not matter.

    The case of single letters, and of names without a letter in common, does.

    >>> folded("Food"), folded("sport\u200b"), folded("New  York"), folded("A"), folded("'food'")
    ('food', 'sport', 'new york', 'A', 'food')
    """
    seen = unicodedata.normalize("NFKC", name.translate(UNSEEN_CHARACTERS))
    blank = BLANKS.sub(" ", unquoted(seen.strip())).strip()
    return blank if len(blank) <= 1 else blank.casefold()


def unquoted(label: str) -> str:
    """A label without the quotation marks around it."""
    return label[1:-1].strip() if len(label) > 2 and label[0] + label[-1] in MARKS else label


def hidden(label: str) -> bool:
    """Whether a label has characters that cannot be seen, or letters in parts."""
    return label != label.translate(UNSEEN_CHARACTERS) or label != unicodedata.normalize("NFC", label)
