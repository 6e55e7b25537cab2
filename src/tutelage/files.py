"""Saving and loading: safetensors for tensors, JSON for the rest. A file is written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

FORMAT = 2
"""Version of the file formats that this library writes; a file of a newer version is refused."""


class BadFileError(ValueError):
    """A saved file is damaged, lacks a part, or was written by a newer version."""


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves the old file or the new one, never a part of it."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
    except OSError:
        part.unlink(missing_ok=True)
        raise
    part.replace(path)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically."""
    write_atomically(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def read_json(path: Path, *keys: str) -> Any:
    """The JSON object in a file.

    Args:
        keys: keys that the object must have.

    Raises:
        BadFileError: the file is not JSON, or lacks a key.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as e:
        raise BadFileError(f"{path}: not readable as JSON ({e})") from e
    if not isinstance(value, dict) or any(k not in value for k in keys):
        raise BadFileError(f"{path}: not written by tutelage, or damaged")
    return value


def check_format(path: Path, found: Any) -> None:
    """Check that this version can read a file's format.

    Args:
        path: the file, for the message.
        found: format that the file names.

    Raises:
        BadFileError: the format is no number, or newer than `FORMAT`.
    """
    if not isinstance(found, int):
        raise BadFileError(f"{path}: not written by tutelage (format {found!r})")
    if found > FORMAT:
        raise BadFileError(f"{path}: format {found} is newer than {FORMAT}, the newest this version reads")


def write_tensors(path: Path, tensors: dict[str, Tensor], meta: Any = None) -> None:
    """Write tensors by name, and a value that JSON can hold, into one file, atomically."""
    header = {"tutelage": json.dumps({"format": FORMAT, "meta": meta})}
    contiguous = {n: t.detach().contiguous() for n, t in tensors.items()}
    write_atomically(path, save(contiguous, metadata=header))


def digest(folder: Path) -> str:
    """SHA-256 of the names and contents of the files in a folder and in the folders within it."""
    h = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        h.update(f"{path.relative_to(folder)} {path.stat().st_size} ".encode())
        with path.open("rb") as f:
            while block := f.read(1 << 20):
                h.update(block)
    return h.hexdigest()


def read_tensors(path: Path) -> tuple[dict[str, Tensor], Any]:
    """The tensors, by name, and the JSON value of a file that `write_tensors` wrote. The file holds no code to run.

    Raises:
        FileNotFoundError: there is no such file.
        BadFileError: the file is truncated, of another format, or written by a newer version.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with safe_open(path, framework="pt") as f:
            header = (f.metadata() or {}).get("tutelage")
            tensors = {n: f.get_tensor(n) for n in f.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as e:
        raise BadFileError(f"{path}: truncated or not a safetensors file ({e})") from e
    try:
        content = json.loads(header or "null")
        check_format(path, content["format"])
        return tensors, content["meta"]
    except (json.JSONDecodeError, KeyError, TypeError) as e:
        raise BadFileError(f"{path}: not written by tutelage") from e
