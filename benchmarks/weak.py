"""Weakly and distantly supervised learning without one clean label: every method on the test part.

    python benchmarks/weak.py --seeds 5

    python benchmarks/weak.py --finetune --data trec --seeds 2     the encoder trained whole: minutes

adds a JSON line a fit to benchmarks/results/weak.jsonl; lines that are there are not run again. Frozen features, or
(--finetune) MiniLM trained whole on at most 1000 of the items for 100 steps a stage, scored on at most 1000.
Stage I learns the weak labels; each method starts from it and takes as many steps more. "full" learns the gold
labels of the same items. No labels are used for stopping or for choosing: the last step counts.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

import weak_splits
from tutelage.data import Examples, Loader
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Items, read
from tutelage.fit.defaults import ON_FEATURES, WHOLE
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import fit
from tutelage.fit.problem import Plan, Problem
from tutelage.methods import Bond, Cosine, Drift, MeanTeacher, Method, Supervised
from tutelage.modalities import READERS
from tutelage.modalities.encoder import load_encoder
from tutelage.ops.tags import entity_scores
from tutelage.tasks import Tagging
from tutelage.train import predict, train

RESULTS = Path(__file__).parent / "results" / "weak.jsonl"
GAMES: dict[str, Method] = {
    "stage I": Supervised(), "cosine": Cosine(), "bond": Bond(rounds=1), "mean_teacher": MeanTeacher(),
    "drift": Drift(), "drift, not anticipated": Drift(interaction=0.0),
}  # fmt: skip
"""COSINE's and BOND's hyper-parameters were chosen on validation parts (2 to 4 seeds): contrastive weight 0.1 of 0,
0.1, 0.3 and 1, threshold 0 of 0, 0.1, 0.2, 0.5 and 0.7, rounds 5 of 1, 2 and 5; BOND with its first teacher only, of
1, 2, 5 and 15 rounds; DRIFT's as docs/anticipation.md tells."""
METHODS_OF = {
    "text": ("cosine", "mean_teacher", "drift", "drift, not anticipated"),
    "words": ("bond", "cosine", "mean_teacher", "drift", "drift, not anticipated"),
}
MOST_WHOLE = 1000


def scored(network: torch.nn.Module, problem: Problem, examples: Examples, y: np.ndarray) -> float:
    guess = predict(network, problem.task, examples).argmax(1).numpy()
    return float(problem.task.right(guess, y, examples.counts()).mean())


def weak_labels(name: str) -> dict[str, object]:
    """How good the weak labels are on the items they were made for, and by themselves on the test items."""
    split = weak_splits.load(name)
    examples = weak_splits.features(name)[0]
    units = examples.units(split.covered)
    gold, votes = split.gold[units], split.votes
    known = gold >= 0
    coverage = len(units) / len(split.gold)
    row: dict[str, object] = {"data": name, "method": "weak labels", "seed": 0, "coverage": coverage}
    if len(split.alone):
        counts = weak_splits.features(name)[2].counts()
        row["test"] = float(split.task.right(split.alone, split.test_y, counts).mean())
    if not known.any():
        return row
    if isinstance(split.task, Tagging):
        counts = examples.counts()[split.covered]
        both = [split.task.decode(part, counts) for part in (gold, votes)]
        return row | {"score": entity_scores(*both)["f1"]}
    return row | {"score": float((gold == votes)[known].mean())}


@lru_cache(maxsize=1)
def started(name: str, seed: int) -> tuple[Problem, Examples, np.ndarray, torch.nn.Module, float]:
    """The problem of training the encoder whole, the test items, what stage I learnt, and its seconds."""
    split = weak_splits.load(name)
    sizes = np.ones(len(split.items)) if split.kind == "text" else np.array([len(s) for s in split.items])
    units = np.split(np.arange(len(split.gold)), np.cumsum(sizes).astype(int)[:-1])
    chosen = np.random.default_rng(seed).permutation(split.covered)[:MOST_WHOLE]
    place = {item: i for i, item in enumerate(split.covered)}
    if split.kind == "text":
        target = split.target[[place[i] for i in chosen]]
    else:
        target = split.target[np.concatenate([units[i] for i in chosen])]
    gold = split.gold[np.concatenate([units[i] for i in chosen])]
    reader = READERS[split.kind](load_encoder())
    none = np.empty(0, dtype=np.int64)
    items = Items(split.task, [], none, [split.items[i] for i in chosen], gold, np.arange(len(chosen)), target)
    test = split.test[:MOST_WHOLE]
    test_y = split.test_y[: sum(len(s) for s in test) if split.kind == "words" else len(test)]
    problem = read(items, reader, Supervised().views, True, cache_folder() / "features")
    start = time.perf_counter()
    network = fit(problem, Supervised(), replace(WHOLE, seed=seed), Prior(), Plan(skip=True)).candidate
    return problem, reader.examples(test), test_y, network, time.perf_counter() - start


def one(name: str, method: str, seed: int, finetune: bool) -> dict[str, object]:
    if finetune:
        return finetuned(name, method, seed)
    torch.set_num_threads(1)
    if method == "weak labels":
        return weak_labels(name)
    split, (learn, _, test) = weak_splits.load(name), weak_splits.features(name)
    problem, training = weak_splits.problem(name), replace(ON_FEATURES, seed=seed)
    if method == "full" and (split.gold < 0).any():
        return {"data": name, "method": method, "seed": seed}
    start = time.perf_counter()
    if method == "full":
        gold, none = torch.as_tensor(split.gold), learn.subset(np.arange(0))
        loader = Loader(learn, gold, none, problem.batch_labelled, problem.batch_unlabelled, seed)
        run = train(Supervised(), problem.task, problem.network(seed), loader, training)
        network = run.seats["student"].module
    else:
        network = fit(problem, GAMES[method], training, Prior(), Plan(skip=True)).candidate
    seconds = time.perf_counter() - start
    return {
        "data": name, "method": method, "seed": seed, "score": scored(network, problem, test, split.test_y),
        "seconds": round(seconds, 2),
    }  # fmt: skip


def finetuned(name: str, method: str, seed: int) -> dict[str, object]:
    problem, test, test_y, network, seconds = started(name, seed)
    if method != "stage I":
        start, game = time.perf_counter(), GAMES[method].settled(problem.task, weak=True)
        loader, training = problem.loader(seed=seed * 1000), replace(WHOLE, seed=seed * 1000)
        network = train(game, problem.task, network, loader, training).seats["student"].module
        seconds = time.perf_counter() - start
    return {
        "data": name, "method": method, "seed": seed, "finetuned": True,
        "score": scored(network, problem, test, test_y), "seconds": round(seconds, 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(weak_splits.NAMES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--finetune", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    done = {(r["data"], r["method"], r["seed"], r.get("finetuned", False)) for r in rows}
    jobs = [] if a.finetune else [(d, "weak labels", 0, False) for d in a.data]
    for d in a.data:
        methods = ("stage I", *METHODS_OF["text" if d in weak_splits.TEXTS else "words"], "full")
        jobs += [(d, m, s, a.finetune) for s in range(a.seeds) for m in methods if not (a.finetune and m == "full")]
    jobs = [j for j in jobs if j not in done]
    with ProcessPoolExecutor(1 if a.finetune else a.processes) as pool, open(RESULTS, "a") as out:
        for row in pool.map(one, *zip(*jobs, strict=True)):
            out.write(json.dumps(row) + "\n")
            out.flush()
            print(row, flush=True)


if __name__ == "__main__":
    main()
