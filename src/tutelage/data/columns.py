"""Columns on disk: values that are appended block by block, each with its checksum, and mapped into memory to be read.

What is mapped is the system's to hold or to drop, so that a column may be larger than the memory. A block that is torn
or damaged, as where a process was killed or a disk was full, is found by its checksum when the columns are opened
again, and it and those behind it are to be made again.
"""

from __future__ import annotations

import json
import os
import shutil
import weakref
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from tutelage.files import naming

INDEX = "blocks.jsonl"
"""File of a folder of columns that says how many rows each block has, and the checksums of its parts."""

AT_ONCE = 8192
"""Texts that are read at once where all of a column are gone through."""

PIECE = 1 << 24
"""Bytes that are read at once to check them."""


@dataclass(frozen=True)
class Form:
    """Form of a column.

    Attributes:
        dtype: type of the numbers, as numpy writes it with its byte order; "text" of texts.
        width: numbers of each row; 0: a row is one number, and the column of one dimension.
    """

    dtype: str
    width: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        """Endings of the column's files."""
        return (".texts", ".ends") if self.dtype == "text" else (".numbers",)


TEXTS = Form("text")
"""Form of a column of texts."""


class OnDisk(Sequence[Any]):
    """A sequence of values that lie in a folder, of which each is read when it is asked for.

    Attributes:
        folder: the folder.
        name: what tells these values from others in this folder.
    """

    folder: Path
    name: str = "items"

    @property
    def identity(self) -> int:
        """Checksum of the index of the columns, which tells their values from others that were there before."""
        return zlib.crc32((self.folder / INDEX).read_bytes())

    def taken(self, start: int, stop: int) -> list[Any]:
        """Values from one number on, up to another."""
        raise NotImplementedError

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self.taken(start, stop) if step == 1 else [self[i] for i in range(start, stop, step)]
        number = int(at) + len(self) * (at < 0)
        if not 0 <= number < len(self):
            raise IndexError(f"number {at} of {len(self)}")
        return self.taken(number, number + 1)[0]

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, len(self), AT_ONCE):
            yield from self.taken(start, min(start + AT_ONCE, len(self)))


