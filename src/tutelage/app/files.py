"""Files that the page was given, each in a folder of its own, with what was said of it and done with it."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage.files import write_json
from tutelage.kinds import KINDS
from tutelage.kinds.told import Told, told
from tutelage.label.jobs import Jobs
from tutelage.tables import USUAL, DataError, ReadAs, read

SHOWN = 5
"""Rows of a table that are shown."""

CHARACTERS = 200
"""Characters of a cell that are shown, at most."""

COLUMNS = 30
"""Columns that are shown, at most."""

LONGEST = 150
"""Bytes of the name of a file, at most, without its ending."""

FOLDER = ".tutelage"
"""Ending of the folder that holds what was done with a file."""

CHARSET, SEPARATOR = "charset", "separator"
"""What a form says of how a file is read."""

READ = "read.json"
"""File that holds how the file is read."""

SAID = "said.json"
"""File that holds the kind and the columns that were confirmed."""

STRANGE = re.compile(r"[^\w .()+-]", re.UNICODE)
"""Characters that the name of a kept file does not have."""


@dataclass(frozen=True)
class Given:
    """A file that the page was given.

    Attributes:
        path: the file.
    """

    path: Path

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    @property
    def folder(self) -> Path:
        """Folder that holds what was done with it."""
        return self.path.with_name(f"{self.path.name}{FOLDER}")

    @property
    def jobs(self) -> Jobs:
        """Commands that were done with it."""
        return Jobs(self.folder / "jobs")

    @property
    def said(self) -> Told | None:
        """The kind and the columns that were confirmed; None where nothing was yet."""
        try:
            held = json.loads((self.folder / SAID).read_text())
            return Told(str(held["kind"]), dict(held["options"])) if held["kind"] in KINDS else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def say(self, found: Told) -> None:
        """Keep the kind and the columns."""
        self.folder.mkdir(exist_ok=True)
        write_json(self.folder / SAID, {"kind": found.kind, "options": found.options})

    @property
    def how(self) -> ReadAs:
        """How the file is read, as far as somebody said it."""
        try:
            held = json.loads((self.folder / READ).read_text())
            return _read_as(held)
        except (OSError, ValueError, TypeError, AttributeError, DataError):
            return USUAL

    def read_as(self, form: Mapping[str, str]) -> None:
        """Keep how the file is read.

        Args:
            form: values of the form: "charset" and "separator"; empty ones are found out.

        Raises:
            DataError: a separator is none.
        """
        held = {name: form.get(name, "") for name in (CHARSET, SEPARATOR)}
        _read_as(held)
        self.folder.mkdir(exist_ok=True)
        write_json(self.folder / READ, held)

    def guess(self) -> Told:
        """The kind and the columns by the cells.

        Raises:
            DataError: the file cannot be read, or no column looks like items.
        """
        return told(self.path, self.how)

    def head(self) -> tuple[list[str], list[list[str]]]:
        """Names of the columns, and the first rows.

        Raises:
            DataError: the file cannot be read.
        """
        frame: pd.DataFrame = read(self.path, self.how).frame
        names = [str(name) for name in frame.columns]
        rows = frame.head(SHOWN).iloc[:, :COLUMNS].astype(object).to_numpy().tolist()
        return names, [[_shown(cell) for cell in row] for row in rows]


def _read_as(held: Mapping[str, Any]) -> ReadAs:
    """How a file is read, of what was said of it."""
    charset, separator = str(held.get(CHARSET) or USUAL.charset), held.get(SEPARATOR)
    return ReadAs(charset=charset, separator=str(separator) if separator else None)


def _shown(cell: Any) -> str:
    if cell is None or cell is pd.NA or (isinstance(cell, float) and pd.isna(cell)):
        return ""
    if isinstance(cell, bytes):
        return f"{len(cell):,} bytes"
    text = str(cell)
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]}…"


def of_form(path: Path, form: dict[str, str], columns: Sequence[str]) -> Told:
    """The kind and the columns that a form says.

    Args:
        path: the file, for messages.
        form: values of the form: "kind", "items" and "labels".
        columns: names of the file's columns.

    Raises:
        DataError: there is no such kind or column.
    """
    kind = form.get("kind", "")
    if kind not in KINDS:
        raise DataError(f"{path}: kind must be one of {', '.join(KINDS)}, got {kind!r}")
    of = KINDS[kind]
    items = [name for name in form.get("items", "").split("\n") if name]
    labels = form.get("labels", "")
    for name in (*items, *filter(None, [labels])):
        if name not in columns:
            raise DataError(f"{path}: there is no column {name!r}; there are {', '.join(columns)}")
    if not items:
        raise DataError(f"{path}: name the column of the {of.words.things}")
    if labels in items:
        raise DataError(f"{path}: {labels!r} is named for the {of.words.things} and for their labels")
    (first,) = of.item_columns[:1]
    several = not isinstance(getattr(of, first, None), str | None)
    options: dict[str, Any] = {first: items if several else items[0]}
    return Told(kind, options | ({of.label_columns[0]: labels} if labels else {}))


def all_of(folder: Path) -> list[Given]:
    """The files of a folder, the newest first."""
    found = [path for path in folder.iterdir() if named(folder, path.name) is not None]
    return [Given(path) for path in sorted(found, key=lambda path: -path.stat().st_mtime)]


def named(folder: Path, name: str) -> Given | None:
    """The file of a name; None where there is none."""
    path = folder / name
    inside = name == Path(name).name and not name.startswith(".") and path.is_file() and not path.is_symlink()
    return Given(path) if inside else None


async def keep(folder: Path, name: str, parts: AsyncIterator[bytes]) -> Given:
    """Keep a file that is sent; one that is there stays, and the new one gets a number.

    Args:
        folder: folder of the files.
        name: its name.
        parts: its bytes.

    Raises:
        DataError: the name is none.
        OSError: it cannot be written; nothing is kept.
    """
    given = Path(STRANGE.sub("_", Path(name.replace("\\", "/")).name).strip(". "))
    stem, suffix = given.stem.encode()[:LONGEST].decode(errors="ignore"), given.suffix[:10]
    if not stem:
        raise DataError(f"a file needs a name, got {name!r}")
    suffix = f"{suffix}_" if suffix == FOLDER else suffix
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        with part.open("wb") as file:
            async for each in parts:
                file.write(each)
        path, number = folder / f"{stem}{suffix}", 2
        while not _placed(part, path):
            path, number = folder / f"{stem}-{number}{suffix}", number + 1
    finally:
        part.unlink(missing_ok=True)
    return Given(path)


def _placed(part: Path, path: Path) -> bool:
    """Give a file its name, unless another has it."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return False
    return True
