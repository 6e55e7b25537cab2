"""Mutual training against its parts: DMT, DST, CBST, curriculum labelling and labels only, the same steps each.

    python benchmarks/mutual.py --labels 40 250 1000 4000 --seeds 3

CIFAR-10 by frozen features of the ImageNet EfficientNet-Lite0, a head with one hidden layer; adds a JSON line a fit to
benchmarks/results/mutual.jsonl; lines that are there are not run again. For the methods that weigh labels it also says
how well the weights tell wrong pseudo-labels in the last round, against the labeller's own confidence (AUROC).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import image_splits
from games import GAMES, Row, error_detection, fit_missing, labeller
from tutelage.data import Features
from tutelage.fit.build import Data, on_features
from tutelage.fit.defaults import ON_FEATURES
from tutelage.methods import Dmt
from tutelage.tasks import Classification
from tutelage.train import predict, train

RESULTS = Path(__file__).parent / "results" / "mutual.jsonl"
STEPS = 1200
TASK = Classification(10)


def one(count: int, method: str, seed: int) -> Row:
    torch.set_num_threads(1)
    split = image_splits.cifar10()
    chosen = split.labelled(count, seed)
    rest = np.setdiff1d(np.arange(len(split.y)), chosen)
    x = torch.as_tensor(split.x)
    pool = Features(x[rest])
    problem = on_features(Data(TASK, Features(x[chosen]), split.y[chosen], pool, split.y[rest]), per_feature=False)
    game, training = GAMES[method].settled(TASK, weak=False), replace(ON_FEATURES, steps=STEPS, seed=seed * 1000)
    start = time.perf_counter()
    run = train(game, TASK, problem.network, problem.loader(seed=seed * 1000), training)
    seconds = time.perf_counter() - start
    network = run.seats["student"].module
    guess = predict(network, TASK, Features(torch.as_tensor(split.test_x))).argmax(1).numpy()
    row = {
        "data": "cifar10", "labels": count, "method": method, "seed": seed,
        "score": float((guess == split.test_y).mean()), "seconds": round(seconds, 2),
    }  # fmt: skip
    if isinstance(game, Dmt):
        stored, logits = run.memory.of[labeller(game)], predict(network, TASK, pool)
        row |= error_detection(stored, np.arange(len(rest)), split.y[rest], logits, game.gamma)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, nargs="+", default=[40, 250, 1000, 4000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    jobs = [(n, m, s) for s in range(a.seeds) for n in a.labels for m in GAMES]
    fit_missing(one, jobs, ("labels", "method", "seed"), RESULTS, a.processes)


if __name__ == "__main__":
    main()
