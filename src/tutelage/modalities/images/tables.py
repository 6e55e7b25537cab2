"""Tables and folders of images, with labels or with masks. Errors name the file, the row and the column."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
import pandas as pd

from tutelage.data.tables import DataError, as_label, column
from tutelage.modalities.images.decoding import Source
from tutelage.modalities.images.examples import shown, some

ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".dib", ".webp", ".avif", ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".tga", ".pcx", ".ico",
)  # fmt: skip
"""Endings, in lower case, of the files in a folder that count as images."""
POOL = ("unlabelled", "unlabeled")
"""Names, in lower case, of the folders of images without a label."""
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
"""Pattern of the beginning of a web address."""
T = TypeVar("T")
"""Type of a result."""


@dataclass(frozen=True)
class _Rows:
    def where(self, keep: np.ndarray) -> Self:
        """Images that the mask ``keep``, (n,), selects; ``ignored`` stays that of the folder."""
        i = np.flatnonzero(keep)
        lists = {f.name: v for f in fields(self) if isinstance(v := getattr(self, f.name), list)}
        return replace(self, **{name: [v[j] for j in i] for name, v in lists.items()})


@dataclass(frozen=True)
class ImageRows(_Rows):
    """Images of a table or a folder, with their labels.

    Attributes:
        file: the table or folder.
        sources: n images, encoded or as paths.
        labels: label of each image; None is unlabelled.
        rows: number of each image's row in the table, or of the image in the folder, from 1.
        names: path of each image, as the table or folder has it, or "row 7".
        ignored: number of files and folders that were passed over: hidden, without an image's ending, or not in a
            folder of a class.
    """

    file: str
    sources: list[Source]
    labels: list[str | None]
    rows: list[int]
    names: list[str]
    ignored: int = 0

    def __len__(self) -> int:
        return len(self.sources)


@dataclass(frozen=True)
class MaskedRows(_Rows):
    """Images of a table or a folder, with their masks.

    Attributes:
        file, sources, rows, names, ignored: as those of `ImageRows`.
        masks: mask of each image, encoded or as a path; None is unlabelled.
    """

    file: str
    sources: list[Source]
    masks: list[Source | None]
    rows: list[int]
    names: list[str]
    ignored: int = 0

    def __len__(self) -> int:
        return len(self.sources)


def image_rows(table: pd.DataFrame, path: str | Path, images: str, label: str | None = None) -> ImageRows:
    """Images of a table, with their labels where a column is named.

    A cell holds a path, absolute or relative to the table's folder; or the encoded image; or both, {"bytes", "path"},
    as in data sets of the Hub. An empty cell is an image of 0 bytes, which `check_images` reports.

    Args:
        table: the table.
        path: its file.
        images: name of the column of the images.
        label: name of the column of the labels; None leaves all images unlabelled.

    Raises:
        DataError: there is no such column, or a cell holds something else.
    """
    sources, names = _sources(table, path, images)
    labels: list[str | None] = [None] * len(table)
    if label:
        labels = _each(table, path, label, _label)
    return ImageRows(str(path), sources, labels, list(range(1, len(table) + 1)), names)


def mask_rows(table: pd.DataFrame, path: str | Path, images: str, masks: str | None = None) -> MaskedRows:
    """Images of a table, with their masks where a column is named; an empty cell of masks is unlabelled.

    Arguments, cells and errors are those of `image_rows`.
    """
    sources, names = _sources(table, path, images)
    cells: list[Source | None] = [None] * len(table)
    if masks:
        cells = [cell or None for cell in _sources(table, path, masks)[0]]
    return MaskedRows(str(path), sources, cells, list(range(1, len(table) + 1)), names)


def _sources(table: pd.DataFrame, path: str | Path, name: str) -> tuple[list[Source], list[str]]:
    """Images of a column, and their names."""
    folder = Path(path).parent
    cells = _each(table, path, name, _cell)
    sources: list[Source] = [str(folder / cell) if isinstance(cell, str) else cell for cell, _ in cells]
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
        raise ValueError(f"neither a path nor an encoded image but {type(cell).__name__}")
    path = as_label(cell)
    if path is None:
        return b"", ""
    if ADDRESS.match(path):
        raise ValueError(f"images are read from files, not from the web: {path[:80]}")
    return path, path


def _label(cell: object) -> str | None:
    if isinstance(cell, (list, dict, bytes, np.ndarray)):
        raise ValueError(f"not a label but {type(cell).__name__}")
    return as_label(cell)


def read_image_folder(path: str | Path, labels: bool = True) -> ImageRows:
    """Images of a folder with a folder for each class, and one named ``unlabelled`` (or ``unlabeled``) for the pool.

    Files count as images by their endings, also in deeper folders. Links are followed. Images are sorted by their
    paths.

    Args:
        path: the folder.
        labels: whether the folders are classes; else all images within the folder are taken, without labels.

    Raises:
        DataError: the folder is missing or empty, has no folder of a class, or has one without an image.
    """
    root = _folder(path)
    if not labels:
        found, ignored = _images_in(root)
        if not found:
            raise DataError(f"{root}: no image in the folder{_others(ignored)}")
        return _folder_rows(root, [(file, None) for file in found], ignored)
    there = sorted(root.iterdir())
    within = [entry for entry in there if entry.is_dir() and not entry.name.startswith(".")]
    if all(entry.name.lower() in POOL for entry in within):
        _refuse_without_classes(root, there)
    ignored, items = len(there) - len(within), []
    for entry in within:
        found, others = _images_in(entry)
        label = None if entry.name.lower() in POOL else as_label(entry.name)
        if label and not found:
            raise DataError(f"{shown(entry)}: no image in the folder of a class{_others(others)}")
        items += [(file, label) for file in found]
        ignored += others
    return _folder_rows(root, items, ignored)


def read_mask_folder(path: str | Path) -> MaskedRows:
    """Images and masks of a folder with the folders ``images`` and ``masks``.

    A mask has the same path as its image, but for the ending. Images without a mask are unlabelled.

    Raises:
        DataError: a folder is missing, there is no image, a mask has no image, or two images or masks have one name.
    """
    root = _folder(path)
    found = {name: _images_in(_folder(root / name)) for name in ("images", "masks")}
    images, masks = (_by_stem(root / name, files) for name, (files, _) in found.items())
    if not images:
        raise DataError(f"{root / 'images'}: no image in the folder{_others(found['images'][1])}")
    lonely = [shown(file) for stem, file in masks.items() if stem not in images]
    if lonely:
        raise DataError(f"{lonely[0]}: a mask without an image of its name in images ({len(lonely)} of {len(masks)})")
    rows = _folder_rows(root, [(file, None) for file in images.values()], sum(ignored for _, ignored in found.values()))
    paired: list[Source | None] = [str(masks[stem]) if stem in masks else None for stem in images]
    return MaskedRows(rows.file, rows.sources, paired, rows.rows, rows.names, rows.ignored)


def _by_stem(folder: Path, files: list[Path]) -> dict[Path, Path]:
    named: dict[Path, Path] = {}
    for file in files:
        stem = file.relative_to(folder).with_suffix("")
        if stem in named:
            raise DataError(f"{shown(file)}: {shown(named[stem].name)} beside it has the same name but for its ending")
        named[stem] = file
    return named


def _folder(path: str | Path) -> Path:
    if not Path(path).exists():
        raise DataError(f"{path}: no such folder")
    if not Path(path).is_dir():
        raise DataError(f"{path}: not a folder")
    return Path(path)


def _refuse_without_classes(root: Path, there: list[Path]) -> None:
    if not there:
        raise DataError(f"{root}: the folder is empty")
    loose = [shown(entry.name) for entry in there if entry.suffix.lower() in ENDINGS]
    holds = some(loose or [shown(entry.name) for entry in there], 3)
    raise DataError(f"{root}: no folder of a class, with its images in it; there is {holds}")


def _others(ignored: int) -> str:
    return f" ({ignored} other files)" if ignored else ""


def _images_in(folder: Path) -> tuple[list[Path], int]:
    """Images within a folder, sorted by path, and the number of files and folders that are passed over."""
    images, ignored, seen = [], 0, set()
    for root, folders, files in os.walk(folder, onerror=_refuse_unreadable, followlinks=True):
        if (here := os.path.realpath(root)) in seen:  # a link back
            folders.clear()
            continue
        seen.add(here)
        found = [name for name in files if name.lower().endswith(ENDINGS) and not name.startswith(".")]
        hidden = [name for name in folders if name.startswith(".")]
        folders[:] = sorted(set(folders) - set(hidden))
        images += [Path(root, name) for name in found]
        ignored += len(files) - len(found) + len(hidden)
    return sorted(images), ignored


def _refuse_unreadable(error: OSError) -> None:
    raise DataError(f"{shown(error.filename)}: the folder cannot be read ({error.strerror})") from error


def _folder_rows(root: Path, items: list[tuple[Path, str | None]], ignored: int) -> ImageRows:
    names = [shown(file.relative_to(root).as_posix()) for file, _ in items]
    sources: list[Source] = [str(file) for file, _ in items]
    labels = [label for _, label in items]
    return ImageRows(str(root), sources, labels, list(range(1, len(items) + 1)), names, ignored)
