"""What each way of using a described teacher is worth against the labels only: the priors of the choice among them.

    python benchmarks/studies/teachers.py            # draws 100 to 104, into benchmarks/results/teachers.jsonl
    python benchmarks/studies/teachers.py --records  # gains into the package, and a table

The sentences that describe the classes are those of benchmarks/protocols/described.toml.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from lines import RESULTS, fit_missing
from tutelage.bench.protocol import DataSet, data_root, read_protocol
from tutelage.bench.running import Row, read_rows
from tutelage.bench.sets import Cut, kind_for, load
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Build, Items, rows_of
from tutelage.fit.comparison import Comparison
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import threads
from tutelage.fit.problem import Plan
from tutelage.fit.recorded import ALL_RECORDS
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import Setup
from tutelage.fit.teacher import brought
from tutelage.methods import Drift
from tutelage.modalities.base import features
from worth import SCORED, SEEDS, keep

PROTOCOL = Path(__file__).parents[1] / "protocols" / "described.toml"
LABELS, POOL = (2, 8, 30), 2000
KEYS = ("data", "labels", "seed")
ALONE = "labels only"


@lru_cache(maxsize=1)
def of_set(name: str) -> tuple[DataSet, Cut]:
    """A data set of the protocol, and its parts."""
    data = next(d for d in read_protocol(PROTOCOL).data if d.name == name)
    return data, load(data, data_root(PROTOCOL))


def one(name: str, labels: int, seed: int) -> Row:
    """Accuracy of the labels-only model, and of each way of using the teacher, on items without a label."""
    (data, cut), cache = of_set(name), cache_folder() / "features"
    kind, texts, y = kind_for(data), list(cut.learn.items), cut.learn.y
    reader, described = kind.reader(), [list(dict(data.describe)[name]) for name in cut.classes]
    draws = np.random.default_rng(seed)
    index = np.concatenate([draws.permutation(np.flatnonzero(y == k))[:labels] for k in range(len(described))])
    rest = draws.permutation(np.setdiff1d(np.arange(len(y)), index))
    count = min(POOL, len(rest) // 2)
    pool, scored = np.split(rest[: count + SCORED], [count])
    items = Items(cut.task, [texts[i] for i in index], y[index], [texts[i] for i in pool], described=described)
    problem = Build(reader, ("weak",), kind.defaults, False, cache).of(items).problem()
    teacher = brought(items, problem, cache)
    assert teacher is not None
    x = rows_of(features(reader, [texts[i] for i in scored], cache))
    training = replace(kind.defaults.training, seed=seed)

    def right(network: torch.nn.Module) -> float:
        with torch.no_grad():
            return float((network.eval()(x).argmax(1).numpy() == y[scored]).mean())

    with threads(1):
        folds = problem.folds(Plan(folds=5, repeats=1), seed)
        found = {ALONE: right(reference_model(Setup(problem, training), folds, None).network)}
        setup = Setup(teacher.of(problem), training)
        models = Comparison(setup, Drift(), Prior(), Plan(skip=True), ALL_RECORDS, None)
        found |= {rival.way: right(rival.trains.network()[0]) for rival in models.rivals()}
    return {"data": name, "labels": labels, "seed": seed} | found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", action="store_true", help="only write the records and print the table")
    if not parser.parse_args().records:
        sets = [data.name for data in read_protocol(PROTOCOL).data]
        fit_missing(one, [(d, n, s) for d in sets for n in LABELS for s in SEEDS], KEYS, "teachers")
    rows = [
        {k: row[k] for k in KEYS} | {"name": way, "score": score}
        for row in read_rows(RESULTS / "teachers.jsonl")
        for way, score in row.items()
        if way not in KEYS
    ]
    keep(rows, ALONE, "teachers.json")
