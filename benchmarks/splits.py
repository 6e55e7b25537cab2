"""Text data sets, cut the same way for every method: pool, test, and labels drawn by seed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tutelage.data import sources

POOL, TEST = 8000, 8000
"""At most so many texts of each part are used, drawn with seed 0."""

STAGED = {
    "ag_news": ("ag_news/ag_news.parquet", ("train",), ("test",)),
    "imdb": ("imdb/imdb.parquet", ("train",), ("test",)),
    "yelp": ("yelp/yelp.parquet", ("train", "valid"), ("test",)),
    "trec": ("trec/trec.parquet", ("train",), ("test", "valid")),
    "sms": ("sms/sms.parquet", ("train",), ("test", "valid")),
    "youtube_spam": ("youtube_spam/youtube.parquet", ("train",), ("test", "valid")),
}
FETCHED = ("r8", "newsgroups", "election_tweets")
NAMES = (*STAGED, *FETCHED)
CAPS = {"imdb": (3000, 2000), "yelp": (3000, 2000), "newsgroups": (6000, 2000)}


@dataclass(frozen=True)
class Split:
    """Texts and class numbers of the part to learn from and of the part to test on."""

    texts: list[str]
    y: np.ndarray
    test_texts: list[str]
    test_y: np.ndarray

    def labelled(self, a_class: int, seed: int) -> np.ndarray:
        """Indices of ``a_class`` labelled texts of each class (all where there are fewer)."""
        rng = np.random.default_rng(seed)
        parts = [rng.permutation(np.flatnonzero(self.y == c))[:a_class] for c in np.unique(self.y)]
        return np.concatenate(parts)


def data_root() -> Path:
    """The folder of staged data: TUTELAGE_DATA, else ../shared/data."""
    default = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("TUTELAGE_DATA", default))


def load(name: str) -> Split:
    """A data set by name, cut to at most POOL and TEST texts."""
    if name in STAGED:
        file, learn, test = STAGED[name]
        table = pd.read_parquet(data_root() / file)
    else:
        table, learn, test = pd.read_parquet(sources.get(name)[0]), ("train",), ("test",)
        if name == "election_tweets":  # one part only: every third tweet is for testing
            table["split"] = np.where(np.arange(len(table)) % 3 == 0, "test", "train")
    table["y"] = np.unique(table.label.astype(str), return_inverse=True)[1]
    most_pool, most_test = CAPS.get(name, (POOL, TEST))
    pool = _at_most(table[table.split.isin(learn)], most_pool)
    held = _at_most(table[table.split.isin(test)], most_test)
    return Split(list(pool.text), pool.y.to_numpy(), list(held.text), held.y.to_numpy())


def _at_most(table: pd.DataFrame, most: int) -> pd.DataFrame:
    return table.sample(most, random_state=0) if len(table) > most else table
