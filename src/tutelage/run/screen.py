"""The terminal: lines, tables, errors and a progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from cyclopts import Group, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tutelage.ops.bar import Bar, ticking
from tutelage.ops.visible import visible

OUTPUT = Group("Output", sort_key=9)
"""Group of the options on what a command prints."""

Json = Annotated[
    bool,
    Parameter(
        name="--json", negative=(), group=OUTPUT,
        help="print one JSON object on standard output, and all else on standard error.",
    ),
]  # fmt: skip
"""Option of a command that can print its result as JSON."""

Quiet = Annotated[
    bool,
    Parameter(
        name="--quiet", negative=(), group=OUTPUT,
        help="print no progress and no remarks: only warnings, errors, and a result that is in no file.",
    ),
]  # fmt: skip
"""Option of a command that can be silent."""


SafeCells = Annotated[
    bool,
    Parameter(
        name="--safe-cells", negative=(), group=OUTPUT,
        help="write an apostrophe before cells of csv and tsv files that a spreadsheet would take for formulas.",
    ),
]  # fmt: skip
"""Option of a command that writes tables which may be opened in a spreadsheet."""


class Plain(Console):
    """Console that no word of a file steers, and that leaves it to the command to end where nobody reads."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Text as it is printed, alone or in a cell of a table: see `visible`."""
        return super().render_str(visible(text), **how)

    def on_broken_pipe(self) -> None:
        """Raise, where Rich would exit with code 1, the code of a fault."""
        raise BrokenPipeError


def _console(stderr: bool) -> Console:
    """Console that prints words as they are: neither brackets nor names between colons mean anything."""
    return Plain(stderr=stderr, markup=False, emoji=False)


class Screen:
    """The terminal of a command.

    Args:
        as_json: whether standard output is left to one JSON object, so that lines go to standard error.
        quiet: whether remarks and progress are left out.
    """

    def __init__(self, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.console = _console(as_json)
        self.answered = False
        """Whether the JSON object was printed."""

    def speak(self, as_json: bool = False, quiet: bool = False) -> None:
        """Print from now on as the options of the called command say; see the arguments of the class."""
        if as_json != self.as_json:
            self.console = _console(as_json)
        self.as_json, self.quiet = as_json, quiet

    def say(self, line: str) -> None:
        """Print a remark without breaking it, however long it is; a quiet command prints none."""
        if not self.quiet:
            self.answer(line)

    def answer(self, line: str) -> None:
        """Print a line of the result, or a warning, without breaking it, also where the command is quiet."""
        self.console.print(visible(line, lines=False), highlight=False, markup=False, soft_wrap=True)

    def tell(self, line: str) -> None:
        """Print a remark, broken between words at the width of the screen."""
        if not self.quiet:
            self.console.print(visible(line, lines=False), highlight=False, markup=False)

    def fail(self, message: str) -> None:
        """Print an error in one line, on the standard error stream."""
        line = f"Error: {' '.join(message.split())}"
        _console(stderr=True).print(line, highlight=False, markup=False, soft_wrap=True)

    def json(self, value: Any) -> None:
        """Print a value as JSON, on the standard output."""
        sys.stdout.write(json.dumps(value, default=str) + "\n")
        self.answered = True

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
        """Print a table.

        Args:
            header: names of the columns.
            rows: cells of each row.
            title: line above the table.
        """
        table = Table(*header, box=None, title=title)
        for row in rows:
            table.add_row(*row)
        self.console.print(table)

    @contextmanager
    def ticking(self) -> Iterator[Bar]:
        """Context that shows a progress bar and removes it at the end; a quiet command shows none."""
        with ticking(self.console, self.quiet) as bar:
            yield bar
