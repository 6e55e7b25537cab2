"""Semi-supervised text at 30 labels a class and tagging at 100 and 500 sentences, every method, on the test part.

    python benchmarks/semi.py --seeds 5                                     frozen features: seconds a fit
    python benchmarks/semi.py --finetune --data trec --seeds 1              the encoder trained whole: minutes

adds a JSON line a fit to benchmarks/results/semi.jsonl; lines that are there are not run again. "labels only" is the
linear reference with its penalty chosen by cross-validation on the labels; all networks take the same steps.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import splits
import weak_splits
from tutelage.data.sources import cache_folder
from tutelage.evidence import Prior
from tutelage.fitting import fit
from tutelage.methods import METHODS
from tutelage.models.readers import READERS
from tutelage.models.text import load_encoder
from tutelage.problem import Plan
from tutelage.recipes import ON_FEATURES, WHOLE, Items, read
from tutelage.reference import STRENGTHS, choose
from tutelage.saving import Model
from tutelage.tasks import Classification, Task

RESULTS = Path(__file__).parent / "results" / "semi.jsonl"
TEXTS, SENTENCES = ("ag_news", "imdb", "yelp", "trec"), ("conll03", "wikigold")
METHODS_COMPARED = ("labels only", "supervised", "self_training", "vat", "uda", "mean_teacher", "drift")
POOL, POOL_WHOLE, TEST_WHOLE = 4000, 1000, 2000


def material(name: str, labels: int, seed: int, whole: bool) -> tuple[Items, list, np.ndarray, str, Task]:
    rng = np.random.default_rng(seed)
    if name in TEXTS:
        split = splits.load(name)
        task, items, y, test, test_y = (
            Classification(int(split.y.max()) + 1), split.texts, split.y, split.test_texts, split.test_y,
        )  # fmt: skip
        chosen = split.labelled(labels, seed)
        units = [np.array([i]) for i in range(len(items))]
    else:
        weak = weak_splits.load(name)
        task, items, y, test, test_y = weak.task, weak.items, weak.gold, weak.test, weak.test_y
        ends = np.cumsum([len(s) for s in items])
        units = np.split(np.arange(len(y)), ends[:-1])
        chosen = rng.permutation(len(items))[:labels]
    rest = rng.permutation(np.setdiff1d(np.arange(len(items)), chosen))[: POOL_WHOLE if whole else POOL]
    gold = np.concatenate([y[units[i]] for i in chosen])
    found = Items(task, [items[i] for i in chosen], gold, [items[i] for i in rest])
    if whole and name in TEXTS:
        test, test_y = test[:TEST_WHOLE], test_y[:TEST_WHOLE]
    return found, test, test_y, "text" if name in TEXTS else "words", task


def one(name: str, labels: int, method: str, seed: int, whole: bool) -> dict[str, object]:
    if not whole:
        torch.set_num_threads(1)
    items, test, test_y, kind, task = material(name, labels, seed, whole)
    reader, alone = READERS[kind](load_encoder()), method == "labels only"
    game = METHODS["supervised" if alone else method]()
    problem = read(items, reader, game.views, whole and not alone, cache_folder() / "features")
    start = time.perf_counter()
    if alone:
        plan = Plan(folds=5, repeats=1)
        parts = problem.folds(plan, seed)
        tried = {}
        for strength in STRENGTHS:
            tried[str(strength)] = problem.probe.held_out(
                [(problem.labelled.units(a), problem.labelled.units(b)) for a, b in parts], strength
            )
        network = problem.probe.network(float(choose(tried, problem.y)[0]))
    else:
        training = replace(WHOLE if whole else ON_FEATURES, seed=seed)
        network = fit(problem, game, training, Prior(), Plan(skip=True)).candidate
    seconds = time.perf_counter() - start
    guess = Model(list(range(task.classes)), network, reader).probabilities(test).argmax(1)
    counts = np.array([len(s) if kind == "words" else 1 for s in test])
    return {
        "data": name, "labels": labels, "method": method, "seed": seed, "finetuned": whole,
        "score": float(task.right(guess, test_y, counts).mean()), "seconds": round(seconds, 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=[*TEXTS, *SENTENCES])
    parser.add_argument("--methods", nargs="+", default=list(METHODS_COMPARED))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--finetune", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    done = {(r["data"], r["labels"], r["method"], r["seed"], r["finetuned"]) for r in rows}
    jobs = [
        (d, n, m, s, a.finetune)
        for d in a.data for s in range(a.seeds) for n in ((30,) if d in TEXTS else (100, 500)) for m in a.methods
    ]  # fmt: skip
    jobs = [j for j in jobs if j not in done]
    with ProcessPoolExecutor(1 if a.finetune else a.processes) as pool, open(RESULTS, "a") as out:
        for row in pool.map(one, *zip(*jobs, strict=True)):
            out.write(json.dumps(row) + "\n")
            out.flush()
            print(row, flush=True)


if __name__ == "__main__":
    main()
