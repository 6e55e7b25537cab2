"""What two results have in common, after what differs on purpose is taken out: seconds and memory."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

OF_THE_CLOCK = ("seconds", "peak_memory_mb", "cost")
"""Keys of JSON whose values no two runs share."""

VOUCHING = ("sha256", "seal")
"""Keys of a file that vouch for its values, and so differ where these do."""

PAGE = "report.html"
"""Name of the page that shows what a run took."""

MANIFEST = "manifest.json"
"""Name of the list of a folder's files, with their hashes."""

LITTER = (".part", ".lock", ".tmp", ".unfinished", "-moving", ".damaged")
"""Endings of files that no finished result has."""


def _without(keys: tuple[str, ...], value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without(keys, v) for k, v in value.items() if k not in keys}
    return [_without(keys, v) for v in value] if isinstance(value, list) else value


def contents(folder: Path, names: tuple[str, ...] = ()) -> dict[str, str]:
    """SHA-256 of each file of a folder, by its path; of JSON that holds the clock, without it and without its hashes.

    Args:
        folder: folder of results.
        names: the files and folders in it that count; none counts all.
    """
    found, clocked = {}, set()
    tops = [folder / name for name in names] or [folder]
    for path in sorted(p for top in tops for p in (top.rglob("*") if top.is_dir() else [top]) if p.is_file()):
        name, data = path.relative_to(folder).as_posix(), path.read_bytes()
        if path.name == PAGE:
            clocked.add(path)
            data = re.sub(rb'<section class="cost">.*?</section>', b"", data, flags=re.DOTALL)
        if path.suffix == ".json" and any(f'"{key}":'.encode() in data for key in OF_THE_CLOCK):
            clocked.add(path)
            data = json.dumps(_without(OF_THE_CLOCK + VOUCHING, json.loads(data))).encode()
        found[name] = data
    for name in (name for name in found if Path(name).name == MANIFEST):
        value, around = json.loads(found[name]), (folder / name).parent
        files = {k: v for k, v in value["files"].items() if around / k not in clocked}
        found[name] = json.dumps({k: v for k, v in value.items() if k not in VOUCHING} | {"files": files}).encode()
    return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def litter(folder: Path) -> list[str]:
    """Paths of what a finished result must not hold: parts, locks, unfinished files."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.name.endswith(LITTER) or (path.name == "parts" and path.is_dir())
    )


def differences(kept: dict[str, str], found: dict[str, str]) -> list[str]:
    """Names of files that are in one result only, or differ."""
    return sorted(
        [f"{name} is missing" for name in kept.keys() - found.keys()]
        + [f"{name} is new" for name in found.keys() - kept.keys()]
        + [f"{name} differs" for name in kept.keys() & found.keys() if kept[name] != found[name]]
    )
