"""Words on a class that a teacher does not know."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def instead_of(name: str, own: Sequence[str], prefix: str) -> str:
    """What to do about a class for which a teacher has no column: the one that may be meant, or a column of zeros.

    Args:
        name: name of the class.
        own: classes that the teacher knows.
        prefix: what stands before a class in the name of its column.

    >>> instead_of("food", ["class_food", "class_sport"], "p_")
    "nearest is 'p_class_food'; --teacher p_class_ if that is its column"
    """
    longer = next((other for other in own if other.endswith(name)), None)
    near = longer or next(iter(difflib.get_close_matches(name, own, 1)), None)
    if near is None:
        named = ", ".join(map(repr, own[:6])) + ", ..." * (len(own) > 6)
        return f"it knows {named}; a column of zeros says that it never means {name!r}"
    option = f"; --teacher {prefix}{near.removesuffix(name)} if that is its column" if longer and prefix else ""
    return f"nearest is {prefix + near!r}{option}"
