"""The manifest of a folder: sizes and SHA-256 of its files, by which the folder vouches for itself."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired

from platformdirs import user_state_path
from typing_extensions import TypedDict

from tutelage.files.described import read_json
from tutelage.files.errors import FORMAT, REMEDY, VOUCHED, BadFileError, check_format
from tutelage.files.lock import LOCK
from tutelage.files.whole import DAMAGED, PART, is_part, sha256_of, write_json

MANIFEST = "manifest.json"
"""Name of the file that lists the files of a folder; it is written last, and a folder without it is unfinished."""

WORTH_A_LINK = 1 << 16
"""Bytes of a file, at least, that two folders share."""

LONGEST = 1024
"""Number of characters of the name of a file, at most."""

KEY_BYTES = 32
"""Number of bytes of the key by which manifests are sealed."""

KEY = "seal.key"
"""Name of the file in the user's state folder with which manifests are sealed that were made here."""


class Listed(TypedDict):
    """Size and SHA-256 of a file."""

    bytes: int
    sha256: str


class Manifest(TypedDict):
    """manifest.json: the files of a folder by name, and a seal of who wrote it."""

    format: int
    files: dict[str, Listed]
    seal: NotRequired[str | None]


@dataclass(frozen=True)
class Differences:
    """How a folder differs from its manifest.

    Attributes:
        count: number of files that the manifest lists.
        size: number of their bytes, together.
        missing, changed: names of files that are not there, or are not as they were written, in order.
        added: names of files that the manifest does not list, in order.
    """

    count: int
    size: int
    missing: list[str]
    changed: list[str]
    added: list[str]

    def words(self, but: Iterable[str] = ()) -> str:
        """What is damaged, in words; empty where nothing is.

        Args:
            but: names of files that may be missing or changed.

        >>> Differences(3, 90, ["model/model.json"], ["run.json"], []).words()
        'model/model.json is missing; run.json is not as it was written (SHA-256)'
        """
        free = set(but)
        found = [f"{name} is missing" for name in self.missing if name not in free]
        found += [f"{name} is not as it was written (SHA-256)" for name in self.changed if name not in free]
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        return "; ".join(found[:3]) + more


def seal(folder: Path, only: Callable[[str], bool] | None = None) -> None:
    """Write the manifest of a folder: of all files in it and in the folders within it.

    Args:
        folder: finished folder of a run, of a model or of an encoder.
        only: whether a file of a name was written anew; what the manifest says of the others stays as it is. None takes
            all files.
    """
    before = {} if only is None else _manifest(folder)["files"]
    there = {name: path for name, path in _files(folder) if only is None or only(name)}
    kept = {name: value for name, value in before.items() if only is not None and not only(name)}
    made = {name: {"bytes": path.stat().st_size, "sha256": sha256_of(path)} for name, path in there.items()}
    listed = dict(sorted((kept | made).items()))
    write_json(folder / MANIFEST, {"format": FORMAT, "files": listed, "seal": _seal(listed, make=True)})


def unseal(folder: Path) -> None:
    """Take a folder's manifest away, before something in the folder changes: it is unfinished from now on."""
    (folder / MANIFEST).unlink(missing_ok=True)


def is_sealed(folder: Path) -> bool:
    """Whether a folder has a manifest."""
    return (folder / MANIFEST).is_file()


def made_here(folder: Path) -> bool:
    """Whether the manifest of a folder was written by this user on this machine, as its seal tells.

    Raises:
        BadFileError: the manifest is damaged.
    """
    if not is_sealed(folder):
        return False
    found = _manifest(folder)
    sealed, own = found.get("seal"), _seal(found["files"])
    return sealed is not None and own is not None and hmac.compare_digest(sealed.encode(), own.encode())


def keep_once(folder: Path, other: Path) -> None:
    """Let tensors of a folder that another one holds, too, take no room of their own, where files may have two names.

    Both folders have manifests, by which the files are compared. Only files that are never written in place are taken.

    Args:
        folder: folder whose files become second names.
        other: folder whose files get them.
    """
    mine, theirs = _manifest(folder)["files"], _manifest(other)["files"]
    for name in sorted(mine.keys() & theirs.keys()):
        if not name.endswith(".safetensors") or mine[name] != theirs[name] or mine[name]["bytes"] < WORTH_A_LINK:
            continue
        part = (folder / name).with_name(f"{Path(name).name}.{os.getpid()}{PART}")
        try:
            os.link(other / name, part)
            part.replace(folder / name)
        except OSError:  # the file system has no second names: both stay
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def require_no_links(folder: Path) -> None:
    """Check that no folder within a folder is a link, through which something would be written elsewhere.

    Raises:
        BadFileError: one is.
    """
    for path in folder.rglob("*"):
        if path.is_symlink() and path.is_dir():
            raise BadFileError(f"{path} is a link to another folder, into which nothing is written; put a folder there")


def belongs(path: Path, folder: Path) -> bool:
    """Whether a path is that of a file of a folder that vouches for itself, or of a folder within it.

    Args:
        path: any path.
        folder: folder with a manifest; one without has no files of its own.

    Raises:
        BadFileError: the manifest is damaged.
    """
    whole, within = folder.resolve(), path.resolve()
    if not within.is_relative_to(whole) or not is_sealed(folder):
        return False
    name = within.relative_to(whole).as_posix()
    return name in (".", MANIFEST) or any(f"{each}/".startswith(f"{name}/") for each in _manifest(folder)["files"])


