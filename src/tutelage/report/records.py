"""The records of a finished run, read from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutelage import files
from tutelage.files.described import Records


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
