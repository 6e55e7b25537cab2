"""The records of a finished run, read from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutelage import files

NEEDED = {"method", "score", "measure", "classes", "labelled", "unlabelled", "returned", "evidence"}
"""Entries that the summary of every run has."""


def read_records(folder: Path) -> dict[str, Any]:
    """Records of the finished run in a folder.

    Raises:
        FileNotFoundError: the folder holds no finished run.
        BadFileError: its records.json is damaged.
    """
    if not (folder / "records.json").exists():
        raise FileNotFoundError(f"{folder}: no finished run there (records.json is missing)")
    path = folder / "records.json"
    found: dict[str, Any] = files.read_json(path, "summary", "history")
    summary, history = found["summary"], found["history"]
    if not isinstance(history, list) or not isinstance(summary, dict) or not summary.keys() >= NEEDED:
        raise files.BadFileError(
            f"{path}: damaged, or not written by tutelage: its summary or its history is not whole"
        )
    return found