def differences(folder: Path, below: str = "", only: Iterable[str] | None = None) -> Differences:
    """How a folder differs from its manifest.

    Args:
        folder: folder with a manifest.
        below: beginning of the names of the files that are looked at, such as "model/".
        only: names of the files that are looked at; None looks at all, and for files that are not listed.

    Raises:
        FileNotFoundError: the folder has no manifest.
        BadFileError: the manifest is damaged, or names a file outside the folder.
    """
    listed = _manifest(folder)["files"]
    names = [name for name in listed if name.startswith(below) and (only is None or name in set(only))]
    missing, changed, size = [], [], 0
    for name in names:
        path, expected = folder / name, listed[name]
        size += expected["bytes"]
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadFileError(f"{path} is a link to a place outside {folder}")
        if not path.is_file():
            missing.append(name)
        elif path.stat().st_size != expected["bytes"] or sha256_of(path) != expected["sha256"]:
            changed.append(name)
    there = {name for name, _ in _all_files(folder)} if only is None else set()
    added = sorted(name for name in there - {*listed, MANIFEST, LOCK} if name.startswith(below))
    return Differences(len(names), size, missing, changed, added)


def require_whole(folder: Path, only: Iterable[str] | None = None, but: Iterable[str] = ()) -> None:
    """Check the files of a folder against its manifest.

    Args:
        folder: folder with a manifest.
        only: names of the files that are looked at; None looks at all.
        but: names of files that may be missing or changed.

    Raises:
        FileNotFoundError: the folder has no manifest.
        BadFileError: a file is missing, or is not as it was written; or the manifest is damaged.
    """
    if says := differences(folder, only=only).words(but):
        raise BadFileError(f"{folder} is damaged: {says}; {REMEDY}")


def require_sealed(folder: Path, version: int, only: Iterable[str] | None = None, but: Iterable[str] = ()) -> None:
    """Check the files of a folder against its manifest; a folder of an earlier format has none, and is believed.

    Args:
        folder: folder of a run or of a model.
        version: version of the format that its files name.
        only, but: see `require_whole`.

    Raises:
        BadFileError: as `require_whole`; or the manifest is missing.
    """
    if is_sealed(folder):
        require_whole(folder, only, but)
    elif version >= VOUCHED:
        raise BadFileError(f"{folder / MANIFEST} is missing: the folder was not finished, or is not all there")


def _manifest(folder: Path) -> Any:
    path = folder / MANIFEST
    found = read_json(path, Manifest)
    check_format(path, found["format"])
    for name in found["files"]:
        if not _inside(name):
            raise BadFileError(f"{path}: damaged: {name[:80]!r} is no name of a file within the folder; {REMEDY}")
    return found


def _inside(name: str) -> bool:
    r"""Whether a name may be that of a file within a folder.

    >>> [_inside(name) for name in ("model/model.json", "../a", "/a", "a//b", "", "a\0")]
    [True, False, False, False, False, False]
    """
    parts = name.split("/")
    return len(name) <= LONGEST and not {"", ".", ".."} & set(parts) and not {"\0", "\\"} & set(name)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names of the finished files in a folder and in the folders within it, and their paths."""
    for name, path in _all_files(folder):
        if name in (MANIFEST, LOCK) or name.startswith("parts/") or DAMAGED in name or is_part(path):
            continue
        yield name, path


def _all_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names of all files in a folder and in the folders within it, and their paths."""
    return ((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if not path.is_dir())


def _seal(listed: dict[str, Any], make: bool = False) -> str | None:
    """Keyed hash of what a manifest lists; None where there is no key.

    Args:
        listed: sizes and hashes of the files, by name.
        make: whether a key is made where there is none.
    """
    key = _key(make)
    if key is None:
        return None
    return hmac.new(key, json.dumps(listed, sort_keys=True).encode(errors="surrogatepass"), hashlib.sha256).hexdigest()


def _key(make: bool) -> bytes | None:
    """Key of this user on this machine; None where there is none, and none can be kept."""
    path = user_state_path("tutelage", appauthor=False) / KEY
    try:
        if make and (not path.exists() or path.stat().st_size != KEY_BYTES):
            path.parent.mkdir(parents=True, exist_ok=True)
            _make_key(path)
        key = path.read_bytes()
    except OSError:
        return None
    return key if len(key) == KEY_BYTES else None  # one that a loss of power has cut would be anybody's


def _make_key(path: Path) -> None:
    """Write a random key that this user alone may read; where another process is quicker, its key counts.

    A key that was cut gives way to it.
    """
    part = path.with_name(f"{KEY}.{os.getpid()}{PART}")
    try:
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(number, "wb") as f:
            f.write(secrets.token_bytes(KEY_BYTES))
            f.flush()
            os.fsync(f.fileno())
        if path.exists() and path.stat().st_size != KEY_BYTES:
            path.unlink(missing_ok=True)
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)
