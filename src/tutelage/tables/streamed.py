"""Data sets of the Hub of Hugging Face that are streamed: their rows are gone through once, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from tutelage.data import hub
from tutelage.data.errors import DataError
from tutelage.tables.columnar import is_saved

PREFIX = "hf:"
"""Beginning of the name of a streamed data set: hf:OWNER/NAME, perhaps with :SUBSET, and then #SPLIT."""

USUAL_SPLIT = "train"
"""Split of several that is read where none is named."""

LONGEST = 300
"""Characters, at most, that are shown of what the library says."""


def is_streamed(path: Path) -> bool:
    """Whether a path names a data set that is streamed.

    >>> is_streamed(Path("hf:stanfordnlp/imdb")), is_streamed(Path("imdb.parquet"))
    (True, False)
    """
    return str(path).startswith(PREFIX)


@dataclass(frozen=True)
class Stream:
    """A data set whose rows are read one after the other.

    Attributes:
        path: its name, as it was given.
        rows: the data set of the library `datasets`.
    """

    path: Path
    rows: Any

    @property
    def features(self) -> Mapping[str, Any] | None:
        """Type of each column, as the library writes it; None where the data set does not say."""
        found = self.rows.features
        return None if found is None else dict(found.to_dict())

    def tables(self, count: int) -> Iterator[pa.Table]:
        """Its rows in their order, so many at a time.

        Raises:
            DataError: the Hub, or a file, fails.
        """
        done = 0
        try:
            for table in self.rows.with_format("arrow").iter(batch_size=count):
                yield table
                done += table.num_rows
        except DataError:
            raise
        except Exception as e:  # the library raises many kinds, all meaning: no further row
            raise DataError(f"{self.path}: reading stopped behind row {done:,} ({_said(e)}); begin again") from e


def opened(path: Path) -> Stream:
    """The data set of a name; without a split "train", or the only one.

    Args:
        path: its name, with PREFIX.

    Raises:
        DataError: the library `datasets` is missing, the Hub cannot be reached, or there is no such data set or split.
    """
    name, subset, split = _parts(path)
    if is_saved(Path(name)):
        raise DataError(f"{path}: a data set saved in a folder is no data set of the Hub; leave out {PREFIX}: {name}")
    datasets = _library(path)
    _require_reachable(path, name)
    revision = {"revision": version} if (version := _revision(name)) else {}
    try:
        splits = datasets.load_dataset(name, subset, streaming=True, **revision)
    except Exception as e:  # of many kinds, all meaning: not to be had
        raise DataError(f"{path}: not to be had by the library datasets ({_said(e)})") from e
    known = list(splits)
    chosen = split or (known[0] if len(known) == 1 else USUAL_SPLIT)
    if chosen not in known:
        raise DataError(
            f"{path}: no split {chosen!r}; its splits are {', '.join(known)}: write {PREFIX}{name}#{known[0]}"
        )
    return Stream(path, splits[chosen])


def version_of(path: Path) -> str:
    """What tells the version of a data set on the Hub: its revision; empty of one in a local folder.

    Raises:
        DataError: the Hub cannot be reached.
    """
    name = _parts(path)[0]
    _require_reachable(path, name)
    return _revision(name)


def local(path: Path) -> Path | None:
    """The local folder, or file, of a data set that is not on the Hub; None where there is none."""
    here = Path(_parts(path)[0])
    return here if here.exists() else None


def _parts(path: Path) -> tuple[str, str | None, str | None]:
    """Name, subset and split of a data set.

    >>> _parts(Path("hf:stanfordnlp/imdb#unsupervised"))
    ('stanfordnlp/imdb', None, 'unsupervised')
    """
    whole, _, split = str(path).removeprefix(PREFIX).partition("#")
    name, _, subset = whole.partition(":")
    if not name:
        raise DataError(f"{path}: names no data set; write {PREFIX}OWNER/NAME, or {PREFIX}OWNER/NAME:SUBSET#SPLIT")
    return name, subset or None, split or None


def _library(path: Path) -> Any:
    try:
        import datasets
    except ImportError as e:
        raise DataError(f"{path}: a data set is streamed by the library datasets: pip install 'tutelage[hub]'") from e
    return datasets


def _require_reachable(path: Path, name: str) -> None:
    if not Path(name).exists() and not hub.reachable():
        raise DataError(f"{path}: there is no such local folder, and the Hub cannot be reached; look at the network")


@cache
def _revision(name: str) -> str:
    """Revision of a data set on the Hub; empty of a local one."""
    if Path(name).exists():
        return ""
    import huggingface_hub

    try:
        return str(huggingface_hub.HfApi().dataset_info(name).sha)
    except Exception as e:  # of many kinds, all meaning: there is none, or it may not be read
        raise DataError(f"{PREFIX}{name}: not to be had from the Hub ({_said(e)})") from e


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST]
