"""Paths of images as other machines and tools write them, and the files that they stand for."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tutelage.modalities.images.endings import ENDINGS
from tutelage.modalities.images.examples import shown
from tutelage.tables import UNHEARD, DataError, Notes

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
"""Pattern of the beginning of an address, such as https://, s3:// or file://."""
DRIVE = re.compile(r"[A-Za-z]:[\\/]")
"""Pattern of the beginning of an absolute path of Windows."""
UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
"""Pattern of what Label Studio puts before the name of an uploaded file."""
WITHIN = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)
"""Pattern of the beginning of an image that is written as text."""
BARE = re.compile(r"(/9j/|iVBORw0KGgo|R0lGOD|UklGR)[A-Za-z0-9+/\s]{80,}(?:={1,2}\s*)?")
"""Pattern of an encoded image that is written as text alone, by the beginnings of JPEG, PNG, GIF and WebP."""
MOST = 200_000
"""Number of files that are looked at in search of images, at most."""


def embedded(cell: str) -> bytes | None:
    r"""Encoded image that a cell of text holds in base64, alone or after "data:image/...;base64,"; else None.

    Raises:
        ValueError: what follows is no base64.

    >>> embedded("data:image/png;base64,iVBORw=="), embedded("a.png")
    (b'\x89PNG', None)
    """
    start = WITHIN.match(cell)
    if start is None and not BARE.fullmatch(cell):
        return None
    text = "".join(cell[0 if start is None else start.end() :].split())
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as e:
        raise ValueError(f"an image written as text is not base64 ({e})") from e


def is_foreign(path: str) -> bool:
    r"""Whether a path is an address, absolute, or of Windows, so that only its end may name a file here.

    >>> is_foreign(r"C:\cats\1.jpg"), is_foreign("/data/upload/1/a.jpg"), is_foreign("cats/1.jpg")
    (True, True, False)
    """
    return bool(ADDRESS.match(path) or DRIVE.match(path)) or path.startswith(("/", "\\")) or "\\" in path


def parts_of(path: str) -> list[str]:
    r"""Names of the folders and the file of a foreign path, without drive, host, "." and "..".

    Of an address of Label Studio it is the path that it stands for.

    >>> parts_of(r"C:\pets\cats\1.jpg"), parts_of("/data/local-files/?d=pets/1.jpg"), parts_of("s3://bucket/a%20b.jpg")
    (['pets', 'cats', '1.jpg'], ['pets', '1.jpg'], ['a b.jpg'])
    """
    if ADDRESS.match(path) or "?" in path:
        try:
            return _of_address(path)
        except ValueError:  # brackets that are no host, or text that is no base64
            return _names(path)
    return _names(path)


def _of_address(path: str) -> list[str]:
    address = urlsplit(path)
    asked = parse_qs(address.query)
    if "d" in asked and "local-files" in address.path:
        return _names(asked["d"][0])
    if "fileuri" in asked:
        return parts_of(base64.urlsafe_b64decode(asked["fileuri"][0] + "==").decode(errors="replace"))
    return _names(unquote(address.path) if address.scheme else path)


def _names(path: str) -> list[str]:
    parts = re.split(r"[\\/]+", path)
    return [part for part in parts if part not in ("", ".", "..") and not re.fullmatch("[A-Za-z]:", part)]


class _Files:
    """Files of a folder and of the folders within, found by the end of a path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._named: dict[str, list[Path]] | None = None

    def at(self, path: str) -> Path | None:
        """The one file that a foreign path stands for; None where there is none, or several."""
        parts = parts_of(path)
        plain = [*parts[:-1], UPLOADED.sub("", parts[-1], count=1)] if parts else []
        for names in [parts] if plain == parts else [parts, plain]:
            for k in range(len(names)):
                if _is_file(self.folder.joinpath(*names[k:])):
                    return self.folder.joinpath(*names[k:])
            found = self._below(names)
            if found is not None:
                return found
        return None

    def _below(self, names: Sequence[str]) -> Path | None:
        """The one file in a deeper folder that shares the longest end with a path."""
        if not names:
            return None
        named = self.named.get(names[-1].casefold(), [])
        exact = [file for file in named if file.name == names[-1]]
        alike = Counter({file: _shared(names, file.parts) for file in exact or named}).most_common(2)
        return alike[0][0] if alike and (len(alike) == 1 or alike[0][1] > alike[1][1]) else None

    def of_name(self, path: str) -> Path | None:
        """The one file in the folder or below that has a path's name, perhaps with an ending besides; else None."""
        names = _names(path)
        if not names:
            return None
        found = self._below(names)
        if found is not None or names[-1].lower().endswith(ENDINGS):
            return found
        ended = [file for ending in ENDINGS for file in self.named.get(names[-1].casefold() + ending, [])]
        alike = Counter({file: _shared(names, (*file.parts[:-1], file.stem)) for file in ended}).most_common(2)
        return alike[0][0] if alike and (len(alike) == 1 or alike[0][1] > alike[1][1]) else None

    @property
    def named(self) -> dict[str, list[Path]]:
        """Files by their names without regard to case, but for those directly in the folder."""
        if self._named is None:
            self._named = defaultdict(list)
            for number, file in enumerate(_walked(self.folder)):
                if number >= MOST:
                    break
                self._named[file.name.casefold()].append(file)
        return self._named


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # the name is too long
        return False


