"""The terminal: lines, tables, errors and a progress bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.table import Table

from tutelage.ops.bar import Bar, ticking


class Screen:
    """The terminal of a command."""

    def __init__(self) -> None:
        self.console = Console()

    def say(self, line: str) -> None:
        """Print a line without breaking it, however long it is."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def tell(self, line: str) -> None:
        """Print a line, broken between words at the width of the screen."""
        self.console.print(line, highlight=False, markup=False)

    def fail(self, message: str) -> None:
        """Print an error in one line, on the standard error stream."""
        line = f"Error: {' '.join(message.split())}"
        Console(stderr=True).print(line, highlight=False, markup=False, soft_wrap=True)

    def json(self, value: Any) -> None:
        """Print a value as JSON, on the standard output."""
        sys.stdout.write(json.dumps(value) + "\n")

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
        """Context that shows a progress bar and removes it at the end."""
        with ticking(self.console) as bar:
            yield bar
