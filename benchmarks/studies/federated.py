"""FedLabel against one teacher, labels alone and pooled rows, on clients whose classes are unequal.

    python benchmarks/studies/federated.py   # seeds 0 to 4, into benchmarks/results/federated.jsonl

Clients are the speakers of fsdd and the people of hmp, whose recordings are as many of each class as they made; or rows
of AG News, TREC and digits that a Dirichlet distribution deals, so that few classes are common at a client. Of the rows
of each client a quarter is scored on, and of the others one in twenty has a label. Every arm has the same labels, the
same first weights and as many steps; those on pooled rows and on each client alone take the steps of all rounds at
once. Every arm is scored on the rows of all clients together. A client without a label has no model of its own: its
rows count as missed there. Sounds need soundfile, of the extra benchmarks.

FedLabel has the values of its paper as we know them. The rounds are the usual ones of `tutelage federate`, whose
learning rate and number were chosen by what the labels alone gain, on seeds 100 to 102 of digits.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from torch import nn

sys.path.append(str(Path(__file__).parents[1]))

from lines import fit_missing
from signals import FILES, features_of
from tutelage.bench.protocol import data_root
from tutelage.bench.running import Row
from tutelage.data import Features, Loader
from tutelage.data.sources import cache_folder
from tutelage.federated import Client, Federation, FedLabel, Rounds, beginning
from tutelage.federated.run import USUAL
from tutelage.fit.build import Build, Items
from tutelage.fit.fit import threads
from tutelage.kinds import KINDS
from tutelage.methods import Drift, FixMatch, Method, Supervised
from tutelage.tasks import Classification
from tutelage.train import predict, train

SEEDS = range(5)
KEYS = ("data", "seed")
CLIENTS, ALPHA = 10, 0.1
MOST, SCORED, LABELLED = 1600, 0.25, 0.05
ROUNDS = USUAL

Data = tuple[list[Features], np.ndarray, np.ndarray | None, bool]
"""All rows and their disturbed copies, their class numbers, the client of each where it has one of its own, and whether
each feature has its own scale."""


def texts(file: str) -> tuple[str, list[str], np.ndarray, None]:
    table = pd.read_parquet(data_root(Path(__file__)) / file)
    table = table[table.split == "train"].sample(frac=1, random_state=0)[:MOST]
    return "texts", list(table.text), table.label.to_numpy(), None


def recorded(name: str, by: str) -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    table = pd.read_parquet(data_root(Path(__file__)) / FILES[name][0])
    return "rows", features_of(name, table), table.label.to_numpy(), table[by].to_numpy()


SETS: dict[str, Callable[[], tuple]] = {
    "fsdd, by speaker": lambda: recorded("fsdd", "speaker"),
    "hmp, by person": lambda: recorded("hmp", "volunteer"),
    "ag_news": lambda: texts("ag_news/ag_news.parquet"),
    "trec": lambda: texts("trec/trec.parquet"),
    "digits": lambda: ("rows", load_digits().data.astype(np.float32), load_digits().target, None),
}


@lru_cache(maxsize=1)
def of_set(name: str) -> Data:
    kind, items, y, owner = SETS[name]()
    made, nothing = KINDS[kind](), np.zeros(0, dtype=np.int64)
    y = np.unique(y, return_inverse=True)[1]
    all_rows = Items(Classification(int(y.max()) + 1), items[:0], nothing, items)
    build = Build(made.reader(), ("weak", "strong"), made.defaults, False, cache_folder() / "features")
    problem = build.of(all_rows).problem()
    return [problem.pool, *problem.strong], y, owner, problem.reader.per_feature


def dealt(y: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """The client of each row, (n,): the rows of each class are dealt by shares of a Dirichlet distribution."""
    owner = np.zeros(len(y), dtype=np.int64)
    for k in np.unique(y):
        rows = draws.permutation(np.flatnonzero(y == k))
        cuts = np.cumsum(draws.dirichlet(np.full(CLIENTS, ALPHA)))[:-1] * len(rows)
        for client, some in enumerate(np.split(rows, cuts.astype(int))):
            owner[some] = client
    return owner


Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Numbers of the rows with a label, of those without, and of those that are scored on."""


