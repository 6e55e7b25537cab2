"""Saved folders as somebody else might make them: changed, and with a manifest that fits the changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tutelage.files import is_sealed, seal, write_json
from tutelage.files.whole import HASH


def forge(path: Path, change: Callable[[Any], Any]) -> None:
    """Change an object of JSON, and seal its folder anew, and the folders of the run around it.

    Args:
        path: file of the object.
        change: gives the changed value.
    """
    value = json.loads(path.read_text())
    value.pop(HASH, None)
    changed = change(value)
    if isinstance(changed, dict):
        write_json(path, changed)
    else:
        path.write_text(json.dumps(changed))
    sealed_anew(path.parent)


def sealed_anew(folder: Path) -> None:
    """Write the manifests of a folder, and of the run around it, anew."""
    for each in (folder, folder.parent):
        if is_sealed(each):
            seal(each)
