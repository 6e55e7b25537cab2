"""The commands that find wrong labels and set them right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from tutelage.audit.relabel import relabelled
from tutelage.audit.request import AuditRequest
from tutelage.audit.run import in_words, run_audit
from tutelage.data.tables import write_table

Tick = Callable[[str, int, int], None]


def add_commands(app: App, say: Callable[[str], None], ticking: Callable[[], AbstractContextManager[Tick]]) -> None:
    """Add ``audit`` and ``relabel`` to the command line.

    Args:
        say: prints a line.
        ticking: opens a progress bar.
    """

    @app.command
    def audit(request: Annotated[AuditRequest, Parameter(name="*")]) -> None:
        """Find the labels of a table, or of a folder of images, that are likely wrong.

        Writes suspects.csv, to edit and apply with tutelage relabel; audit.html, to look through; and audit.json.
        """
        with ticking() as tick:
            summary = run_audit(request, say, tick)
        say(in_words(summary))
        say(f"Suspects and page are in {request.out} (open {request.out / 'audit.html'}).")

    @app.command
    def relabel(*, train: Path, suspects: Path, output: Path, label: str | None = None, charset: str = "utf-8") -> None:
        """Apply the suggestions in a table of suspects, perhaps edited; rows taken out of it stay as given.

        Args:
            train: table, or folder of images, that was audited.
            suspects: suspects.csv, with the columns row, given and suggested.
            output: table to write: train with other labels; of a folder, paths and labels. csv, tsv, jsonl or parquet.
            label: column of the labels; a folder needs none.
            charset: of csv, tsv and jsonl files.
        """
        table, changed, new = relabelled(train, label, suspects, output, charset)
        write_table(table, output)
        if new:
            say(f"No row had these labels before: {', '.join(new)}.")
        say(f"{changed} of {len(table)} labels changed: {output}")
