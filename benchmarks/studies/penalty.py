"""What a network on features would gain if weight decay and scaling were chosen for each data set.

    python benchmarks/studies/penalty.py  # draws 100 to 102, into benchmarks/results/penalty.jsonl

The table of docs/benchmark.md chooses for each set and each draw what was best on the set's other draws, which is more
than the labels of a fit could tell: no choice by folds can be expected to gain more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from encoders import drawn
from lines import Job, fit_missing
from tutelage.bench.protocol import DataSet, data_root, read_protocol
from tutelage.bench.running import Row
from tutelage.bench.sets import Cut, kind_for, load
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Build, Items, rows_of
from tutelage.fit.contender import Contender
from tutelage.fit.fit import threads
from tutelage.fit.setup import Setup
from tutelage.methods import METHODS
from tutelage.modalities.base import features
from worth import SEEDS

PROTOCOLS = Path(__file__).parents[1] / "protocols"
SETS: dict[str, tuple[DataSet, Path]] = {
    data.name: (data, path)
    for path in (PROTOCOLS / f"{name}.toml" for name in ("text", "digits", "signals"))
    for data in read_protocol(path).data
}
LABELS, POOL = 10, 2000
METHODS_TRIED = ("supervised", "drift")
DECAYS = (0.01, 0.3, 1.0, 3.0)
USUAL = (1.0, "as usual")
"""Weight decay and scaling that the library takes."""

SCALINGS = (USUAL[1], "one for all")
"""Scalings of the features: that of the kind of data, and one scale for all features."""

KEYS = ("data", "method", "seed", "decay", "scaling")


@lru_cache(maxsize=1)
def of_set(name: str) -> tuple[DataSet, Cut]:
    """A data set, and its parts."""
    data, path = SETS[name]
    return data, load(data, data_root(path))


def one(name: str, method: str, seed: int, decay: float, scaling: str) -> Row:
    """Accuracy of a network on items without a label."""
    (data, cut), cache = of_set(name), cache_folder() / "features"
    kind, y = kind_for(data), cut.learn.y
    reader: Any = kind.reader()
    reader = reader if scaling == USUAL[1] else replace(reader, per_feature=False)
    index, rest = drawn(y, cut.task.classes, LABELS, seed)
    pool = np.setdiff1d(np.arange(len(y)), np.concatenate([index, rest]))[:POOL]
    if len(pool) < POOL // 2:  # small sets: half of the others is learnt from
        pool, rest = np.array_split(np.concatenate([pool, rest]), 2)

    def at(i: np.ndarray) -> Sequence[Any]:
        return cut.learn.items[i] if isinstance(cut.learn.items, np.ndarray) else [cut.learn.items[j] for j in i]

    items = Items(cut.task, at(index), y[index], at(pool))
    trained = METHODS[method]()
    with threads(1):
        problem = Build(reader, trained.views, kind.defaults, False, cache).of(items).problem()
        x = rows_of(features(reader, at(rest), cache))
        training = replace(kind.defaults.training, seed=seed, weight_decay=decay)
        network = Contender(method, trained.settled(cut.task, False), Setup(problem, training)).student()
        with torch.no_grad():
            right = (network.eval()(x).argmax(1).numpy() == y[rest]).mean()
    return dict(zip(KEYS, (name, method, seed, decay, scaling), strict=True)) | {"score": float(right)}


if __name__ == "__main__":
    jobs: list[Job] = [
        (name, method, seed, decay, scaling)
        for seed in SEEDS[:3]
        for name, (data, _) in SETS.items()
        for method in METHODS_TRIED
        for decay in DECAYS
        for scaling in (SCALINGS if data.kind == "rows" else SCALINGS[:1])
    ]
    fit_missing(one, jobs, KEYS, "penalty")
