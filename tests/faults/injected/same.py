"""What two results have in common, after what differs on purpose is taken out: seconds, memory, and moments."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

OF_THE_CLOCK = ("seconds", "peak_memory_mb", "created", "written", "time")
"""Keys of JSON whose values no two runs share."""

LITTER = (".part", ".lock", ".tmp", ".unfinished")
"""Endings of files that no finished result has."""


def _without_clock(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_clock(v) for k, v in value.items() if k not in OF_THE_CLOCK}
    return [_without_clock(v) for v in value] if isinstance(value, list) else value


def contents(folder: Path, names: tuple[str, ...] = ()) -> dict[str, str]:
    """SHA-256 of each file of a folder, by its path; of JSON, without the clock and without hashes of such files.

    Args:
        folder: folder of results.
        names: the files and folders in it that count; none counts all.
    """
    found, clocked = {}, set()
    tops = [folder / name for name in names] or [folder]
    for path in sorted(p for top in tops for p in (top.rglob("*") if top.is_dir() else [top]) if p.is_file()):
        name, data = path.relative_to(folder).as_posix(), path.read_bytes()
        if path.suffix == ".json":
            value = json.loads(data)
            if any(f'"{key}"'.encode() in data for key in OF_THE_CLOCK):
                clocked.add(path.name)
                data = json.dumps(_without_clock(value)).encode()
        found[name] = data
    manifests = [name for name in found if "manifest" in name]
    for name in manifests:
        found[name] = _without_hashes(found[name], clocked)
    return {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def _without_hashes(data: bytes, of: set[str]) -> bytes:
    """A manifest without what it says of files that hold the clock."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: kept(v) for k, v in value.items() if Path(str(k)).name not in of}
        return [kept(v) for v in value] if isinstance(value, list) else value

    return json.dumps(kept(json.loads(data))).encode()


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
