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
    """SHA-256 of each file of a folder, by its path; of JSON that holds the clock the text, without it and its hashes.

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
    named = {path.relative_to(folder).as_posix() for path in clocked}
    return {n: data.decode() if n in named else hashlib.sha256(data).hexdigest() for n, data in found.items()}


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
        + [f"{name} differs{_where(kept[name], found[name])}" for name in kept.keys() & found.keys()
           if kept[name] != found[name]]
    )  # fmt: skip


def _where(kept: str, found: str) -> str:
    """Keys and values that differ first in two texts of JSON; nothing of hashes."""
    try:
        one, other = json.loads(kept), json.loads(found)
    except ValueError:
        return ""
    path = ""
    while type(one) is type(other) and isinstance(one, dict | list):
        keys = list(one) if isinstance(one, dict) else range(len(one))
        if len(one) != len(other) or (isinstance(one, dict) and one.keys() != other.keys()):
            break
        key = next((key for key in keys if one[key] != other[key]), None)
        if key is None:
            break
        path, one, other = f"{path}/{key}", one[key], other[key]
    return f" at {path}: {str(one)[:200]} | {str(other)[:200]}"
