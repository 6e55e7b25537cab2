"""Folders of text files: a folder for each class, with a text in each file; or texts without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from tutelage.data.errors import DataError
from tutelage.tables.charsets import decoded
from tutelage.tables.file_names import require_unicode
from tutelage.tables.how import ReadAs
from tutelage.tables.letters import check_letters
from tutelage.tables.links import leads_back, not_followed
from tutelage.tables.notes import Notes
from tutelage.tables.odd import FEW, counted
from tutelage.tables.seen import Found

ENDING = ".txt"
"""Ending of the files that are texts; where a folder has none of them, files that have numbers for names are."""
POOL = ("unlabelled", "unlabeled", "unsup", "unsupervised", "pool")
"""Names, in lower case, of the folders of texts without a label."""
SPLITS = ("train", "training", "test", "testing", "dev", "val", "valid", "validation", "eval")
"""Names, in lower case, of folders that hold a part of a data set, not a class."""
FILE, TEXT, LABEL = "file", "text", "label"
"""Columns of the table: path of each text's file within the folder, the text, and the name of its class."""


def holds_texts(path: Path) -> bool:
    """Whether a folder holds text files, in it or in a folder of it, or one level deeper and no other files above."""
    if not path.is_dir():
        return False
    folders = [path, *_folders(path)]
    return any(_texts(folder, deep=False) for folder in folders) or bool(_deeper(folders))


def _deeper(folders: Sequence[Path]) -> list[Path]:
    """Folders with texts within folders that hold folders alone, sorted by path; none where one holds a file."""
    if any(not each.name.startswith(".") and not each.is_dir() for folder in folders for each in folder.iterdir()):
        return []
    return [inner for folder in folders[1:] for inner in _folders(folder) if _texts(inner, deep=False)]


def read_text_folder(path: Path, how: ReadAs, notes: Notes) -> Found:
    """The table of a folder of texts, with the columns file, text and label.

    Args:
        path: the folder.
        how: how files are read.
        notes: takes what is noticed.

    Raises:
        DataError: there is no text, a file is not in the charset, or the folders are splits, not classes.
    """
    classes = {folder: _texts(folder, deep=True) for folder in _folders(path)}
    if not any(classes.values()):
        classes = {}
    if inner := _deeper([path, *_folders(path)]):
        raise DataError(
            f"{path}: no text in its folders, but in folders within these, such as {inner[0].relative_to(path)}: name "
            f"the folder whose folders are the classes, such as {inner[0].parent}"
        )
    if classes and all(folder.name.lower() in SPLITS for folder in classes):
        names = ", ".join(folder.name for folder in classes)
        raise DataError(f"{path}: the folders {names} are parts of a data set, not classes; name one of them")
    files = [(file, folder) for folder, texts in classes.items() for file in texts] or [
        (file, path) for file in _texts(path, deep=False)
    ]
    if not files:
        raise DataError(f"{path}: no text in the folder; texts are files that end in {ENDING}")
    for file, _ in files:
        require_unicode(file)
    _say_passed_over(path, {file for file, _ in files}, notes)
    _say_links(path, notes)
    empty = [folder.name for folder, texts in classes.items() if not texts]
    if empty:
        notes.say(f"{path}: no text in the {'folders' if len(empty) > 1 else 'folder'} {', '.join(empty)}.")
    rows: list[dict[str, str]] = []
    faults: dict[Path, str] = {}
    for file, folder in files:
        try:
            rows.append(_row(path, file, folder, how, notes))
        except DataError as fault:
            faults[file] = str(fault)
    _settle(faults, path, len(files), how.skip_bad, notes)
    return Found(pd.DataFrame(rows), "folder of texts")


def _settle(faults: Mapping[Path, str], path: Path, total: int, skip_bad: bool, notes: Notes) -> None:
    """Say which files cannot be read and are left out, or refuse them.

    Raises:
        DataError: a file cannot be read, and none may be left out, or so many are such files.
    """
    if not faults:
        return
    names = [file.relative_to(path).as_posix() for file in faults]
    first, few = next(iter(faults.values())), len(faults) <= FEW * total
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    others = f"; then {', '.join(names[1:4])}{more}" if len(names) > 1 else ""
    if skip_bad and few:
        notes.say(
            f"Left out of {path}: {len(faults)} of {total} files that cannot be read (first: {first}{others}).",
            page="left-out",
        )
        return
    advice = "; --skip-bad leaves such files out" if few else ""
    count = f" ({len(faults)} of {total} files cannot be read{others})" if len(names) > 1 else ""
    raise DataError(f"{first}{count}{advice}")


def _row(root: Path, file: Path, folder: Path, how: ReadAs, notes: Notes) -> dict[str, str]:
    try:
        text = decoded(file.read_bytes(), how, file, alone=True)
    except OSError as e:
        raise DataError(f"{file}: the file cannot be read ({e.strerror or e})") from e
    check_letters(text.data, str(file), notes)
    label = "" if folder == root or folder.name.lower() in POOL else folder.name
    content = text.data.decode().replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return {FILE: file.relative_to(root).as_posix(), TEXT: content, LABEL: label}


def _folders(path: Path) -> list[Path]:
    there = (each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))
    return sorted(each for each in there if not leads_back(each, path))


def _texts(folder: Path, deep: bool) -> list[Path]:
    """Texts in a folder, and in the folders within if ``deep``, sorted by path."""
    within = folder.rglob("*") if deep else folder.iterdir()
    files = [file for file in within if not file.name.startswith(".") and file.is_file()]
    named = [file for file in files if file.suffix.lower() == ENDING]
    return sorted(named or [file for file in files if not file.suffix and file.name.isdigit()])


def _say_passed_over(path: Path, taken: set[Path], notes: Notes) -> None:
    others = [file for file in path.rglob("*") if file.is_file() and file not in taken]
    if others:
        shown = ", ".join(sorted(file.relative_to(path).as_posix() for file in others)[:3])
        more = " ..." if len(others) > 3 else ""
        are = "is" if len(others) == 1 else "are"
        notes.say(f"{path}: {counted(len(others), 'other file')} {are} passed over ({shown}{more}).")


def _say_links(path: Path, notes: Notes) -> None:
    """Say which links to folders are not followed: those that lead back, and all those within a folder of a class."""
    links = [each for each in sorted(path.rglob("*")) if each.is_symlink() and each.is_dir()]
    back = [each for each in links if leads_back(each, path)]
    if back:
        notes.say(not_followed(back, path))
    others = [each for each in links if each not in back and each.parent != path]
    if others:
        notes.say(f"{path}: links to folders within a folder of a class are not followed, the first: {others[0]}.")
