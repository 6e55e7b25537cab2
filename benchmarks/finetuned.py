"""One fine-tuned run of each method: AG News, 30 labels a class, the encoder trained whole.

    python benchmarks/finetuned.py

adds a JSON line a method to benchmarks/results/finetuned.jsonl; 1000 unlabelled and 2000 test texts.
One seed and no evidence (which would take two trainings more each): the times are what it is for, and
the accuracies no more than an impression.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from splits import load
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Items, read
from tutelage.fit.defaults import PLAN_WHOLE, WHOLE
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import Outcome, fit
from tutelage.methods import METHODS
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text.reader import TextReader
from tutelage.model import Model
from tutelage.tasks import Classification

RESULTS = Path(__file__).parent / "results" / "finetuned.jsonl"
A_CLASS, UNLABELLED, TEST, SEED = 30, 1000, 2000, 0


def main() -> None:
    split = load("ag_news")
    index = split.labelled(A_CLASS, SEED)
    rest = np.random.default_rng(SEED).permutation(np.setdiff1d(np.arange(len(split.y)), index))[:UNLABELLED]
    texts, pool = ([split.texts[i] for i in part] for part in (index, rest))
    done = {json.loads(line)["method"] for line in RESULTS.read_text().splitlines()} if RESULTS.exists() else set()
    for name in ("supervised", "self_training", "mean_teacher", "drift"):
        method = METHODS[name]
        if name in done:
            continue
        reader = TextReader(load_encoder())
        items = Items(Classification(4), texts, split.y[index], pool, split.y[rest])
        problem = read(items, reader, method().views, True, cache_folder() / "features")
        start = time.perf_counter()
        outcome: Outcome = fit(problem, method(), replace(WHOLE, seed=SEED), Prior(), replace(PLAN_WHOLE, skip=True))
        seconds = time.perf_counter() - start

        def accuracy(network, reader=reader):
            p = Model([0, 1, 2, 3], network, reader).probabilities(split.test_texts[:TEST])
            return float((p.argmax(1) == split.test_y[:TEST]).mean())

        row = {
            "data": "ag_news", "method": name, "labels_a_class": A_CLASS, "seed": SEED, "steps": WHOLE.steps,
            "accuracy": accuracy(outcome.candidate), "linear_probe": accuracy(outcome.reference),
            "seconds": round(seconds, 1),
        }  # fmt: skip
        with open(RESULTS, "a") as out:
            out.write(json.dumps(row) + "\n")
        print(row, flush=True)


if __name__ == "__main__":
    main()
