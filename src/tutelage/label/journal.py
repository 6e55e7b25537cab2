"""The journal: every answer of every annotator, written at once, one line each, and never changed."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from tutelage.files import BadFileError, naming, write_atomically

ACTS = ("label", "none", "unsure", "skip", "undo", "note", "settle", "saw", "class")
"""What an answer does: give a label; say that none of the classes is right, that one cannot tell, or that the item is
to come later; take back one's last answer; note something; or settle on what annotators disagree. Two are no answers
but kept beside them: that the annotator has seen what the model says, and that a class was added to those offered."""

NO_ANSWERS = ("saw", "class")
"""Those of them that answer nothing."""

Act = Literal["label", "none", "unsure", "skip", "undo", "note", "settle", "saw", "class"]

VERSION = 1
"""Version of the form of the file, in its first line."""

SUM = ', "crc": '
"""What stands before the checksum of a line, at its end."""


@dataclass(frozen=True)
class Answer:
    """One line of the journal.

    Attributes:
        number: number of the line, from 1; it gives the order, which clocks do not.
        at: time of the server's clock, in UTC, as ISO 8601 writes it.
        by: name of the annotator.
        item: hash of the item, 16 hexadecimal digits.
        row: number of the item in the table, from 0, when it was asked.
        act: what the answer does, one of `ACTS`.
        label: class, where the act gives one; of a sentence the tag of each of its words, with blanks between them.
        seconds: time from the item on the screen to the answer, by the browser's clock; None where nobody measured.
        seen: whether the annotator had seen what the model says.
        asked: by which selector the item was asked for, see `tutelage.ask`; "hand" where a person picked it.
        note: remark of the annotator.
        together: number of the first answer of those that were given at once to a group of alike items; 0 of others.
        back: number of the answer that is taken back; 0 of others.
        suggested: whether what the model says was shown at once, as on items drawn for it.
        was: label that the table had of the item, before this page gave it one.
    """

    number: int
    at: str
    by: str
    item: str
    row: int
    act: Act
    label: str = ""
    seconds: float | None = None
    seen: bool = False
    asked: str = ""
    note: str = ""
    together: int = 0
    back: int = 0
    suggested: bool = False
    was: str = ""

    def line(self) -> str:
        """The line of the file, with its checksum and its end."""
        return _line({name: value for name, value in asdict(self).items() if name in NEEDED or value != USUAL[name]})


USUAL = {f.name: f.default for f in fields(Answer) if f.default is not MISSING}
"""Values that a line does not hold where they are these."""

NEEDED = frozenset(f.name for f in fields(Answer)) - set(USUAL)
"""Names of the values that each line holds."""


class Journal:
    """A journal that is open for writing.

    An answer is on the disk before `add` returns. Where it cannot be written, the file stays as it was.

    Args:
        path: the file; it is made where it is not there.
        about: what the journal is of, for its first line.

    Raises:
        BadFileError: the file is damaged elsewhere than at its end, or is no journal; nothing is changed.
        OSError: it cannot be written.

    Attributes:
        answers: all answers, in their order.
        torn: number of bytes of a line that was cut off at the end, which nobody was told to be kept; it is removed.
    """

    def __init__(self, path: Path, about: dict[str, Any] | None = None) -> None:
        self.path, self.answers, self.torn = path, list[Answer](), 0
        with naming(path):
            data = path.read_bytes() if path.exists() else b""
            whole = data[: data.rfind(b"\n") + 1]
            self.torn = len(data) - len(whole)
            self.about, self.answers = _read(path, whole)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            if self.torn:
                os.ftruncate(self._file, len(whole))
            self._size = len(whole)
            if not whole:
                self.about = about or {}
                self._write(self._first())

    @property
    def following(self) -> int:
        """Number of the next answer."""
        return len(self.answers) + 1

    def add(self, *answers: Answer) -> None:
        """Write answers, all or none of them.

        Args:
            answers: answers whose numbers follow on those that are there.

        Raises:
            OSError: they cannot be written, as where the disk is full; or the file was changed or removed by others.
        """
        assert [a.number for a in answers] == list(range(self.following, self.following + len(answers)))
        with naming(self.path):
            self._require_same()
            self._write("".join(answer.line() for answer in answers))
        self.answers += answers

    def close(self) -> None:
        """End the writing."""
        os.close(self._file)

    def _first(self) -> str:
        """The first line of the file."""
        return _line({"journal": "tutelage label", "version": VERSION} | self.about)

    def _require_same(self) -> None:
        """Check that the file is the one that was opened, of the length that it was left with.

        One that was removed is written anew, with all answers.

        Raises:
            OSError: it is not, or it cannot be written anew.
        """
        if not self.path.exists():
            self._write_anew()
        here, there = os.fstat(self._file), self.path.stat()
        if (there.st_ino, there.st_dev) != (here.st_ino, here.st_dev):
            raise BadFileError(
                f"{self.path} was replaced by another file while it was open; move that file away: the journal is then "
                f"written anew, with the {len(self.answers):,} answers so far"
            )
        if here.st_size != self._size:
            raise BadFileError(
                f"{self.path} was changed by another program while it was open; nothing is written over it: start again"
            )

    def _write_anew(self) -> None:
        """Write the file again, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = (self._first() + "".join(answer.line() for answer in self.answers)).encode()
        write_atomically(self.path, data)
        os.close(self._file)
        self.path.chmod(0o600)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        self._size = len(data)

    def _write(self, text: str) -> None:
        data, done = text.encode(), 0
        try:
            while done < len(data):
                done += os.write(self._file, data[done:])
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)


def _line(value: dict[str, Any]) -> str:
    """An object as a line of JSON, with the checksum of what stands before it."""
    text = json.dumps(value, ensure_ascii=True)[:-1]
    return f'{text}{SUM}"{zlib.crc32(text.encode()):08x}"}}\n'


def _read(path: Path, data: bytes) -> tuple[dict[str, Any], list[Answer]]:
    """What the first line says, and the answers of the others.

    Raises:
        BadFileError: a line is damaged; the message has its number.
    """
    lines = _objects(path, data)
    first = next(lines, None)
    if first is None:
        return {}, []
    if first.get("journal") != "tutelage label" or first.get("version") != VERSION:
        raise BadFileError(f"{path}, line 1: no journal of tutelage label of version {VERSION}; name another file")
    about = {name: value for name, value in first.items() if name not in ("journal", "version", "crc")}
    names, found = {f.name for f in fields(Answer)}, list[Answer]()
    for k, value in enumerate(lines):
        del value["crc"]
        strange = set(value) - names or NEEDED - set(value) or value["act"] not in ACTS
        if strange or value["number"] != k + 1:
            raise BadFileError(f"{path}, line {k + 2}: no answer, or not the one that follows; {MEND}")
        found.append(Answer(**value))
    return about, found


MEND = "put back the file as it was written, or move it aside, and start anew"
"""What to do where a journal is damaged."""


def _objects(path: Path, data: bytes) -> Iterator[dict[str, Any]]:
    """Objects of the lines, each checked against its checksum."""
    for k, line in enumerate(data.splitlines()):
        text, mark, rest = line.decode(errors="replace").rpartition(SUM)
        if not mark or rest != f'"{zlib.crc32(text.encode()):08x}"}}':
            raise BadFileError(f"{path}, line {k + 1}: damaged, its checksum is another; {MEND}")
        yield json.loads(line)
