"""Selectors of other libraries on the curves of benchmarks/protocols/curves.toml: the same labels, features and model.

    pip install small-text==1.4.1 scikit-activeml==1.0.1    # into an environment of its own, beside Tutelage
    python benchmarks/studies/asking_peers.py    # into benchmarks/results/asking_peers.jsonl

They only choose what to label, so they are no learners of `tutelage bench peers`, which asks other libraries for what
they predict. Strategies of small-text get the probabilities of our labels-only model, and our features as its
embeddings; those of scikit-activeml get our features, and Badge fits a logistic regression of its own on them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lines import fit_missing
from tutelage.bench.curves import Campaign, Learnt
from tutelage.bench.protocol import Loop, data_root, read_protocol
from tutelage.bench.running import Row

PROTOCOL = Path(__file__).parents[1] / "protocols" / "curves.toml"
STRATEGIES = (
    "small-text: BreakingTies", "small-text: EmbeddingKMeans", "small-text: ContrastiveActiveLearning",
    "small-text: LightweightCoreset", "scikit-activeml: TypiClust", "scikit-activeml: Badge",
    "scikit-activeml: ProbCover",
)  # fmt: skip
SEEDS = (0, 1, 2)
KEYS = ("data", "method", "seed")


@dataclass(frozen=True)
class Told:
    """What a strategy asks of a classifier, and of a data set: rows by their numbers."""

    x: np.ndarray
    p: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: np.ndarray) -> Told:
        return Told(self.x[index], self.p[index])

    def predict_proba(self, rows: Told) -> np.ndarray:
        return rows.p

    def embed(self, rows: Told, return_proba: bool = False, **_: Any) -> Any:
        return (rows.x, rows.p) if return_proba else rows.x


@lru_cache(maxsize=1)
def begun(name: str, seed: int) -> Campaign:
    """A data set of the protocol with its first labels."""
    protocol = read_protocol(PROTOCOL)
    data, setting = next((d, s) for d, s in protocol.cells() if d.name == name)
    return Campaign.of(protocol, data_root(PROTOCOL), data, setting, seed, Loop(by="random"))


def asked(campaign: Campaign, model: Learnt, labelled: np.ndarray, count: int, strategy: str) -> np.ndarray:
    """The rows that a strategy asks for."""
    seed = 1000 * campaign.seed + len(labelled)
    free = np.setdiff1d(np.arange(len(campaign.rows)), labelled)
    library, name = strategy.split(": ")
    if library == "small-text":
        import small_text

        np.random.seed(seed)  # which it draws from
        rows = Told(campaign.rows, campaign.said(model.network))
        found = getattr(small_text, name)().query(rows, rows, free, labelled, campaign.y[labelled], n=count)
    else:
        found = by_skactiveml(campaign, labelled, free, count, name, seed)
    assert len(set(np.asarray(found).tolist()) - set(labelled.tolist())) == count
    return np.asarray(found)


def by_skactiveml(
    campaign: Campaign, labelled: np.ndarray, free: np.ndarray, count: int, name: str, seed: int
) -> np.ndarray:  # fmt: skip
    """The rows that a strategy of scikit-activeml asks for."""
    from skactiveml import pool
    from skactiveml.classifier import SklearnClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    x = StandardScaler().fit_transform(campaign.rows)
    y = np.full(len(x), np.nan)
    y[labelled] = campaign.y[labelled]
    more = {}
    if name == "Badge":
        classes = np.arange(campaign.first.problem.task.classes)
        more["clf"] = SklearnClassifier(LogisticRegression(C=0.01, max_iter=1000), classes=classes)
    found = getattr(pool, name)(random_state=seed).query(x, y, candidates=free, batch_size=count, **more)
    return np.asarray(found)


def one(name: str, strategy: str, seed: int) -> Row:
    """A curve, and the area under it."""
    campaign = replace(begun(name, seed), loop=Loop(by="random"))
    budgets, labelled, scores = campaign.setting.budgets, np.asarray(campaign.start.chosen), []
    for budget, following in zip(budgets, (*budgets[1:], 0), strict=True):
        model = campaign.learnt(labelled)
        scores.append(campaign.score(model))
        if following:
            labelled = np.append(labelled, asked(campaign, model, labelled, following - budget, strategy))
    at = np.array(budgets, dtype=float)
    area = float(np.trapezoid(np.array(scores, dtype=float), at) / (at[-1] - at[0]))
    return {"data": name, "method": strategy, "seed": seed, "score": area, "scores": scores}


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    sets = [data.name for data in read_protocol(PROTOCOL).data]
    fit_missing(one, [(d, m, s) for s in SEEDS for d in sets for m in STRATEGIES], KEYS, "asking_peers")
