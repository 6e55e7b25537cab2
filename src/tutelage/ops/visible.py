r"""Words of files and of users as a screen may show them: what would steer a terminal, or hide, is written out."""

from __future__ import annotations

import re

STEERING = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters of ASCII and Latin-1, but for tabs and ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks, embeddings, overrides and isolates of direction
    "\u2028\u2029"  # ends of lines and of paragraphs
    "\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # of no width, but for joiners
    "\ud800-\udfff"  # halves of characters, and bytes of names that are not UTF-8
)
"""Characters that steer a terminal, reorder a line, or cannot be seen, as the inside of a class of a pattern.

The two joiners of no width are none of them: Persian, Indic scripts and emoji need them."""

_STEERING, _STEERING_OR_END = re.compile(f"[{STEERING}]"), re.compile(f"[{STEERING}\n]")


def visible(text: str, lines: bool = True) -> str:
    r"""A text whose characters that steer a terminal are written out, as Python writes them.

    A byte of a name that is not UTF-8 is written as that byte.

    Args:
        text: words of any origin.
        lines: whether ends of lines stay; else they are written out, too.

    >>> visible("a\x1b[2Jb"), visible("\u202egnp.exe"), visible("\udcff.png"), visible("a\nb", lines=False)
    ('a\\x1b[2Jb', '\\u202egnp.exe', '\\xff.png', 'a\\nb')
    """
    if text.isascii() and text.isprintable():
        return text
    return (_STEERING if lines else _STEERING_OR_END).sub(_written, text)


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return found[0].encode("unicode_escape").decode() if not 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def is_unicode(text: str) -> bool:
    r"""Whether a text can be written as UTF-8, which the name of a file made of other bytes cannot.

    >>> is_unicode("über.png"), is_unicode("\udcff.png")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
