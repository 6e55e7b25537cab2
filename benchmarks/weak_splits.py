"""Data sets with weak labels, cut the same way for every method: what is learnt from, validation and test."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import torch

from splits import data_root
from tutelage.data import Examples
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Data, on_features
from tutelage.modalities import READERS
from tutelage.modalities.encoder import load_encoder
from tutelage.ops.tags import scheme, to_bio
from tutelage.tasks import Classification, Tagging, Task, tag_names
from tutelage.weak import Votes, label

TEXTS = {"ag_news": "ag_news/ag_news", "trec": "trec/trec", "sms": "sms/sms", "youtube_spam": "youtube_spam/youtube"}
SENTENCES = {
    "mit_restaurant": ("mit_restaurant/mit_restaurant", "majority"),
    "conll03": ("ner_distant/conll03", "distant_tags"),
    "wikigold": ("ner_distant/wikigold", "distant_tags"),
    "twitter": ("ner_distant/twitter", "distant_tags"),
}
NAMES = (*TEXTS, *SENTENCES)
MOST = {"ag_news": (8000, 8000), "conll03": (5000, 3500), "twitter": (2393, 3844)}
"""At most so many items to learn from and to test on, drawn with seed 0."""


@dataclass(frozen=True)
class Split:
    """Items to learn from with weak labels (see `Items`) and gold class numbers of their units; items to score on.

    ``alone``: what the label model says of each unit of the test items, silence being the commonest weak label (for
    tags O); empty where the file has no votes on them.
    """

    task: Task
    items: list[Any]
    gold: np.ndarray
    covered: np.ndarray
    target: np.ndarray
    valid: list[Any]
    valid_y: np.ndarray
    test: list[Any]
    test_y: np.ndarray
    kind: str
    alone: np.ndarray

    @property
    def votes(self) -> np.ndarray:
        """Hard weak labels of the covered items' units, -1 = none."""
        return self.target.argmax(1) if self.target.ndim == 2 else self.target


@lru_cache
def load(name: str) -> Split:
    """A data set by name.

    Where the set has no validation part of at least 500 items, a third of the training part (at most 2500)
    is kept aside for it.
    """
    return _texts(name) if name in TEXTS else _sentences(name)


def _cut(table: pd.DataFrame, most: int) -> pd.DataFrame:
    return table.sample(most, random_state=0) if len(table) > most else table


def _parts(name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    most, most_test = MOST.get(name, (8000, 8000))
    learn, test = table[table.split.isin(["train", "unlabeled"])], _cut(table[table.split == "test"], most_test)
    valid = table[table.split == "valid"]
    if len(valid) < 500 and name not in SENTENCES:
        valid = learn.sample(min(len(learn) // 3, 2500), random_state=0)
        learn = learn.drop(valid.index)
    return _cut(learn, most), _cut(valid, 2500), test


def _texts(name: str) -> Split:
    table = pd.read_parquet(data_root() / f"{TEXTS[name]}.parquet").reset_index(drop=True)
    learn, valid, test = _parts(name, table)
    c = int(table.label.max()) + 1
    if "majority" in table:  # the votes themselves are not in the file
        vote = learn.majority.to_numpy(dtype=np.int64)
        target = np.eye(c)[vote.clip(0)]
        covered, alone = np.flatnonzero(vote >= 0), np.empty(0, dtype=np.int64)
    else:
        votes = Votes(np.stack(list(learn.weak_labels)).astype(np.int64), _names(learn), [str(k) for k in range(c)])
        target, covered = label(votes, "majority"), np.flatnonzero(votes.covered)
        said = Votes(np.stack(list(test.weak_labels)).astype(np.int64), votes.names, votes.classes)
        most = np.bincount(target[covered].argmax(1)).argmax()
        alone = np.where(said.covered, label(said, "majority").argmax(1), most)
    y = [part.label.to_numpy(dtype=np.int64) for part in (learn, valid, test)]
    return Split(
        Classification(c), list(learn.text), y[0], covered, target[covered],
        list(valid.text), y[1], list(test.text), y[2], "text", alone,
    )  # fmt: skip


def _names(table: pd.DataFrame) -> list[str]:
    return [f"rule {j + 1}" for j in range(len(table.weak_labels.iloc[0]))]


def _sentences(name: str) -> Split:
    file, column = SENTENCES[name]
    table = pd.read_parquet(data_root() / f"{file}.parquet").reset_index(drop=True)
    learn, valid, test = _parts(name, table)
    said = test[column].tolist() if test[column].notna().all() else []
    weak, said = ([[_tag(t) for t in tags] for tags in part] for part in (learn[column], said))
    gold = [None if tags is None else [str(t).replace("0", "O") for t in tags] for tags in learn.tags]
    scored = [[[str(t).replace("0", "O") for t in tags] for tags in part.tags] for part in (valid, test)]
    kind = scheme(scored[0])
    weak, said = ([to_bio(tags, kind)[0] for tags in part] for part in (weak, said))
    gold = [None if tags is None else to_bio(tags, kind)[0] for tags in gold]
    scored = [[to_bio(tags, kind)[0] for tags in part] for part in scored]
    names = tag_names([*weak, *scored[0], *scored[1]])
    code = {n: i for i, n in enumerate(names)}

    def coded(part: list[Any]) -> np.ndarray:
        return np.array([code[t] for tags in part for t in tags], dtype=np.int64)

    numbers = [[-1] * len(w) if tags is None else [code[t] for t in tags] for tags, w in zip(gold, weak, strict=True)]
    return Split(
        Tagging(len(names), names), [list(map(str, s)) for s in learn.tokens],
        np.concatenate([np.array(n, dtype=np.int64) for n in numbers]), np.arange(len(learn)), coded(weak),
        [list(map(str, s)) for s in valid.tokens], coded(scored[0]),
        [list(map(str, s)) for s in test.tokens], coded(scored[1]), "words", coded(said),
    )  # fmt: skip


def _tag(t: object) -> str:
    return "O" if str(t) in ("-1", "0") else str(t)  # no rule says outside: silence does


@lru_cache
def features(name: str) -> tuple[Examples, Examples, Examples]:
    """Frozen features of the items to learn from, the validation and the test items."""
    split, reader = load(name), None
    reader = READERS[split.kind](load_encoder())
    cache = cache_folder() / "features"
    return tuple(reader.features(part, cache) for part in (split.items, split.valid, split.test))


def problem(name: str):
    """The weakly supervised problem on frozen features: no clean labels at all."""
    split, (learn, _, _) = load(name), features(name)
    none = learn.subset(np.arange(0))
    data = Data(split.task, none, np.empty(0, dtype=np.int64), learn, split.gold, (), split.covered, split.target)
    return on_features(data, per_feature=False)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    for name in NAMES:
        split = load(name)
        print(name, len(split.items), len(split.valid), len(split.test), len(split.covered), flush=True)
        features(name)
