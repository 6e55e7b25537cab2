"""Every method on features of the frozen encoder: the labels-only reference, the candidate, the evidence.

    python benchmarks/frozen_text.py --data ag_news --labels 4 10 30 --seeds 10

adds one JSON line a fit to benchmarks/results/frozen_text.jsonl; lines that are there are not run again.
The evidence is recorded as cross-validation saw it; benchmarks/evidence.py weighs it.
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

from splits import NAMES, Split, load
from tutelage.data import Features
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Data, on_features
from tutelage.fit.defaults import ON_FEATURES, PLAN_ON_FEATURES
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import fit
from tutelage.methods import METHODS
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.text.features import encode
from tutelage.tasks import Classification

RESULTS = Path(__file__).parent / "results" / "frozen_text.jsonl"
UNLABELLED = 4000


def features(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Features of the pool and of the test texts, from the cache after the first time."""
    encoder, cache = load_encoder(), cache_folder() / "features"
    return encode(split.texts, encoder, cache), encode(split.test_texts, encoder, cache)


def one(name: str, method: str, a_class: int, seed: int) -> dict[str, object]:
    """One fit, scored on the test part."""
    torch.set_num_threads(1)
    split = load(name)
    x, x_test = features(split)
    labelled = split.labelled(a_class, seed)
    rest = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(len(x)), labelled))[:UNLABELLED]
    t = torch.as_tensor
    classes = int(split.y.max()) + 1
    data = Data(
        Classification(classes), Features(t(x[labelled])), split.y[labelled], Features(t(x[rest])), split.y[rest]
    )
    problem = on_features(data, per_feature=False)
    start = time.perf_counter()
    outcome = fit(problem, METHODS[method](), replace(ON_FEATURES, seed=seed), Prior(), PLAN_ON_FEATURES)
    seconds = time.perf_counter() - start
    assert outcome.evidence is not None

    def accuracy(network: torch.nn.Module) -> float:
        with torch.no_grad():
            return float((network(t(x_test)).argmax(1).numpy() == split.test_y).mean())

    return {
        "data": name, "method": method, "labels_a_class": a_class, "seed": seed,
        "reference": accuracy(outcome.reference), "candidate": accuracy(outcome.candidate),
        "observed": outcome.evidence.observed, "error": outcome.evidence.error,
        "labels": outcome.evidence.labels, "reference_choice": outcome.reference_choice,
        "seconds": round(seconds, 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", default=list(NAMES))
    parser.add_argument("--methods", nargs="+", default=["supervised", "self_training", "mean_teacher", "drift"])
    parser.add_argument("--labels", nargs="+", type=int, default=[4, 10, 30])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    a = parser.parse_args()
    done = set()
    if RESULTS.exists():
        rows = [json.loads(line) for line in RESULTS.read_text().splitlines()]
        done = {(r["data"], r["method"], r["labels_a_class"], r["seed"]) for r in rows}
    jobs = [(d, m, n, s) for d in a.data for n in a.labels for s in range(a.seeds) for m in a.methods]
    for name in a.data:
        features(load(name))
    with ProcessPoolExecutor(a.processes) as pool, open(RESULTS, "a") as out:
        for row in pool.map(one, *zip(*[j for j in jobs if j not in done], strict=True)):
            out.write(json.dumps(row) + "\n")
            out.flush()
            print(row, flush=True)


if __name__ == "__main__":
    main()
