"""Several files that hold one table: a folder of them, or all that a pattern names."""

from __future__ import annotations

import glob
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError
from tutelage.files import naming
from tutelage.tables.columnar import is_saved
from tutelage.tables.endings import ARROW, JSON, SEPARATED, ending_of
from tutelage.tables.streamed import is_streamed, local, version_of
from tutelage.tables.text_folder import holds_texts

PATTERN = "*?["
"""Characters that make a path a pattern, where there is no file of that very name."""

TOGETHER = (*SEPARATED, *JSON, *ARROW)
"""Endings of the files that may be parts of one table."""

BEGINNING = 1 << 16
"""Bytes at the beginning of a file by which it is known again."""


def is_pattern(path: Path) -> bool:
    """Whether a path names files by a pattern.

    >>> is_pattern(Path("pool/*.parquet")), is_pattern(Path("pool.parquet"))
    (True, False)
    """
    return any(sign in str(path) for sign in PATTERN) and not is_streamed(path) and not path.exists()


def is_several(path: Path) -> bool:
    """Whether a path is a pattern, a folder of tables or a streamed data set: one table that is no single file."""
    if is_streamed(path) or is_pattern(path):
        return True
    return path.is_dir() and not is_saved(path) and not holds_texts(path) and bool(_within(path))


def files_of(path: Path) -> list[Path]:
    """The files of a table in the order of their names: the path itself, those in a folder, or those of a pattern.

    Args:
        path: file, folder or pattern; in a pattern ``**`` stands for folders within folders.

    Raises:
        DataError: a pattern names no file, or one that is no table.
    """
    if is_pattern(path):
        return _named(path)
    if not is_several(path) or is_streamed(path):
        return [path]
    found = _within(path)
    _require_there(found)
    return found


def _named(pattern: Path) -> list[Path]:
    """Files that a pattern names, and those in the folders that it names, in the order of their paths.

    Raises:
        DataError: it names no table, one that is none, or a link to what is gone.
    """
    named = glob.glob(str(pattern), recursive=True)  # noqa: PTH207 (of a path that begins anywhere)
    marked = not pattern.name.startswith("_")  # else marks such as _SUCCESS are passed over
    matches = [each for each in map(Path, named) if not (marked and each.name.startswith("_"))]
    found: list[Path] = []
    for each in matches:
        if each.is_dir() and not is_saved(each):
            found += _within(each)
        elif each.exists() or _is_gone(each):  # else a link in a circle
            found.append(each)
    found = _once(found)
    _require_there(found)
    if not found:
        raise DataError(f"{pattern}: no file matches the pattern{_nearby(pattern)}")
    strange = [each for each in found if not _is_table(each) and not is_saved(each)]
    if strange:
        raise DataError(
            f"{pattern}: the pattern also names {strange[0]}, which is no table of several files; let it end in one "
            f"of {', '.join(TOGETHER)}"
        )
    return found


def _require_there(files: Sequence[Path]) -> None:
    """Check that no file of a table is a link to one that is gone.

    Raises:
        DataError: one is; the message names it, and what it points to.
    """
    gone = [file for file in files if _is_gone(file)]
    if gone:
        others = f" ({len(gone):,} such links)" if len(gone) > 1 else ""
        to = f"{gone[0]}: a link to {gone[0].readlink()}, which is gone{others}"
        raise DataError(f"{to}; bring back what it points to, or remove the link")


def _within(folder: Path) -> list[Path]:
    """Tables in a folder, and in the folders within it, in the order of their paths; hidden ones are passed over.

    A folder with a saved data set is one table. Links are followed; one to what is gone is among the files where its
    name is that of a table, or has no ending, as that of a folder.

    Raises:
        OSError: a folder cannot be read.
    """
    found: list[Path] = []
    seen: set[Path] = set()
    left = [folder]
    while left:
        here = left.pop()
        if here.resolve() in seen:  # a link to a folder above it
            continue
        seen.add(here.resolve())
        for each in here.iterdir():
            if each.name.startswith((".", "_")):
                continue
            if each.is_dir():
                (found if is_saved(each) else left).append(each)
            elif _is_gone(each):
                found += [each] if _is_table(each) or not each.suffix else []
            elif _is_table(each) and each.is_file():
                found.append(each)
    return _once(found)


def _once(files: Sequence[Path]) -> list[Path]:
    """Files in the order of their paths, of which one that has several names is there once, by the first of these."""
    return sorted({file.resolve(): file for file in sorted(files, reverse=True)}.values())


def _is_gone(file: Path) -> bool:
    """Whether a file is a link to one that is not there."""
    try:
        file.stat()
    except FileNotFoundError:
        return file.is_symlink()
    except OSError:
        return False
    return False


def _is_table(file: Path) -> bool:
    return ending_of(file) in TOGETHER and file.suffix.lower() != ".zip"


def _nearby(path: Path) -> str:
    """Words, for a message, on the folder of a pattern that names no file."""
    parts = path.parts
    first = next(i for i, part in enumerate(parts) if any(sign in part for sign in PATTERN))
    folder = Path(*parts[:first])
    if not folder.is_dir():
        return f"; there is no folder {folder}"
    there = [file.name for file in sorted(folder.iterdir()) if file.is_file()]
    shown = ", ".join(there[:3]) + " ..." * (len(there) > 3)
    return f"; in {folder} there {'are' if len(there) > 1 else 'is'} {shown or 'no file'}"


@dataclass(frozen=True)
class Stamp:
    """What tells whether a file is still the same.

    Attributes:
        size: number of its bytes.
        changed: time of its last change, in nanoseconds.
        begins: checksum of its beginning.
    """

    size: int
    changed: int
    begins: int

    @staticmethod
    def of(path: Path) -> Stamp:
        """Stamp of a file; of a folder that of the files in it together."""
        files = [path] if not path.is_dir() else sorted(each for each in path.rglob("*") if each.is_file())
        size, changed, begins = 0, 0, 0
        for file in files:
            with naming(file):
                about = file.stat()
                with file.open("rb") as f:
                    begins = zlib.crc32(f.read(BEGINNING), begins)
            size, changed = size + about.st_size, max(changed, about.st_mtime_ns)
        return Stamp(size, changed, begins)

    def require_same(self, path: Path) -> None:
        """Check that the file has not changed since.

        Raises:
            DataError: it has, or is gone; the message says in what.
        """
        try:
            now = Stamp.of(path)
        except FileNotFoundError:
            raise DataError(f"{path}: it was removed while it was read") from None
        if now != self:
            grew = f"it had {self.size:,} bytes, and has {now.size:,}" if now.size != self.size else "its bytes changed"
            raise DataError(
                f"{path}: it changed while it was read ({grew}), so that its rows would be of two files; begin again "
                "when it is at rest"
            )

    def plain(self) -> list[int]:
        """Its values, by which the file is known again."""
        return [self.size, self.changed, self.begins]


def known_by(path: Path) -> dict[str, Any]:
    """Plain values by which a table is known again: name and stamp of each file, or the version of a data set.

    Files of that size are not read twice to know them, so that one that was copied or touched counts as another.

    Raises:
        DataError: a streamed data set cannot be had.
    """
    if is_streamed(path):
        here = local(path)
        return {str(path): version_of(path) if here is None else Stamp.of(here).plain()}
    return {str(file): Stamp.of(file).plain() for file in files_of(path)}