def parted(owner: np.ndarray, draws: np.random.Generator) -> Iterator[tuple[str, Parts]]:
    """Name and rows of each client that has some to learn from."""
    for client in np.unique(owner):
        rows = draws.permutation(np.flatnonzero(owner == client))
        scored, learnt = np.split(rows, [round(SCORED * len(rows))])
        known = draws.random(len(learnt)) < LABELLED
        if len(learnt):
            yield f"client {client}", (learnt[known], learnt[~known], scored)


def client_of(name: str, data: Data, labelled: np.ndarray, pool: np.ndarray) -> Client:
    (rows, *strong), y, _, _ = data
    target, task = torch.as_tensor(y[labelled]), Classification(int(y.max()) + 1)
    return Client(name, task, rows.subset(labelled), target, rows.subset(pool), [s.subset(pool) for s in strong])


def one(name: str, seed: int) -> Row:
    data = of_set(name)
    (rows, *_), y, owner, per_feature = data
    draws = np.random.default_rng(seed)
    parts = dict(parted(dealt(y, draws) if owner is None else owner, draws))
    clients = [client_of(who, data, labelled, pool) for who, (labelled, pool, _) in parts.items()]
    whole = [np.concatenate(each) for each in zip(*parts.values(), strict=True)]
    labelled, pool, scored = whole
    training = replace(ROUNDS.training, seed=seed)
    start = beginning([c.moments() for c in clients], clients[0].task.classes, per_feature, seed)
    everything = client_of("all", data, labelled, pool)
    known = client_of("all", data, np.concatenate([labelled, pool]), pool[:0])

    def right(network: nn.Module, index: np.ndarray) -> np.ndarray:
        guess = predict(network, clients[0].task, rows.subset(index)).argmax(1).numpy()
        return guess == y[index]

    def rounds(method: Method, number: int = ROUNDS.number) -> float:
        federation = Federation(clients, start, Rounds(number, training))
        return float(right(federation.trained("", method)[0], scored).mean())

    def at_once(method: Method, of: Client) -> nn.Module:
        loader = Loader(of.labelled, of.target, of.pool, seed=seed, strong=of.strong)
        steps = ROUNDS.number * training.steps
        return train(method, of.task, start, loader, replace(training, steps=steps, records=1)).network()

    def alone() -> float:
        each = [
            right(at_once(Supervised(), c), part[2]) if len(c.labelled) else np.zeros(len(part[2]))
            for c, part in zip(clients, parts.values(), strict=True)
        ]
        return float(np.concatenate(each).mean())

    with threads(1):
        found = {arm: rounds(method) for arm, method in ARMS.items()}
        found["labels only, half the rounds"] = rounds(Supervised(), ROUNDS.number // 2)
        found["each client alone"] = alone()
        for arm, method in POOLED.items():
            found[arm] = float(right(at_once(method, everything), scored).mean())
        found["all labels, pooled"] = float(right(at_once(Supervised(), known), scored).mean())
    about: Row = {"clients": len(clients), "without_labels": sum(not len(c.labelled) for c in clients)}
    common = [np.bincount(y[np.concatenate(part[:2])]).max() / len(np.concatenate(part[:2])) for part in parts.values()]
    counts = {"labels": len(labelled), "pool": len(pool), "scored": len(scored)}
    about |= {"commonest_class": float(np.mean(common))}
    return {"data": name, "seed": seed} | counts | about | found


ARMS: dict[str, Method] = {
    "labels only": Supervised(),
    "FedLabel": FedLabel(),
    "global teacher": FedLabel(teachers="global"),
    "own teacher": FedLabel(teachers="own"),
}
POOLED: dict[str, Method] = {
    "labels only, pooled": Supervised(), "FixMatch, pooled": FixMatch(), "DRIFT, pooled": Drift(),
}  # fmt: skip
if __name__ == "__main__":
    fit_missing(one, [(name, s) for s in SEEDS for name in SETS], KEYS, "federated")
