"""How files are read, as far as the user says it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tutelage.data.errors import DataError

QUOTES = ("double", "single", "none")
"""Quotation marks around cells: " or ', or none at all, so that a mark is a character like others."""

HEADER = "header"
"""Word of the option ``columns`` that says that the first line holds the names, whatever it looks like."""


@dataclass(frozen=True, kw_only=True)
class ReadAs:
    r"""How files are read; None finds it out and says so.

    Args:
        charset: character set of text files, such as cp1252; default utf-8, or what a byte order mark says.
        separator: what separates the cells of a csv or tsv file: one character, "tab", or such as \x01.
        quote: marks around cells of a csv or tsv file that hold a separator: double, single or none.
        sheet: sheet of a spreadsheet, by name or by number from 1; or file within a zip; or split of a saved data set.
        columns: names, separated by commas, of the columns of a file without a header; or "header", if its first line
            is one though it looks like data.
        skip_bad: leave out rows and images that cannot be read.

    Raises:
        DataError: a separator is not one character, a quote is unknown, or names of columns are empty or equal.

    >>> ReadAs(separator="tab").separator
    '\t'
    >>> ReadAs(separator=r"\x01").separator
    '\x01'
    """

    charset: str = "utf-8"
    separator: str | None = None
    quote: str | None = None
    sheet: str | None = None
    columns: str | None = None
    skip_bad: bool = False

    def __post_init__(self) -> None:
        named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "space": " "}
        if self.separator is not None:
            escaped = re.fullmatch(r"\\x([0-9a-fA-F]{2})", self.separator)
            sign = chr(int(escaped[1], 16)) if escaped else named.get(self.separator, self.separator)
            object.__setattr__(self, "separator", sign)
            if len(str(self.separator)) != 1 or str(self.separator) in "\r\n\"'":
                raise DataError(f"separator must be one character, or tab, got {self.separator!r}")
        if self.quote not in (None, *QUOTES):
            raise DataError(f"quote must be double, single or none, got {self.quote!r}")
        names = self.names or ()
        if not all(names) or len(set(names)) < len(names):
            raise DataError(f"columns must be different names, separated by commas, got {self.columns!r}")

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the columns of a file without a header; None where the file has one.

        >>> ReadAs(columns="text, label").names
        ('text', 'label')
        """
        if self.columns is None or self.columns == HEADER:
            return None
        return tuple(name.strip() for name in self.columns.split(","))

    @property
    def plain(self) -> bool:
        """Whether csv files as the library writes them, in utf-8 with commas and a header, are read rightly so.

        >>> ReadAs(sheet="2").plain, ReadAs(charset="cp1252").plain
        (True, False)
        """
        usual = (self.charset.lower().replace("-", ""), self.separator or ",", self.quote or "double", self.columns)
        return usual == ("utf8", ",", "double", None)


USUAL = ReadAs()
"""How a file is read of which the user says nothing."""
