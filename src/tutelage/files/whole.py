"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PART = ".part"
"""Ending of a file that is being written; the number of the process that writes it stands before it."""

OWN_PART = re.compile(rf".+\.(\d+){re.escape(PART)}", re.DOTALL)
"""Pattern of the name of such a file."""

DAMAGED = ".damaged"
"""Ending of a damaged file or folder that was set aside."""

HASH = "sha256"
"""Key of an object of JSON under which the hash of its other entries stands."""

BLOCK = 1 << 20
"""Number of bytes that are read at once to hash a file."""


OF_SYSTEM = re.compile(r"\(os error ([0-9]+)\)")
"""Words of libraries in Rust on an error of the system, with its number."""


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Context in which an error of the system that names no file, as one of reading does, gets the name of one.

    Libraries in Rust, such as tokenizers, raise errors of the system as their own, with the number in their words.

    Args:
        path: the file, or the folder that it lies in.
    """
    try:
        yield
    except OSError as e:
        if e.errno is None or e.filename is not None:
            raise
        raise OSError(e.errno, e.strerror or os.strerror(e.errno), str(path)) from e
    except Exception as e:
        if (found := OF_SYSTEM.search(str(e))) is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1])), str(path)) from e


@contextlib.contextmanager
def written(path: Path, new: bool = False) -> Iterator[Path]:
    """Context that gives a path to write to; what is written there then takes the place of a file, whole and at once.

    A crash leaves the old file or the new one, never a part of it. Where the writing fails, the old file stays, and
    nothing is left beside it.

    Args:
        path: file to write.
        new: whether it takes the place of no file.

    Raises:
        FileExistsError: the file is to be new, and is there by now.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")
    try:
        with naming(path):
            _make_anew(part)
            yield part
            with part.open("rb") as f:
                os.fsync(f.fileno())
            if new:
                _place_new(part, path)
            else:
                part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _place_new(part: Path, path: Path) -> None:
    """Move a file to a place where there is none.

    Raises:
        FileExistsError: there is one.
    """
    try:
        os.link(part, path)  # unlike a move, it fails where the file is there by now
    except FileExistsError:
        raise
    except OSError:  # a file system without such links
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        part.rename(path)
    part.unlink(missing_ok=True)


def _make_anew(part: Path) -> None:
    """Make an empty file; what has its name is removed, since a link there would lead the writing elsewhere."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        number = os.open(part, flags, 0o666)
    except FileExistsError:
        part.unlink()
        number = os.open(part, flags, 0o666)
    os.close(number)


def _sync_folder(folder: Path) -> None:
    """Let the names in a folder outlive a loss of power, where the file system can."""
    with contextlib.suppress(OSError):  # Windows, and some file systems, cannot
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves the old file or the new one, never a part of it."""
    with written(path) as part:
        part.write_bytes(data)


def write_json(path: Path, value: Mapping[str, Any]) -> dict[str, Any]:
    """Write an object as indented JSON, atomically, with the hash of its other entries under `HASH`.

    Returns:
        The object as it is read again, without its hash.
    """
    plain: dict[str, Any] = json.loads(_text(value))
    write_atomically(path, _text(plain | {HASH: hash_of(plain)}))
    return plain


def as_written(path: Path) -> bool:
    """Whether a file of JSON has the very bytes that `write_json` gives its values; blanks count, too.

    Raises:
        ValueError: it is no JSON.
    """
    data = path.read_bytes()
    return data == _text(json.loads(data))


def _text(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode(errors="replace")


def hash_of(value: Mapping[str, Any]) -> str:
    """SHA-256 of an object as JSON holds it, without its entry `HASH`, in hexadecimal digits.

    >>> hash_of({"a": 1, HASH: "?"}) == hash_of({"a": 1}) != hash_of({"a": 2})
    True
    """
    return hashlib.sha256(json.dumps({k: v for k, v in value.items() if k != HASH}).encode()).hexdigest()


def set_aside(path: Path) -> Path:
    """Rename a damaged file or folder, so that it is made again; its new path.

    Args:
        path: the file or folder; one of the new name, which was set aside before, is removed.
    """
    aside = path.with_name(f"{path.name}{DAMAGED}")
    if aside.is_dir():
        shutil.rmtree(aside)
    path.replace(aside)
    return aside


def clear_parts(folder: Path, of: str = "") -> None:
    """Remove what killed processes left half-written in a folder and in the folders within it.

    Args:
        folder: the folder.
        of: name of the file of which the parts are removed whose process has ended; empty removes all parts, as the one
            writer of a folder may, see `one_writer`.
    """
    for path in [*folder.glob(f"{_escaped(of)}.*{PART}")] if of else [*folder.rglob(f"*{PART}")]:
        own = OWN_PART.fullmatch(path.name)
        if own and (path.is_file() or path.is_symlink()) and not (of and _runs(int(own[1]))):
            path.unlink(missing_ok=True)


def remove_folder(folder: Path) -> str:
    """Remove a folder that is not needed any more, where it is there; why that failed, or an empty text.

    Args:
        folder: the folder.

    >>> remove_folder(Path("no such folder"))
    ''
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return ""
    except OSError as e:
        return e.strerror or str(e)
    return ""


def is_part(path: Path) -> bool:
    """Whether a path has the name of a file that this library was writing.

    >>> is_part(Path("a.csv.81.part")), is_part(Path("film.part"))
    (True, False)
    """
    return OWN_PART.fullmatch(path.name) is not None


def _escaped(name: str) -> str:
    """A name in which no character means anything to `Path.glob`."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in name)


def _runs(number: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    h = hashlib.sha256()
    with naming(path), path.open("rb") as f:
        while block := f.read(BLOCK):
            h.update(block)
    return h.hexdigest()


def digest(folder: Path) -> str:
    """SHA-256 of the names and contents of the files in a folder and in the folders within it."""
    h = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        h.update(f"{path.relative_to(folder)} {path.stat().st_size} ".encode(errors="surrogateescape"))
        with naming(path), path.open("rb") as f:
            while block := f.read(BLOCK):
                h.update(block)
    return h.hexdigest()
