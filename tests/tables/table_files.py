"""Files of tests: what is read of them, and what is noted."""

from __future__ import annotations

from pathlib import Path

from tutelage.tables import Notes, ReadAs, Table, read


def written(folder: Path, name: str, content: str | bytes) -> Path:
    """File with a content."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def noted(path: Path, **how) -> tuple[Table, Notes]:
    """The table in a file, and what was noted while it was read."""
    notes = Notes()
    return read(path, ReadAs(**how), notes), notes


def rows_of(table: Table) -> list[list[str]]:
    return table.frame.values.tolist()


def quiet(notes: Notes) -> bool:
    """Whether nothing was noted but the file."""
    return not (notes.lines or notes.questions or notes.faults)