def _walked(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(files))


def _shared(names: Sequence[str], of_file: Sequence[str]) -> int:
    """Number of names that the ends of two paths share."""
    same = 0
    for one, other in zip(reversed(names), reversed(of_file), strict=False):
        if one.casefold() != other.casefold():
            break
        same += 1
    return same


def located(paths: Sequence[str | None], table: str | Path, column: str, notes: Notes = UNHEARD) -> list[str | None]:
    """Paths of the files that a table's cells stand for; None stays None.

    A path that is there, from the table's folder on, is taken as it is. The end of a foreign one (see `is_foreign`) is
    looked for in that folder and below; it must lead to one file, to which no other path leads. Where no path is there,
    so is the name of each, also without its ending.

    Args:
        paths: cells of the column, in the order of the rows.
        table: file of the table.
        column: name of the column, for messages.
        notes: takes how many were found so.

    Raises:
        DataError: an address is of the web and no file here has its end, or no foreign path leads to a file.
    """
    folder = Path(table).parent
    places = {path: str(folder / path) for path in paths if path is not None}
    absent = [path for path, place in places.items() if is_foreign(path) and not _is_there(place)]
    files = _Files(folder)
    if not absent:
        named = _by_name(places, files, table, column, notes)
        return [None if path is None else str(named.get(path, places[path])) for path in paths]
    found = {path: file for path in absent if (file := files.at(path)) is not None}
    twice = {file for file, number in Counter(found.values()).items() if number > 1}
    found = {path: file for path, file in found.items() if file not in twice}
    _refuse_if_lost(paths, absent, found, table, column)
    first, file = next(iter(found.items()))
    notes.say(
        f"{table}: {len(found)} of {len(places)} paths in the column {column!r} are of another machine or tool; they "
        f"were found by their ends, the first is {shown(first)!r}: {shown(file.relative_to(folder).as_posix())}."
    )
    if lost := [path for path in absent if path not in found]:
        notes.say(f"{table}: {len(lost)} more were not found, or are not clear, such as {shown(lost[0])!r}.")
    return [None if path is None else str(found.get(path, places[path])) for path in paths]


def _by_name(places: Mapping[str, str], files: _Files, table: str | Path, column: str, notes: Notes) -> dict[str, Path]:
    """Files below the table's folder that have the names in its cells, where none is there as it is written."""
    if not places or any(map(_is_there, places.values())):
        return {}
    found = {path: file for path in places if (file := files.of_name(path)) is not None}
    twice = {file for file, number in Counter(found.values()).items() if number > 1}
    found = {path: file for path, file in found.items() if file not in twice}
    if found:
        first, file = next(iter(found.items()))
        notes.say(
            f"{table}: no path in the column {column!r} is a file as it is written; {len(found)} of {len(places)} were "
            f"found by their names, the first is {shown(first)!r}: {shown(file.relative_to(files.folder).as_posix())}."
        )
    return found


def _is_there(place: str) -> bool:
    try:
        return os.path.lexists(place)
    except ValueError:  # it holds a zero
        return False


def _refuse_if_lost(
    paths: Sequence[str | None], absent: Sequence[str], found: dict[str, Path], table: str | Path, column: str
) -> None:
    """Raise DataError where an address of the web is not found, or nothing is."""
    lost = [path for path in absent if path not in found]
    web = [path for path in lost if ADDRESS.match(path) and not path.lower().startswith("file:")]
    if not web and found:
        return
    first = (web or lost)[0]
    why = "images are read from files, not from the web" if web else "no such file"
    several = f" ({len(lost)} such paths)" if len(lost) > 1 else ""
    raise DataError(
        f"{table}, row {paths.index(first) + 1}, column {column!r}: {why}: {shown(first)[:80]}{several}; its end was "
        f"looked for in {shown(Path(table).parent)} and the folders within; put the images there, or write paths that "
        "begin there"
    )
