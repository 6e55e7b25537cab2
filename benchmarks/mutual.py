"""Mutual training against its parts: DMT, DST, CBST, curriculum labelling and labels only, the same steps each.

    python benchmarks/mutual.py --labels 40 250 1000 4000 --seeds 3

CIFAR-10 by frozen features of the ImageNet EfficientNet-Lite0, a head with one hidden layer; adds a JSON line a fit to
benchmarks/results/mutual.jsonl; lines that are there are not run again. For the methods that weigh labels it also says
how well the weights tell wrong pseudo-labels in the last round, against the labeller's own confidence (AUROC).
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
from sklearn.metrics import roc_auc_score

import image_splits
from tutelage.data import Features
from tutelage.memory import Memory
from tutelage.methods import Cbst, CurriculumLabelling, Dmt, Dst, MeanTeacher, Method, Supervised
from tutelage.ops.weights import agreement
from tutelage.recipes import ON_FEATURES, Data, on_features
from tutelage.tasks import Classification
from tutelage.train import predict, train

RESULTS = Path(__file__).parent / "results" / "mutual.jsonl"
STEPS = 1200
GAMES: dict[str, Method] = {
    "labels only": Supervised(), "mean_teacher": MeanTeacher(), "curriculum_labelling": CurriculumLabelling(),
    "cbst": Cbst(), "dst": Dst(mixup=0.0), "dst, mixup": Dst(),
    "dmt, mutual": Dmt(partners="mutual", ranking="class", mixup=0.0),
    "dmt, mutual, mixup": Dmt(partners="mutual", ranking="class"), "dmt": Dmt(),
}  # fmt: skip


def error_detection(
    memory: Memory, network: torch.nn.Module, who: str, truth: np.ndarray, pool: Features, gamma: float
) -> dict[str, float]:
    """AUROC for wrong pseudo-labels of 1 - w, and of 1 - the labeller's confidence."""
    stored = memory.of[who]
    wrong = stored.label.numpy() != truth
    if not gamma or wrong.all() or not wrong.any():
        return {}
    w = agreement(predict(network, TASK, pool), stored.label.long(), stored.confidence, gamma, gamma)
    return {
        "wrong": float(wrong.mean()), "auroc_weight": float(roc_auc_score(wrong, -w.numpy())),
        "auroc_confidence": float(roc_auc_score(wrong, -stored.confidence.numpy())),
    }  # fmt: skip


TASK = Classification(10)


def one(count: int, method: str, seed: int) -> dict[str, object]:
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
        labeller = "partner" if game.partners == "mutual" else "student"
        row |= error_detection(run.memory, network, labeller, split.y[rest], pool, game.gamma)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labels", type=int, nargs="+", default=[40, 250, 1000, 4000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []
    done = {(r["labels"], r["method"], r["seed"]) for r in rows}
    jobs = [(n, m, s) for s in range(a.seeds) for n in a.labels for m in GAMES]
    jobs = [j for j in jobs if j not in done]
    with ProcessPoolExecutor(a.processes) as pool, open(RESULTS, "a") as out:
        for row in pool.map(one, *zip(*jobs, strict=True)):
            out.write(json.dumps(row) + "\n")
            out.flush()
            print(row, flush=True)


if __name__ == "__main__":
    main()
