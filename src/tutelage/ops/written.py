"""Values that were written as texts, as Python writes them."""

from __future__ import annotations

import ast
from typing import Any


def plain_read(written: Any) -> Any:
    """Value that a text stands for as Python writes it; another text, and what is no text, is given as it is.

    >>> plain_read("0.5"), plain_read("class"), plain_read(None)
    (0.5, 'class', None)
    """
    if not isinstance(written, str):
        return written
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return written
