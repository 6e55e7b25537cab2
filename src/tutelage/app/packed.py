"""A .zip of images or texts, unpacked into a folder of them; one that holds a table stays as it is."""

from __future__ import annotations

import lzma
import os
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tutelage.files import remove_folder
from tutelage.tables import FORMATS, DataError, ending_of
from tutelage.tables.bounds import PIECE, most

ITEMS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".txt")
"""Endings of the files that are items of their own."""

MOST = 1_000_000
"""Files in a .zip, at most."""

LONGEST_NAME = 255
"""Bytes of the name of a file or folder, at most."""

MOSTLY = 0.8
"""Share of the images and texts, at least, that must be of one sort; the others are left out."""

BESIDE = 4
"""Texts to a file of JSON beyond which it is beside them, and no table."""

SHARE = 0.5
"""Share of the room that is left on the disk that the files may take, at most."""


@dataclass(frozen=True)
class Unpacked:
    """What came out of a .zip.

    Attributes:
        folder: hidden folder of its images or texts; None where it holds a table, and stays as it is.
        says: sentences on what was left out.
    """

    folder: Path | None
    says: Sequence[str] = ()


def unpacked(path: Path, folder: Path) -> Unpacked:
    """A hidden folder with the images or texts of a .zip; none where the .zip holds a table.

    A folder around all of them is left out, and so are other files. No name leads out of the folder.

    Args:
        path: the .zip.
        folder: folder in which the new one is made.

    Raises:
        DataError: it is no .zip, is damaged, holds neither, or both, or two files of one name, or more than there is
            room for.
        OSError: it cannot be written; nothing is kept.
    """
    try:
        with zipfile.ZipFile(path) as held:
            seen = [each for each in held.infolist() if not each.is_dir() and not _is_hidden(each.filename)]
            files = [each for each in seen if _is_plain(each.filename)]
            items = [each for each in files if _is_item(each.filename)]
            pictures = [each for each in items if not each.filename.lower().endswith(".txt")]
            texts = [each for each in items if each.filename.lower().endswith(".txt")]
            others = [each for each in files if not _is_item(each.filename)]
            tables = [each.filename for each in others if ending_of(Path(each.filename)) in FORMATS]
            beside = [name for name in tables if name.lower().endswith(".json")]
            if pictures or len(texts) > BESIDE * len(beside):
                tables = [name for name in tables if name not in beside]
            if tables:
                if pictures:
                    raise DataError(
                        f"the .zip holds a table, {tables[0]!r}, and {_counted(pictures, 'image')}: which is meant? "
                        "Send the table alone, or a .zip of the images alone, in a folder for each class"
                    )
                return Unpacked(None, [_beside(tables[0], files)] if len(tables) == 1 < len(files) else ())
            if len(items) == 1 and not pictures:
                return Unpacked(None)
            items, rest = _of_one_sort(pictures, texts)
            others += rest
            strange = [each.filename for each in seen if not _is_plain(each.filename)]
            if not items:
                why = f"; {_left_out(strange)}" if strange else ""
                raise DataError(
                    f"the .zip holds neither a table nor images: pack a folder of images for each class{why}"
                )
            says = [f"{_left_out(strange)}."] if strange else []
            if others:
                sort = "text" if items[0].filename.lower().endswith(".txt") else "image"
                first = f", such as {others[0].filename!r}" if len(others) > 1 else f", {others[0].filename!r}"
                says.append(
                    f"Left out: {_many(len(others))} that {'is' if len(others) == 1 else 'are'} no {sort}{first}."
                )
            return Unpacked(_written(held, items, folder, _room(items, path, folder)), says)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, NotImplementedError) as e:
        locked = "encrypted" in str(e)
        why = "it has a password: pack it again without one" if locked else str(e)
        raise DataError(f"the .zip cannot be unpacked: {why}") from None


def _of_one_sort(
    pictures: list[zipfile.ZipInfo], texts: list[zipfile.ZipInfo]
) -> tuple[list[zipfile.ZipInfo], list[zipfile.ZipInfo]]:
    """The images or texts that are meant, and those that are left out.

    Raises:
        DataError: there are nearly as many of the one as of the other.
    """
    more, less = sorted((pictures, texts), key=len, reverse=True)
    if len(more) < MOSTLY * (len(more) + len(less)):
        raise DataError(
            f"the .zip holds {_counted(pictures, 'image')} and {_counted(texts, 'text')}: which are meant? Send a "
            ".zip of the ones alone, in a folder for each class"
        )
    return more, less


