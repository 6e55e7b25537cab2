"""Rows of a file, as plain columns where a tool exported them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tutelage.tables.exports.made import Made
from tutelage.tables.exports.tools import recognised
from tutelage.tables.notes import Notes
from tutelage.tables.seen import Found


def as_plain(found: Found, path: str, notes: Notes, made: Made | None = None) -> Found:
    """What was read of a file, as plain columns where a tool exported it; else as it was read.

    Args:
        found: what was read.
        path: the file.
        notes: takes the sentence on what was made.
        made: table made of the export, where it is known already; None looks at what was read.

    Raises:
        DataError: the export cannot be read; the message names the row.
    """
    made = made or recognised(found.frame, Path(path))
    if made is None:
        return found
    sentence = f"{path}: {made.sentence}"
    if sentence not in notes.lines:
        notes.say(sentence)
    facts: Mapping[str, Any] = {**found.facts, "made": made.sentence, "classes": made.classes}
    return replace(found, frame=made.frame, format=made.tool, rows=None, facts=facts)
