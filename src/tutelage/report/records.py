"""The records of a finished run, read from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutelage import files
from tutelage.files import BadFileError
from tutelage.files.described import Records, Summary
from tutelage.ops.visible import visible


def read_records(folder: Path) -> dict[str, Any]:
    """Records of the finished run in a folder.

    Raises:
        FileNotFoundError: the folder holds no finished run.
        BadFileError: its records.json is damaged.
    """
    if not (folder / "records.json").exists():
        raise FileNotFoundError(f"{folder}: no finished run there (records.json is missing)")
    found: dict[str, Any] = files.read_json(folder / "records.json", Records)
    return found


def cost_of(folder: Path) -> dict[str, Any] | None:
    """What was predicted of the finished run in a folder and what was; None where nobody measured, or nobody can say.

    Args:
        folder: folder of the run.
    """
    try:
        found: dict[str, Any] | None = files.read_json(folder / "summary.json", Summary).get("cost")
    except (FileNotFoundError, BadFileError):
        return None
    return found


def to_show(record: Any) -> Any:
    r"""Records as a page and a plot show them: characters that steer a terminal, or end a page, are written out.

    Args:
        record: records of a run, or a part of them.

    >>> to_show({"classes": ["a\x1b[31mb", 3]})
    {'classes': ['a\\x1b[31mb', 3]}
    """
    if isinstance(record, str):
        return visible(record)
    if isinstance(record, dict):
        return {visible(name) if isinstance(name, str) else name: to_show(value) for name, value in record.items()}
    if isinstance(record, list | tuple):
        return [to_show(value) for value in record]
    return record
