"""Correction of labels: suggestions, perhaps edited by hand, are applied to the table or folder that was audited."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from tutelage.files import write_atomically
from tutelage.modalities.images.folders import read_image_folder
from tutelage.tables import USUAL, DataError, ReadAs, as_label, column, ending_of, read_table, writable
from tutelage.tables.formulas import as_given, harmless

NEEDED = ("row", "given", "suggested")
"""Columns that a table of suspects must have."""
IMAGE, LABEL = "image", "label"
"""Columns of the table that is made from a folder."""
TOLD = ("file", "text", "probability", "why")
"""Columns of a table of suspects that the journal repeats where they are there."""


@dataclass(frozen=True)
class Suggestion:
    """A line of a table of suspects.

    Attributes:
        at: number of the line in the table of suspects, from 1.
        row: number of the row in the table or folder that was audited, from 1.
        given: label of the row at the audit.
        suggested: label that the row shall get.
        file: path of the image, where the table of suspects has one.
        told: cells of the line that the journal repeats, by column.
    """

    at: int
    row: int
    given: str | None
    suggested: str
    file: str | None = None
    told: Mapping[str, str] = field(default_factory=dict)


class Relabelled(NamedTuple):
    """A table with corrected labels.

    Attributes:
        table: the table.
        changed: number of labels that have changed.
        new: labels that no row had before, sorted.
        journal: table of the changes, a row for each: row, before, after, line of the table of suspects, and what that
            table told of it.
    """

    table: pd.DataFrame
    changed: int
    new: list[str]
    journal: pd.DataFrame


def journal_of(output: Path) -> Path:
    """File beside a table, for the journal of its changes.

    >>> str(journal_of(Path("better.csv")))
    'better.journal.csv'
    """
    return output.with_name(f"{output.stem}.journal.csv")


def write_journal(journal: pd.DataFrame, output: Path) -> Path:
    """Write the journal of the changes beside the table that has them, and return its path.

    Args:
        journal: the changes, as in `Relabelled`.
        output: the table.
    """
    path = journal_of(output)
    write_atomically(path, harmless(journal).to_csv(index=False, lineterminator="\n").encode(errors="replace"))
    return path


def _journal(
    suggestions: Sequence[Suggestion], before: Sequence[str | None], after: Sequence[str | None]
) -> pd.DataFrame:
    """The changes, one a row, in the order of the rows; see `Relabelled`."""
    rows = [
        {"row": s.row, "before": before[s.row - 1] or "", "after": after[s.row - 1] or "", "suspect": s.at, **s.told}
        for s in sorted(suggestions, key=lambda s: s.row)
        if before[s.row - 1] != after[s.row - 1]
    ]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["row", "before", "after", "suspect"])


def read_suggestions(path: Path, how: ReadAs = USUAL) -> list[Suggestion]:
    """The suggestions in a table of suspects; rows and columns may have been removed or moved.

    Args:
        path: table as `tutelage audit` writes it.
        how: how the file is read if it is not as `tutelage audit` wrote it.

    Raises:
        DataError: a column is missing, a row is no whole number or is there twice, or a row has no suggested label.
    """
    try:
        table = _with_rows(path, USUAL)  # as it was written
    except DataError:
        table = _with_rows(path, how)  # as it was edited
    cells = {name: [as_label(v) for v in column(table, name, path)] for name in NEEDED}
    files = [as_label(v) for v in table["file"]] if "file" in table else [None] * len(table)
    told = {name: [str(as_label(v) or "") for v in table[name]] for name in TOLD if name in table}
    found: dict[int, Suggestion] = {}
    for i, (row, given, suggested, file) in enumerate(zip(*cells.values(), files, strict=True), start=1):
        if row is given is suggested is None:  # a row that a spreadsheet has emptied
            continue
        if row is None or not row.isascii() or not row.isdigit():
            raise DataError(f"{path}, row {i}, column 'row': not the number of a row but {row or ''!r}")
        if int(row) in found:
            raise DataError(f"{path}, row {i}, column 'row': row {row} is there twice")
        if suggested is None:
            raise DataError(
                f"{path}, row {i}, column 'suggested': no label; take the whole row out to keep the label as given"
            )
        more = {name: cells[i - 1] for name, cells in told.items()}
        found[int(row)] = Suggestion(i, int(row), given, suggested, file, more)
    return list(found.values())


def _with_rows(path: Path, how: ReadAs) -> pd.DataFrame:
    """The table; it may have no rows, if it is a csv or tsv file."""
    try:
        return read_table(path, how)
    except DataError as e:
        if str(e) != f"{path}: the file has no rows" or ending_of(path) not in (".csv", ".tsv"):
            raise
        head = path.read_text(encoding="utf-8-sig").splitlines()[0]
        return pd.DataFrame(columns=head.split("\t" if ending_of(path) == ".tsv" else ","), dtype=str)


def relabelled(
    train: Path, label: str | None, suspects: Path, output: Path, how: ReadAs
) -> Relabelled:  # fmt: skip
    """The table with the suggested labels, and what has changed in it.

    A folder of images gives a table of labels and of paths, relative to the output's folder.

    Args:
        train: table, or folder of images, that was audited.
        label: column of the labels in the table.
        suspects: table of suspects.
        output: table that will be written; only its folder and its ending count here.
        how: how files are read.

    Raises:
        DataError: a row does not exist, or its label is no longer the one that was given; or nothing can be written to
            ``output``.
        ValueError: ``label`` is missing for a table.
    """
    writable(output)
    suggestions = read_suggestions(suspects, how)
    if train.is_dir():
        return _of_folder(train, suggestions, suspects, output)
    if label is None:
        raise ValueError("--label must be given: the name of a column")
    table = read_table(train, replace(how, skip_bad=False))  # every row is written again
    cells = column(table, label, train).tolist()
    labels = [as_label(v) for v in cells]
    suggestions = _as_given(suggestions, labels)
    known = {name: cell for cell, name in zip(reversed(cells), reversed(labels), strict=True)}
    for s in suggestions:
        _check(s, labels, f"{train}, row {s.row}, column {label!r}", train, suspects)
        cells[s.row - 1] = known.get(s.suggested, s.suggested)
    after = [as_label(cell) for cell in cells]
    changed = sum(a != b for a, b in zip(after, labels, strict=True))
    table = table.assign(**{label: _like(table[label], cells)})
    return Relabelled(table, changed, _new(suggestions, labels), _journal(suggestions, labels, after))


def _of_folder(
    train: Path, suggestions: Sequence[Suggestion], suspects: Path, output: Path
) -> Relabelled:  # fmt: skip
    """The table of a folder of images, and the changed and new labels; see `relabelled`."""
    found = read_image_folder(train)
    labels = list(found.labels)
    suggestions = _as_given(suggestions, labels)
    for s in suggestions:
        _check(s, labels, f"{train}, image {s.row}", train, suspects)
        if s.file is not None and s.file != found.names[s.row - 1]:
            raise DataError(
                f"{train}, image {s.row}: it is {found.names[s.row - 1]}, but {s.file} in {suspects}, row {s.at}; "
                "the folder has changed since the audit"
            )
        labels[s.row - 1] = s.suggested
    paths = [os.path.relpath(str(source), output.parent) for source in found.sources]
    changed = sum(a != b for a, b in zip(labels, found.labels, strict=True))
    table = pd.DataFrame({IMAGE: paths, LABEL: [name or "" for name in labels]})
    return Relabelled(table, changed, _new(suggestions, found.labels), _journal(suggestions, found.labels, labels))


def _as_given(suggestions: Sequence[Suggestion], labels: Sequence[str | None]) -> list[Suggestion]:
    """Suggestions without the apostrophes that `safe_cells` put before labels; labels that have their own stay."""
    own = frozenset(labels)

    def plain(name: str | None) -> str | None:
        return name if name is None or name in own else as_given(name)

    return [replace(s, given=plain(s.given), suggested=plain(s.suggested) or s.suggested) for s in suggestions]


def _new(suggestions: Sequence[Suggestion], labels: Sequence[str | None]) -> list[str]:
    """The suggested labels that no row has, such as misspelt ones, sorted."""
    return sorted({s.suggested for s in suggestions} - {name for name in labels if name is not None})


def _check(s: Suggestion, labels: Sequence[str | None], place: str, train: Path, suspects: Path) -> None:
    """Check that the row of a suggestion exists and still has the label that was given.

    Raises:
        DataError: it does not.
    """
    if not 1 <= s.row <= len(labels):
        raise DataError(f"{suspects}, row {s.at}, column 'row': {train} has no row {s.row}, only {len(labels)}")
    if labels[s.row - 1] != s.given:
        raise DataError(
            f"{place}: the label is {labels[s.row - 1] or ''!r}, but {s.given or ''!r} was given by {suspects}, "
            f"row {s.at}; the labels have changed since the audit, or a spreadsheet has rewritten those (007, TRUE)"
        )


def _like(cells: pd.Series, values: list[Any]) -> pd.Series:
    """Values as a column of the same type as ``cells``; as text where a value does not fit that type."""
    names = [as_label(v) for v in values]
    try:
        found = pd.Series(values, index=cells.index, dtype=cells.dtype)
    except (ValueError, TypeError, OverflowError):
        found = None
    if found is None or [as_label(v) for v in found] != names:  # a cast may change what does not fit
        return pd.Series(names, index=cells.index, dtype=object)
    return found
