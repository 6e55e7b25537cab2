"""Dialects of files whose cells are separated by a character: what separates and what quotes them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tutelage.tables.how import ReadAs

SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
"""Usual separator of the cells, by ending."""
CANDIDATES = (",", ";", "\t", "|")
"""Separators that are found out."""
MARKS = {"double": '"', "single": "'", "none": ""}
"""Quotation mark, by its name in the options."""
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
"""Pattern of a line with its end."""
NAMES_OF_R = re.compile(r'("[^"\r\n]*"(?: "[^"\r\n]*")+)\r?\n(?:"|[-+0-9])')
"""Pattern of a header in quotation marks with blanks between, and the next line's beginning, as R writes tables."""
HEAD = 20_000
"""Number of characters by which a dialect is found out, at most."""
LONG = re.compile(r"([^\s,;|\"']{64})[^\s,;|\"']+")
"""Pattern of a long run of characters that neither separate nor quote cells, such as an image in base64; only its
beginning is looked at, since clevercsv takes the square of its length in time."""
MOST = 0.8
"""Share of the rows that must have as many cells as the header, at least, so that a dialect is believed."""
NAMES = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars (|)", " ": "spaces"}
"""Words for separators, for messages."""


@dataclass(frozen=True)
class Dialect:
    """How the cells of a file are separated.

    Attributes:
        separator: character between cells.
        quote: mark around cells that hold a separator; empty where marks are characters like others.
        named: whether the first line is "sep=" and names the separator.
    """

    separator: str
    quote: str = '"'
    named: bool = False


def dialect_of(head: str, ending: str, how: ReadAs, whole: bool) -> Dialect:
    r"""Dialect of a file: what the user says, what a first line "sep=;" says, the usual one, or the one that fits.

    Args:
        head: beginning of the file.
        ending: ending of the file's name.
        how: how files are read.
        whole: whether the beginning is the whole file.

    >>> dialect_of("text;label\na, b;x\n", ".csv", ReadAs(), True)
    Dialect(separator=';', quote='"', named=False)
    """
    first = re.match(r'"?sep=(.)"?[\r\n]', head)
    quote = MARKS.get(how.quote or "", '"')
    if first is not None:
        return Dialect(how.separator or first[1], quote, named=True)
    if how.separator is not None:
        return Dialect(how.separator, quote)
    usual = SEPARATORS.get(ending)
    if usual is not None and share(head, usual, quote, whole) == 1:
        return Dialect(usual, quote)
    if quote == '"' and NAMES_OF_R.match(head):
        return Dialect(" ", quote)
    found = _detected(head)
    others = [Dialect(each, quote) for each in (found.separator, *CANDIDATES) if each in CANDIDATES]
    if how.quote is None and found.quote == "'" and found.separator in CANDIDATES:
        others.append(found)  # believed where double quotation marks fit less
    shares = {each: share(head, each.separator, each.quote, whole) for each in others}
    best = max(shares, key=lambda each: shares[each])
    if usual is None:
        return best if shares[best] >= MOST else Dialect(",", quote)
    return best if shares[best] >= MOST and shares[best] > share(head, usual, quote, whole) else Dialect(usual, quote)


def share(head: str, separator: str, quote: str, whole: bool) -> float:
    r"""Share of the rows that have as many cells as the header, if that has two or more; else 0.

    Args:
        head: beginning of a file.
        separator: separator of the cells.
        quote: mark around cells; the share is counted without any, too, and the larger one counts.
        whole: whether the beginning is the whole file; else its last row is passed over.

    >>> share("a,b\n1,2\n3,4,5\n", ",", '"', True), share("a\nb\n", ",", '"', True)
    (0.5, 0.0)
    """
    return max(_share(head, separator, mark, whole) for mark in {quote, ""})


def title_above(head: str, whole: bool) -> str:
    r"""Separator of the lines below a first line of one cell, if they have several each; empty where they do not.

    Lines that begin with # may stand in place of the first line.

    Args:
        head: beginning of a file.
        whole: whether it is the whole file.

    >>> title_above("Export\ntext;label\na;x\n", True), title_above("text\na\n", True)
    (';', '')
    >>> title_above("# from A, B\n# C\ntext;label\na;x\n", True)
    ';'
    """
    lines = [line for line in LINE.findall(head) if line.strip()]
    comments = comments_above(lines)
    if len(lines) < 3 or (not comments and any(each in lines[0] for each in CANDIDATES)):
        return ""
    rest = "".join(lines[comments or 1 :])
    found = next((each for each in CANDIDATES if _share(rest, each, '"', whole) == 1), "")
    as_header = comments and found and _share(lines[comments - 1] + rest, found, '"', whole) == 1
    return "" if as_header else found


def comments_above(lines: Sequence[str]) -> int:
    """Number of the first lines that begin with # and a blank, as comments do."""
    return next((i for i, line in enumerate(lines) if not line.startswith("# ")), 0)


def _share(head: str, separator: str, quote: str, whole: bool) -> float:
    lines = LINE.findall(head)
    try:
        rows = [row for row in _reader(lines, separator, quote) if row]
    except csv.Error:
        return 0.0
    rows = rows if whole or len(rows) < 3 else rows[:-1]
    if not rows or len(rows[0]) < 2:
        return 0.0
    return sum(len(row) == len(rows[0]) for row in rows[1:]) / (len(rows) - 1) if len(rows) > 1 else 1.0


def _reader(lines: list[str], separator: str, quote: str) -> Iterator[list[str]]:
    if not quote:
        return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=separator, quotechar=quote)


def _detected(head: str) -> Dialect:
    """Dialect that clevercsv finds; no separator where it finds none."""
    from clevercsv import Detector
    from clevercsv.exceptions import Error

    try:
        found = Detector().detect(LONG.sub(r"\1", head), delimiters=list(CANDIDATES))
    except Error:  # such as of NUL bytes
        return Dialect("")
    return Dialect(found.delimiter or "", found.quotechar or '"') if found is not None else Dialect("")


def in_words(separator: str) -> str:
    """Word for a separator, for messages.

    >>> in_words(";"), in_words("^")
    ('semicolons', "'^'")
    """
    return NAMES.get(separator, repr(separator))


def cells_of(line: str, dialect: Dialect) -> list[str]:
    """Cells of one row, such as the header.

    >>> cells_of('text,"a, b"', Dialect(","))
    ['text', 'a, b']
    """
    try:
        return next(_reader([line], dialect.separator, dialect.quote), [])
    except csv.Error:  # a cell of more than 131,072 characters
        return line.split(dialect.separator)