class Texts(OnDisk):
    """Texts of a column.

    Args:
        folder: folder of the column.
        held: bytes of all texts, in UTF-8.
        ends: place behind the last byte of each text, (n,).
    """

    def __init__(self, folder: Path, held: np.ndarray, ends: np.ndarray) -> None:
        self.folder, self._held, self._ends = folder, held, ends

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the places of the files, which another process maps into its own memory."""
        return _texts_at, (self.folder, _place(self._held), _place(self._ends))

    def __len__(self) -> int:
        return len(self._ends)

    def taken(self, start: int, stop: int) -> list[str]:
        if start >= stop:
            return []
        ends = self._ends[start:stop].tolist()
        first = int(self._ends[start - 1]) if start else 0
        held = self._held[first : ends[-1]].tobytes()
        starts = [first, *ends[:-1]]
        return [held[a - first : b - first].decode("utf-8", "surrogatepass") for a, b in zip(starts, ends, strict=True)]


def _place(values: np.ndarray) -> Any:
    """File, type and shape of a whole array that is mapped from a file; any other array itself."""
    if isinstance(values, np.memmap) and values.filename is not None:
        return str(values.filename), values.dtype.str, values.shape
    return values


def _texts_at(folder: Path, held: Any, ends: Any) -> Texts:
    held, ends = (
        np.memmap(place[0], dtype=place[1], mode="c", shape=place[2]) if isinstance(place, tuple) else place
        for place in (held, ends)
    )
    return Texts(folder, held, ends)


class Made(OnDisk):
    """Values that a function makes of those of another sequence on disk, when they are asked for.

    Args:
        of: the other sequence.
        make: function of a list of its values that gives as many, each of its own value alone.
        name: name of what is made, which tells it from what else is made of these values.

    >>> list(Made(Chain(["a", "b"], ["c"]), lambda texts: [t.upper() for t in texts], "upper"))
    ['A', 'B', 'C']
    """

    def __init__(self, of: OnDisk, make: Any, name: str) -> None:
        self.of, self.make, self.folder = of, make, of.folder
        self.name = f"{of.name}-{name}"

    def __len__(self) -> int:
        return len(self.of)

    def taken(self, start: int, stop: int) -> list[Any]:
        found: list[Any] = self.make(self.of.taken(start, stop))
        return found


class Chain(OnDisk):
    """Several sequences, one behind the other; its folder is that of the first of them that lies on disk.

    >>> chain = Chain(["a", "b"], ["c"])
    >>> len(chain), chain[1:], chain[-1]
    (3, ['b', 'c'], 'c')
    """

    def __init__(self, *parts: Sequence[Any]) -> None:
        self.parts = parts
        self._ends = np.cumsum([len(part) for part in parts])
        self.folder = next((part.folder for part in parts if isinstance(part, OnDisk)), Path())
        held = json.dumps([list(part) if not isinstance(part, OnDisk) else part.name for part in parts], default=str)
        self.name = f"items-{zlib.crc32(held.encode(errors='replace')):08x}"

    def __len__(self) -> int:
        return int(self._ends[-1])

    def taken(self, start: int, stop: int) -> list[Any]:
        found: list[Any] = []
        for part, end in zip(self.parts, self._ends.tolist(), strict=True):
            begin = end - len(part)
            if start < end and stop > begin:
                found += list(part[max(start - begin, 0) : min(stop, end) - begin])
        return found


def folder_of(items: Any) -> Path | None:
    """Folder in which items lie on disk; None where they are in memory."""
    if isinstance(items, OnDisk):
        return items.folder
    if isinstance(items, np.memmap) and items.filename is not None:
        return Path(str(items.filename)).parent
    return None


def spaced(items: Any, most: int) -> Any:
    """As many items as said at most, evenly spaced, from the first on.

    Args:
        items: a list, an array or a sequence on disk.
        most: number of items, at least 1.

    >>> spaced(["a", "b", "c"], 2), spaced([1, 2], 2)
    (['a', 'c'], [1, 2])
    """
    return items if len(items) <= most else items[:: -(-len(items) // most)]


def evenly(items: Any, most: int) -> Any:
    """All items where there are at most so many, or they are in memory; else as many of them, evenly spaced.

    Args:
        items: a list, an array or a sequence on disk.
        most: number of items.

    >>> evenly(Chain(["a", "b"], ["c", "d"]), 2), evenly(["a", "b", "c"], 2)
    (['a', 'c'], ['a', 'b', 'c'])
    """
    if folder_of(items) is None or len(items) <= most:
        return items
    step = -(-len(items) // most)
    return items[::step] if isinstance(items, OnDisk) else np.array(items[::step])


class Columns:
    """Columns of a folder, which grow together, block by block. One process writes them.

    Args:
        folder: the folder, made where it is missing.
        forms: form of each column, by name.
        about: plain values that tell of what the columns are made; where those of the folder are others, it is emptied.
        hold: anything that has to live as long as what is mapped of the columns, such as a lock.

    Attributes:
        about: plain values that tell of what the columns are made.
        told: plain values that were given when they were finished; empty before.
        finished: whether no block follows.
        torn: number of blocks that were there and are to be made again, since they are damaged or stand behind one.

    Raises:
        OSError: the folder cannot be read or written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     columns = Columns(Path(folder), {"text": TEXTS, "number": Form("<i8")}, {})
    ...     columns.append({"text": ["a", "bc"], "number": np.array([1, 2])})
    ...     (len(columns), columns["text"][1], columns["number"].tolist())
    (2, 'bc', [1, 2])
    """

    def __init__(self, folder: Path, forms: Mapping[str, Form], about: Mapping[str, Any], hold: object = None) -> None:
        self.folder, self.forms, self.torn, self.hold = folder, dict(forms), 0, hold
        each = {name: [form.dtype, form.width] for name, form in forms.items()}
        self._about = json.loads(json.dumps({"about": dict(about), "forms": each}))
        self.about: dict[str, Any] = self._about["about"]
        self.told: dict[str, Any] = {}
        self.finished = False
        self._rows: list[int] = []
        self._ends = dict.fromkeys(self._files, 0)
        with naming(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not self._open():
                self.clear()

    @staticmethod
    def there(folder: Path, hold: object = None) -> Columns | None:
        """The columns that a folder holds; None where it holds none.

        Args:
            folder: the folder.
            hold: what has to live as long as they do, see above.

        Raises:
            OSError: the folder cannot be read.
        """
        path = folder / INDEX
        if not path.exists():
            return None
        with naming(path), open(path, "rb") as f:
            first = _line(f.readline())
        if first is None or "forms" not in first:
            return None
        return Columns(folder, {name: Form(*form) for name, form in first["forms"].items()}, first["about"], hold)

    @staticmethod
    def is_finished(folder: Path) -> bool:
        """Whether a folder holds columns behind which no block follows; they are not opened, and not checked."""
        try:
            with open(folder / INDEX, "rb") as f:
                *_, last = f
        except (OSError, ValueError):  # there is none, or it is empty
            return False
        return "finished" in (_line(last) or {})

    @staticmethod
    def linked(source: Path, folder: Path) -> bool:
        """Give the files of finished columns second names in another folder, in place of what it holds.

        The bytes are there once. Either folder may be removed, and neither is changed by what happens to the other.

        Args:
            source: folder of the columns, which others may remove meanwhile.
            folder: the other folder.

        Returns:
            Whether the folder holds them now; else it holds nothing.
        """
        if not Columns.is_finished(source):
            return False
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
            for file in source.iterdir():
                if file.name != INDEX:
                    _second(file, folder / file.name)
            shutil.copyfile(source / INDEX, folder / INDEX)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            return False
        return True

    @property
    def _files(self) -> list[str]:
        return [f"{name}{ending}" for name, form in self.forms.items() for ending in form.files]

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self._rows)

    def __len__(self) -> int:
        return sum(self._rows)

    def clear(self) -> None:
        """Remove all that the folder holds, and begin anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._rows, self.finished, self.told, self._ends = [], False, {}, dict.fromkeys(self._files, 0)
        self._note(self._about)

    def append(self, values: Mapping[str, Any]) -> None:
        """Append a block: a list of texts, or an array, of each column, of equal length, which may be 0.

        Raises:
            OSError: it cannot be written; the columns are then as they were.
        """
        count = len(next(iter(values.values())))
        parts = dict(part for name, form in self.forms.items() for part in self._parts(name, form, values[name]))
        try:
            for file, held in parts.items():
                with naming(self.folder / file), open(self.folder / file, "ab") as f:
                    f.write(held)
            each = {file: [self._ends[file] + len(held), zlib.crc32(held)] for file, held in parts.items()}
            self._note({"count": count, "files": each})
        except BaseException:
            for file, end in self._ends.items():
                with suppress(OSError):
                    os.truncate(self.folder / file, end)
            raise
        self._rows.append(count)
        self._ends = {file: end for file, (end, _) in each.items()}

    def finish(self, told: Mapping[str, Any] | None = None) -> None:
        """Say that no block follows, once all of them are safe on the disk.

        Args:
            told: plain values to be kept with the columns.
        """
        for file in self._files:
            path = self.folder / file
            with naming(path), open(path, "ab") as f:
                os.fsync(f.fileno())
        if not self.finished:
            self.told = dict(told or {})
            self._note({"finished": len(self), "told": self.told})
        self.finished = True

    def __getitem__(self, name: str) -> Any:
        """The column of a name: `Texts`, or an array, (n,) or (n, width), whose changes stay in memory."""
        form, count = self.forms[name], len(self)
        if form.dtype == "text":
            size = self._ends[f"{name}.texts"]
            return Texts(self.folder, self._mapped(f"{name}.texts", "u1", (size,)), self._ends_of(name, count))
        shape = (count, form.width) if form.width else (count,)
        return self._mapped(f"{name}.numbers", form.dtype, shape)

    def _ends_of(self, name: str, count: int) -> np.ndarray:
        return self._mapped(f"{name}.ends", "<i8", (count,))

    def _mapped(self, file: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        if not np.prod(shape):
            return np.empty(shape, dtype=dtype)
        with naming(self.folder / file):
            found: np.ndarray = np.memmap(self.folder / file, dtype=dtype, mode="c", shape=shape)
        if self.hold is not None:  # each view of the array has the same map
            weakref.finalize(found.base, _let_go, self.hold).atexit = False
        return found

    def where(self, keep: np.ndarray, folder: Path) -> Columns:
        """Columns of another folder with the rows that the mask ``keep``, (n,), selects, block by block."""
        made = Columns(folder, self.forms, self.about | {"kept": zlib.crc32(np.packbits(keep).tobytes())}, self.hold)
        start = 0
        for number, count in enumerate(self._rows):
            some = np.flatnonzero(keep[start : start + count]) + start
            if number >= made.blocks and not made.finished:
                block: dict[str, Any] = {}
                for name in self.forms:
                    held = self[name]
                    whole = held[start : start + count]
                    mine = some - start
                    block[name] = [whole[i] for i in mine.tolist()] if isinstance(whole, list) else whole[mine]
                made.append(block)
            start += count
        made.finish(self.told)
        return made

    def _parts(self, name: str, form: Form, values: Any) -> Iterator[tuple[str, bytes]]:
        """Bytes of a block of one column, by file."""
        if form.dtype != "text":
            found = np.ascontiguousarray(values, dtype=form.dtype)
            yield f"{name}.numbers", found.tobytes()
            return
        held = [text.encode("utf-8", "surrogatepass") for text in values]
        ends = np.cumsum([len(text) for text in held], dtype=np.int64) + self._ends[f"{name}.texts"]
        yield f"{name}.texts", b"".join(held)
        yield f"{name}.ends", ends.astype("<i8").tobytes()

    def _note(self, line: Mapping[str, Any]) -> None:
        """Append a line to the index, with its checksum; where it cannot be written whole, nothing is."""
        text, path = json.dumps(line), self.folder / INDEX
        before = path.stat().st_size if path.exists() else 0
        try:
            with naming(path), open(path, "ab") as f:
                f.write(f"{text}\t{zlib.crc32(text.encode()):08x}\n".encode())
        except BaseException:
            with suppress(OSError):
                os.truncate(path, before)
            raise

    def _open(self) -> bool:
        """Take over the sound blocks that the folder holds; False where it holds columns of something else."""
        path = self.folder / INDEX
        if not path.exists():
            return False
        lines, size = [], 0
        held = path.read_bytes()
        for raw in held.splitlines(keepends=True):
            if (line := _line(raw)) is None:
                break
            lines.append((line, size := size + len(raw)))
        if not lines or lines[0][0] != self._about:
            return False
        kept = lines[0][1]
        with_blocks = [(line, end) for line, end in lines[1:] if "count" in line]
        for line, end in with_blocks:
            if not self._sound(line):
                break
            self._rows.append(line["count"])
            self._ends = {file: at for file, (at, _) in line["files"].items()}
            kept = end
        begun = sum(raw.startswith(b'{"count"') for raw in held.splitlines()[1:])
        self.torn = begun - len(self._rows)
        self.finished = not self.torn and "finished" in lines[-1][0]
        if self.finished:
            self.told = lines[-1][0]["told"]
        else:
            os.truncate(path, kept)
            for file, end in self._ends.items():
                self._cut(file, end)
        return True

    def _cut(self, file: str, end: int) -> None:
        path = self.folder / file
        if path.exists() and path.stat().st_nlink > 1:  # another folder reads it, too
            own = path.with_name(f"{file}.own")
            shutil.copyfile(path, own)
            own.replace(path)
        if path.exists() or end:
            os.truncate(path, end)

    def _sound(self, line: Mapping[str, Any]) -> bool:
        """Whether the bytes of a block are those that were written."""
        for file, (end, told) in line["files"].items():
            crc, path = 0, self.folder / file
            left = end - self._ends[file]
            try:
                with open(path, "rb") as f:
                    f.seek(self._ends[file])
                    while left and (held := f.read(min(left, PIECE))):
                        crc, left = zlib.crc32(held, crc), left - len(held)
            except OSError:
                return False
            if left or crc != told:
                return False
        return True


def _let_go(hold: object) -> None:
    """Do nothing: what refers to a hold until then does so no more."""


def _second(file: Path, path: Path) -> None:
    """Give a file a second name; where the file system has none, copy it."""
    try:
        os.link(file, path)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(file, path)


def _line(raw: bytes) -> dict[str, Any] | None:
    """What a line of the index says; None where it is torn."""
    text, _, told = raw.decode("utf-8", "replace").rpartition("\t")
    if told != f"{zlib.crc32(text.encode()):08x}\n":
        return None
    found: dict[str, Any] = json.loads(text)
    return found
