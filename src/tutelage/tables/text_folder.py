"""Folders of text files: a folder for each class, with a text in each file; or texts without labels."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tutelage.data.errors import DataError
from tutelage.tables.charsets import decoded
from tutelage.tables.how import ReadAs
from tutelage.tables.letters import check_letters
from tutelage.tables.notes import Notes
from tutelage.tables.odd import counted
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
    """Whether a folder holds text files, in it or in a folder of it."""
    return path.is_dir() and any(_texts(folder, deep=False) for folder in (path, *_folders(path)))


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
    if classes and all(folder.name.lower() in SPLITS for folder in classes):
        names = ", ".join(folder.name for folder in classes)
        raise DataError(f"{path}: the folders {names} are parts of a data set, not classes; name one of them")
    files = [(file, folder) for folder, texts in classes.items() for file in texts] or [
        (file, path) for file in _texts(path, deep=False)
    ]
    if not files:
        raise DataError(f"{path}: no text in the folder; texts are files that end in {ENDING}")
    _say_passed_over(path, {file for file, _ in files}, notes)
    empty = [folder.name for folder, texts in classes.items() if not texts]
    if empty:
        notes.say(f"{path}: no text in the {'folders' if len(empty) > 1 else 'folder'} {', '.join(empty)}.")
    rows = [_row(path, file, folder, how, notes) for file, folder in files]
    return Found(pd.DataFrame(rows), "folder of texts")


def _row(root: Path, file: Path, folder: Path, how: ReadAs, notes: Notes) -> dict[str, str]:
    try:
        text = decoded(file.read_bytes(), how, file)
    except OSError as e:
        raise DataError(f"{file}: the file cannot be read ({e.strerror or e})") from e
    check_letters(text.data, str(file), notes)
    label = "" if folder == root or folder.name.lower() in POOL else folder.name
    content = text.data.decode().replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return {FILE: file.relative_to(root).as_posix(), TEXT: content, LABEL: label}


def _folders(path: Path) -> list[Path]:
    return sorted(each for each in path.iterdir() if each.is_dir() and not each.name.startswith("."))


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
