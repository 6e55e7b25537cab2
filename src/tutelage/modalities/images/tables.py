"""Tables of images, with labels or with masks. Errors name the file, the row and the column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from tutelage.modalities.images.decoding import Source
from tutelage.modalities.images.paths import embedded, located
from tutelage.tables import UNHEARD, DataError, Notes, as_label, column
from tutelage.tables.cells import noun
from tutelage.tables.doubtful import is_doubtful, means_none

T = TypeVar("T")
"""Type of a result."""


@dataclass(frozen=True)
class _Rows:
    passed: Mapping[str, int] = field(default_factory=dict, kw_only=True)

    @property
    def ignored(self) -> int:
        """Number of files and folders that were passed over."""
        return sum(self.passed.values())

    def where(self, keep: np.ndarray) -> Self:
        """Images that the mask ``keep``, (n,), selects; ``passed`` stays that of the folder."""
        i = np.flatnonzero(keep)
        lists = {f.name: v for f in fields(self) if isinstance(v := getattr(self, f.name), list)}
        kept: dict[str, Any] = {name: [v[j] for j in i] for name, v in lists.items()}
        return replace(self, **kept)


@dataclass(frozen=True)
class ImageRows(_Rows):
    """Images of a table or a folder, with their labels.

    Attributes:
        file: the table or folder.
        sources: n images, encoded or as paths.
        labels: label of each image; None is unlabelled.
        rows: number of each image's row in the table, or of the image in the folder, from 1.
        names: path of each image, as the table or folder has it, or "row 7".
        passed: number of files and folders of a folder that were passed over, by reason: hidden, the ending of a file
            that is no image, or beside the folders of the classes.
    """

    file: str
    sources: list[Source]
    labels: list[str | None]
    rows: list[int]
    names: list[str]

    def __len__(self) -> int:
        return len(self.sources)


@dataclass(frozen=True)
class MaskedRows(_Rows):
    """Images of a table or a folder, with their masks.

    Attributes:
        file, sources, rows, names, passed: as those of `ImageRows`.
        masks: mask of each image, encoded or as a path; None is unlabelled.
    """

    file: str
    sources: list[Source]
    masks: list[Source | None]
    rows: list[int]
    names: list[str]

    def __len__(self) -> int:
        return len(self.sources)


def image_rows(
    table: pd.DataFrame, path: str | Path, images: str, label: str | None = None, notes: Notes = UNHEARD
) -> ImageRows:
    """Images of a table, with their labels where a column is named.

    A cell holds a path, absolute or relative to the table's folder, see `located`; or the encoded image, as bytes or
    after "data:image/png;base64,"; or both, {"bytes", "path"}, as in data sets of the Hub. An empty cell is an image of
    0 bytes, which `check_images` reports.

    Args:
        table: the table.
        path: its file.
        images: name of the column of the images.
        label: name of the column of the labels; None leaves all images unlabelled.
        notes: takes how paths of other machines were found.

    Raises:
        DataError: there is no such column, or a cell holds something else.
    """
    sources, names = _sources(table, path, images, notes)
    labels: list[str | None] = [None] * len(table)
    if label:
        labels = _each(table, path, label, _label)
    return ImageRows(str(path), sources, labels, list(range(1, len(table) + 1)), names)


def mask_rows(
    table: pd.DataFrame, path: str | Path, images: str, masks: str | None = None, notes: Notes = UNHEARD
) -> MaskedRows:
    """Images of a table, with their masks where a column is named; an empty cell of masks is unlabelled.

    Arguments, cells and errors are those of `image_rows`.
    """
    sources, names = _sources(table, path, images, notes)
    cells: list[Source | None] = [None] * len(table)
    if masks:
        cells = [cell or None for cell in _sources(_without_words(table, path, masks, notes), path, masks, notes)[0]]
    return MaskedRows(str(path), sources, cells, list(range(1, len(table) + 1)), names)


def _without_words(table: pd.DataFrame, path: str | Path, masks: str, notes: Notes) -> pd.DataFrame:
    """The table with empty cells for words that mean that there is no mask, such as nan; files of such names stay."""
    cells = column(table, masks, path)
    words = sorted({cell for cell in cells if isinstance(cell, str) and cell.strip()})
    none = [
        word for word in words
        if (means_none(word) or is_doubtful(word)) and not Path(path).parent.joinpath(word).is_file()
    ]  # fmt: skip
    if not none:
        return table
    gone = cells.map(lambda cell: isinstance(cell, str) and cell in none).astype(bool)
    first = int(gone.to_numpy().argmax())
    notes.say(
        f"{path}, column {masks!r}: {int(gone.sum())} cells say that there is no mask, the first in row {first + 1} "
        f"({cells.iloc[first]!r}); these images are unlabelled."
    )
    return table.assign(**{masks: cells.mask(gone, None)})


def _sources(table: pd.DataFrame, path: str | Path, name: str, notes: Notes) -> tuple[list[Source], list[str]]:
    """Images of a column, and their names."""
    cells = _each(table, path, name, _cell)
    places = located([cell if isinstance(cell, str) else None for cell, _ in cells], path, name, notes)
    sources: list[Source] = [
        cell if isinstance(cell, bytes) else str(at) for (cell, _), at in zip(cells, places, strict=True)
    ]
    return sources, [named or f"row {row}" for row, (_, named) in enumerate(cells, start=1)]


def _each(table: pd.DataFrame, path: str | Path, name: str, read: Callable[[object], T]) -> list[T]:
    """Results of ``read`` for each cell of a column; a ValueError becomes a DataError that names the place."""
    found = []
    for row, cell in enumerate(column(table, name, path), start=1):
        try:
            found.append(read(cell))
        except ValueError as e:
            raise DataError(f"{path}, row {row}, column {name!r}: {e}") from e
    return found


def _cell(cell: object) -> tuple[str | bytes, str]:
    """Path or encoded image that a cell holds, and its name; an empty name where it has no path."""
    if isinstance(cell, dict):
        if not {"bytes", "path"} & cell.keys():
            raise ValueError(f"a dict of an image has bytes or path, got {', '.join(map(repr, cell)) or 'nothing'}")
        named = str(cell.get("path") or "")
        return _cell(cell["bytes"])[0] if cell.get("bytes") else _cell(named)[0], named
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return bytes(cell), ""
    if isinstance(cell, (list, np.ndarray)) or (not isinstance(cell, str) and as_label(cell) is not None):
        raise ValueError(f"neither a path nor an encoded image but {noun(cell)}")
    path = as_label(cell)
    if path is None:
        return b"", ""
    within = embedded(path)
    return (path, path) if within is None else (within, "")


def _label(cell: object) -> str | None:
    if isinstance(cell, (list, dict, bytes, np.ndarray)):
        raise ValueError(f"not a label but {noun(cell)}")
    return as_label(cell)
