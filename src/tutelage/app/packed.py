"""A .zip of images or texts, unpacked into a folder of them; one that holds a table stays as it is."""

from __future__ import annotations

import lzma
import secrets
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tutelage.files import remove_folder
from tutelage.tables import FORMATS, DataError, ending_of

ITEMS = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".txt")
"""Endings of the files that are items of their own."""

MOST = 1_000_000
"""Files in a .zip, at most."""

SHARE = 0.5
"""Share of the room that is left on the disk that the files may take, at most."""


def unpacked(path: Path, folder: Path) -> Path | None:
    """A hidden folder with the images or texts of a .zip; None where the .zip holds a table.

    A folder around all of them is left out, and so are other files. No name leads out of the folder.

    Args:
        path: the .zip.
        folder: folder in which the new one is made.

    Raises:
        DataError: it is no .zip, is damaged, holds neither, or more than there is room for.
        OSError: it cannot be written; nothing is kept.
    """
    try:
        with zipfile.ZipFile(path) as held:
            files = [each for each in held.infolist() if not each.is_dir() and _is_plain(each.filename)]
            if any(ending_of(Path(each.filename)) in FORMATS and not _is_item(each.filename) for each in files):
                return None
            items = [each for each in files if _is_item(each.filename)]
            if len(items) == 1 and items[0].filename.lower().endswith(".txt"):
                return None
            if not items:
                raise DataError("the .zip holds neither a table nor images: pack a folder of images for each class")
            _require_room(items, folder)
            return _written(held, items, folder)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, EOFError, NotImplementedError) as e:
        raise DataError(f"the .zip cannot be unpacked: {e}") from None


def _is_plain(name: str) -> bool:
    """Whether a name leads nowhere else, and is not hidden."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not any(part.startswith((".", "/", "__MACOSX")) or ":" in part or "\0" in part for part in parts)


def _is_item(name: str) -> bool:
    return name.lower().endswith(ITEMS)


def _require_room(items: list[zipfile.ZipInfo], folder: Path) -> None:
    size, free = sum(each.file_size for each in items), shutil.disk_usage(folder).free
    if len(items) > MOST or size > SHARE * free:
        raise DataError(f"the .zip holds {len(items):,} files of {size:,} bytes: there is no room for them here")


def _written(held: zipfile.ZipFile, items: list[zipfile.ZipInfo], folder: Path) -> Path:
    paths = [PurePosixPath(each.filename.replace("\\", "/")) for each in items]
    around = len({path.parts[0] for path in paths}) == 1 and len(paths[0].parts) > 1
    made = folder / f".{secrets.token_hex(8)}.unpacked"
    try:
        for each, path in zip(items, paths, strict=True):
            target = made.joinpath(*path.parts[1 if around and len(path.parts) > 1 else 0 :])
            target.parent.mkdir(parents=True, exist_ok=True)
            with held.open(each) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out, 1 << 20)
    except BaseException:
        if made.exists():
            remove_folder(made)
        raise
    return made
