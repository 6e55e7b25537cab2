"""Files that the page was given, each in a folder of its own, with what was said of it and done with it."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage import kinds
from tutelage.app.packed import LONGEST_NAME, Unpacked, unpacked
from tutelage.files import remove_folder, write_json
from tutelage.kinds import KINDS
from tutelage.kinds.told import A_WORD_A_LINE, Told, table_of, told
from tutelage.label.items import digest
from tutelage.label.jobs import Job, Jobs
from tutelage.tables import FORMATS, USUAL, DataError, ReadAs, ending_of, holds_texts
from tutelage.tables.settling import FLAGS, SETTLES

SHOWN = 5
"""Rows of a table that are shown."""

CHARACTERS = 200
"""Characters of a cell that are shown, at most."""

COLUMNS = 30
"""Columns that are shown, at most."""

LONGEST = 150
"""Bytes of the name of a file, at most, without its ending."""

FOLDER, LABELS = ".tutelage", ".labels"
"""Endings of the folders that hold what was done with a file, and the answers of its labelling page."""

TAKEN = (*FORMATS, *sorted(A_WORD_A_LINE), ".zip", ".gz", ".zst", ".bz2", ".xz")
"""Endings of the files that are taken."""

TAKES = (
    "a table (.csv, .tsv, .xlsx, .ods, .json, .jsonl, .parquet), sentences with a word a line (.conll, .iob, .conllu), "
    "or a .zip with a folder of images for each class"
)
"""Phrase that says which files are taken."""

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
"""Endings of files of images whose names are shown."""

ORIGIN = "origin.json"
"""File that holds the hash of the .zip that a folder came from, and what of it was left out."""

CHARSET, SEPARATOR = "charset", "separator"
"""What a form says of how a file is read."""

READ = "read.json"
"""File that holds how the file is read."""

SAID = "said.json"
"""File that holds the kind and the columns that were confirmed."""

READING = ("quote", "sheet", "columns", "skip-bad")
"""Options that settle questions and say how a file is read, as each command on it must know."""

SEVERAL = ("unlabelled-as",)
"""Options that settle questions and take several values, of which each answer adds one."""

STRANGE = re.compile(r"[^\w .()+-]", re.UNICODE)
"""Characters that the name of a kept file does not have."""


@dataclass(frozen=True)
class Given:
    """A file that the page was given.

    Attributes:
        path: the file, or the folder that came in a .zip.
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
    def beside(self) -> list[Path]:
        """What goes with the file where it is removed."""
        return [self.folder, self.path.with_name(f"{self.path.name}{LABELS}")]

    @property
    def digest(self) -> str:
        """SHA-256 of the file as it was given."""
        if not self.path.is_dir():
            return digest(self.path)
        try:
            return str(json.loads((self.folder / ORIGIN).read_text())["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    @property
    def says(self) -> list[str]:
        """Sentences on what of the .zip that it came from was left out."""
        try:
            return [str(line) for line in json.loads((self.folder / ORIGIN).read_text()).get("says", ())]
        except (OSError, ValueError, TypeError, AttributeError):
            return []

    @property
    def labelled_by_folders(self) -> bool:
        """Whether it is a folder with a folder for each class."""
        return self.path.is_dir() and any(each.is_dir() for each in self.path.iterdir())

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

    @property
    def settled(self) -> list[str]:
        """Words of the options by which questions were settled."""
        try:
            held = json.loads((self.folder / SAID).read_text())["settled"]
            return [word for word in map(str, held) if _by_name([word])]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def say(self, found: Told, settled: Sequence[str] = ()) -> None:
        """Keep the kind and the columns, and what was settled."""
        self.folder.mkdir(exist_ok=True)
        write_json(self.folder / SAID, {"kind": found.kind, "options": found.options, "settled": list(settled)})

    def forget_missing_columns(self) -> None:
        """Forget the kind and the columns where the file, as it is read now, has not all of the columns."""
        found = self.said
        try:
            columns = set(self.head()[0])
        except DataError:
            return
        named = () if found is None else found.options.values()
        if any(column not in columns for value in named for column in ([value] if isinstance(value, str) else value)):
            write_json(self.folder / SAID, {"kind": "", "options": {}, "settled": self.settled})

    @property
    def how(self) -> ReadAs:
        """How the file is read, as far as somebody said it."""
        try:
            said = _read_as(json.loads((self.folder / READ).read_text()))
        except (OSError, ValueError, TypeError, AttributeError, DataError):
            said = USUAL
        options: dict[str, Any] = {
            name.replace("-", "_"): True if name in FLAGS else value for name, value in _by_name(self.read_so)
        }
        try:
            return replace(said, **options) if options else said
        except DataError:
            return said

    @property
    def read_so(self) -> list[str]:
        """Words of the options, among those that settled questions, that say how the file is read."""
        return [word for word in self.settled if (named := _by_name([word])) and named[0][0] in READING]

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
        if self.path.is_dir():
            return Told(kinds.told_by([], self.path) or "images", {})
        return told(self.path, self.how)

    def remove(self) -> None:
        """Remove the file, and all that was done with it.

        Raises:
            DataError: a command uses it.
            OSError: it cannot be removed.
        """
        if running := self.running():
            raise DataError(f"{self.name} is used by a command that runs ({running.command}): stop it first")
        for path in (*self.beside, self.path):
            if not path.is_dir():
                path.unlink(missing_ok=True)
            elif why := remove_folder(path):
                raise OSError(f"{path.name} cannot be removed: {why}")

    def running(self) -> Job | None:
        """A command that uses the file now; None where there is none."""
        return next((job for job in self.jobs.all() if job.state == "running"), None)

    def head(self) -> tuple[list[str], list[list[str]]]:
        """Names of the columns, and the first rows.

        Raises:
            DataError: the file cannot be read.
        """
        if self.path.is_dir() and not holds_texts(self.path):
            found = sorted(path for path in self.path.rglob("*") if path.suffix.lower() in PICTURES)[:SHOWN]
            return ["image"], [[path.relative_to(self.path).as_posix()] for path in found]
        frame: pd.DataFrame = table_of(self.path, self.how)
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


def of_form(given: Given, form: Mapping[str, str], columns: Sequence[str]) -> Told:
    """The kind and the columns that a form says.

    Args:
        given: the file.
        form: values of the form: "kind", "items", "features" and "labels".
        columns: names of the file's columns.

    Raises:
        DataError: there is no such kind or column.
    """
    kind = form.get("kind", "")
    if kind not in KINDS:
        raise DataError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if given.path.is_dir():
        return Told(kind, {})
    of = KINDS[kind]
    (first,) = of.item_columns[:1]
    several = not isinstance(getattr(of, first, None), str | None)
    items = [name for name in form.get("items", "").split("\n") if name]
    if several:
        items = [name for name in form.get("features", "").split("\n") if name] or items
    labels = form.get("labels", "")
    for name in (*items, *filter(None, [labels])):
        if name not in columns:
            raise DataError(f"there is no column {name!r}; there are {', '.join(columns)}")
    if not items:
        raise DataError(f"name the column of the {of.words.things}")
    if labels in items:
        raise DataError(f"{labels!r} is named for the {of.words.things} and for their labels")
    options: dict[str, Any] = {first: items if several else items[0]}
    return Told(kind, options | ({of.label_columns[0]: labels} if labels else {}))


def settled(told: Told, before: Sequence[str], words: Sequence[str]) -> tuple[Told, list[str]]:
    """The kind and the columns once a question is settled, and the options beside them; none of them is there twice.

    Args:
        told: the kind and the columns.
        before: words of the options that were settled before.
        words: words of the options that settle the question; none where all is taken back.

    >>> told, more = settled(Told("texts", {"text": "a", "label": "b"}), ["--quote=none"], ["--text=b", "--label=a"])
    >>> told.options, more
    ({'text': 'b', 'label': 'a'}, ['--quote=none'])
    """
    if not words:
        return told, []
    options, kind = dict(told.options), told.kind
    kept = dict(_by_name(before))
    for name, value in _by_name(words):
        field = name.replace("-", "_")
        if name == "kind" and value in KINDS:
            options = _of_kind(Told(kind, options), value)
            kind = value
        elif field in (*KINDS[kind].item_columns[:1], *KINDS[kind].label_columns[:1]):
            options[field] = value if isinstance(options.get(field, ""), str) else [value]
        elif name in SEVERAL and name in kept and value not in kept[name].split(","):
            kept[name] = f"{kept[name]},{value}"
        else:
            kept[name] = value
    return Told(kind, options), [f"--{name}" if name in FLAGS else f"--{name}={value}" for name, value in kept.items()]


def _by_name(words: Sequence[str]) -> list[tuple[str, str]]:
    """Options that settle questions by their names, with their values; empty where they have none.

    >>> _by_name(["--sheet=--out=evil", "--skip-bad", "--out=evil", "--sheet", "x"])
    [('sheet', '--out=evil'), ('skip-bad', '')]
    """
    parts = [word.removeprefix("--").partition("=") for word in words if word.startswith("--")]
    return [(name, value) for name, sign, value in parts if name in SETTLES and bool(sign) == (name not in FLAGS)]


def _of_kind(told: Told, kind: str) -> dict[str, Any]:
    """The columns of what was told, named as another kind names them."""
    was, of = KINDS[told.kind], KINDS[kind]
    (first,), options = of.item_columns[:1], told.options
    value = options.get(was.item_columns[0], ())
    several = not isinstance(getattr(of, first, None), str | None)
    items = [value] if isinstance(value, str) else list(value)
    found: dict[str, Any] = {first: items if several else items[0]} if items else {}
    label = options.get(was.label_columns[0])
    return found | ({} if label is None else {of.label_columns[0]: label})


def all_of(folder: Path) -> list[Given]:
    """The files of a folder, the newest first."""
    found = [path for path in folder.iterdir() if named(folder, path.name) is not None]
    return [Given(path) for path in sorted(found, key=lambda path: -path.stat().st_mtime)]


def named(folder: Path, name: str) -> Given | None:
    """The file, or folder of items, of a name; None where there is none."""
    path = folder / name
    if (
        len(os.fsencode(f"{name}{FOLDER}")) > LONGEST_NAME
        or name != Path(name).name
        or name.startswith(".")
        or path.is_symlink()
    ):
        return None
    is_items = path.is_dir() and path.suffix not in (FOLDER, LABELS) and (Given(path).folder / ORIGIN).is_file()
    return Given(path) if path.is_file() or is_items else None


@dataclass(frozen=True)
class Kept:
    """A file that was sent, and what became of it.

    Attributes:
        given: the file.
        fate: "new"; "same": its like was here; or "beside": another one of its name was here.
    """

    given: Given
    fate: str


async def keep(folder: Path, name: str, parts: AsyncIterator[bytes]) -> Kept:
    """Keep a file that is sent; one of the same name and contents is taken again, another one stays beside it.

    Args:
        folder: folder of the files.
        name: its name.
        parts: its bytes.

    Raises:
        DataError: the name is none, the file is empty, or of no form that is taken.
        OSError: it cannot be written; nothing is kept.
    """
    whole = Path(STRANGE.sub("_", Path(name.replace("\\", "/")).name).strip(". "))
    stem, suffix = whole.stem.encode()[:LONGEST].decode(errors="ignore"), whole.suffix[:10]
    if not stem:
        raise DataError(f"a file needs a name, got {name!r}")
    if ending_of(whole) not in TAKEN:
        raise DataError(f"{whole.name} is not of a form that is read here: choose {TAKES}")
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        with part.open("wb") as file:
            async for each in parts:
                file.write(each)
        if not part.stat().st_size:
            raise DataError(f"{whole.name} is empty: it has no bytes")
        return _kept(folder, part, stem, suffix)
    finally:
        part.unlink(missing_ok=True)


def _kept(folder: Path, part: Path, stem: str, suffix: str) -> Kept:
    """Give a file that was written its name; a .zip of images or texts becomes a folder of them."""
    was, number = digest(part), 1
    held = unpacked(part, folder) if suffix.lower() == ".zip" else Unpacked(None)
    if (inside := held.folder) is not None:
        suffix = ""
        if stem.lower().endswith((FOLDER, LABELS)):  # the names of what belongs to other files
            stem = stem.replace(".", "_")
    try:
        while True:
            path = folder / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}")
            if (there := named(folder, path.name)) is not None and there.digest == was:
                return Kept(there, "same")
            if _placed(inside or part, path):
                break
            number += 1
        given = Given(path)
        if inside is not None or held.says:
            given.folder.mkdir(exist_ok=True)
            write_json(given.folder / ORIGIN, {"digest": was, "says": list(held.says)})
        return Kept(given, "new" if number == 1 else "beside")
    finally:
        if inside is not None and inside.exists():
            remove_folder(inside)


def _placed(part: Path, path: Path) -> bool:
    """Give a file or folder its name, unless another has it."""
    if part.is_dir():
        if path.exists():
            return False
        part.rename(path)
        return True
    try:
        path.hardlink_to(part)
    except FileExistsError:
        return False
    return True