def _counted(files: Sequence[object], what: str) -> str:
    return f"{len(files):,} {what}{'s' * (len(files) != 1)}"


def _is_hidden(name: str) -> bool:
    """Whether a system put the file there for itself."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts)


def _is_plain(name: str) -> bool:
    """Whether a name leads nowhere else, and each system can have it."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not any(part.startswith("/") or part == ".." or ":" in part or "\0" in part for part in parts)


def _is_item(name: str) -> bool:
    return name.lower().endswith(ITEMS)


def _many(count: int) -> str:
    return "1 file" if count == 1 else f"{count:,} files"


def _left_out(names: Sequence[str]) -> str:
    return (
        f"Left out: {_many(len(names))} whose names have a colon or lead elsewhere, such as {names[0]!r}: rename them"
    )


def _beside(table: str, files: Sequence[zipfile.ZipInfo]) -> str:
    """Sentence on files that are beside the only table."""
    others = [each.filename for each in files if each.filename != table]
    first = f"{_many(len(others))}, such as {others[0]!r}" if len(others) > 1 else repr(others[0])
    return f"The table is {table!r}; left out: {first}."


def _room(items: Sequence[zipfile.ZipInfo], path: Path, folder: Path) -> int:
    """Bytes that the files may take, at most.

    Raises:
        DataError: they take more, or are too many.
    """
    size, packed = sum(each.file_size for each in items), path.stat().st_size
    free = int(SHARE * shutil.disk_usage(folder).free)
    if len(items) > MOST or size > free:
        raise DataError(f"the .zip holds {len(items):,} files of {size:,} bytes: there is no room for them here")
    _require_within(size, most(packed), packed)
    return min(free, most(packed))


def _require_within(size: int, room: int, packed: int) -> None:
    if size > room:
        raise DataError(
            f"the .zip has {packed:,} bytes and unpacks to more than {room / 2**30:.3g} GB, the most for one of its "
            "size: pack fewer files"
        )


def _paths(items: Sequence[zipfile.ZipInfo]) -> list[PurePosixPath]:
    """Where each file goes.

    Raises:
        DataError: two of them have one name, one has the name of a folder, or a name is too long.
    """
    paths = [PurePosixPath(each.filename.replace("\\", "/")) for each in items]
    if long := next((part for path in paths for part in path.parts if len(os.fsencode(part)) > LONGEST_NAME), None):
        raise DataError(
            f"the .zip holds a name of {len(os.fsencode(long)):,} bytes, {long[:30] + '…'!r}, and a name has "
            f"{LONGEST_NAME} at most: shorten it"
        )
    there: dict[PurePosixPath, str] = {}
    for each, path in zip(items, paths, strict=True):
        if path in there:
            raise DataError(
                f"the .zip holds two files of one name, {there[path]!r} and {each.orig_filename!r}: rename one of them"
            )
        there[path] = each.orig_filename
    for path in paths:
        if clash := next((parent for parent in path.parents if parent in there), None):
            raise DataError(f"the .zip holds a file and a folder of one name, {str(clash)!r}: rename one of them")
    around = len({path.parts[0] for path in paths}) == 1 and len(paths[0].parts) > 1
    return [PurePosixPath(*path.parts[1:]) if around else path for path in paths]


def _written(held: zipfile.ZipFile, items: Sequence[zipfile.ZipInfo], folder: Path, room: int) -> Path:
    """Write the files into a new folder; what they take is counted meanwhile, since a .zip may say too little."""
    paths, total = _paths(items), 0
    packed = sum(each.compress_size for each in items)
    made = folder / f".{secrets.token_hex(8)}.unpacked"
    try:
        for each, path in zip(items, paths, strict=True):
            target = made / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with held.open(each) as source, target.open("wb") as out:
                while part := source.read(PIECE):
                    total += len(part)
                    _require_within(total, room, packed)
                    out.write(part)
    except BaseException:
        if made.exists():
            remove_folder(made)
        raise
    return made
