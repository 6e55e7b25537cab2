"""Label propagation on 200,000 rows of 384 features: its time, its memory, what it finds; scikit-learn's beside it.

    python benchmarks/speed/graph_scale.py                 200,000 rows; minutes on one core
    python benchmarks/speed/graph_scale.py --rows 20000    fewer

writes benchmarks/results/graph_scale.json. Rows lie between two AG News texts of one class each, by MiniLM; 30 labels a
class. Memory is the peak of the whole process, and of it what is above that with the rows read. Poisson learning comes
second and finds the pool's graph made.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.semi_supervised import LabelPropagation as KernelPropagation

from tutelage.bench.cells import encoded
from tutelage.bench.protocol import DataSet, data_root
from tutelage.bench.running import forget_peak, peak_mb
from tutelage.data import Features
from tutelage.graph.neighbours import nearest, nearest_among
from tutelage.methods import LabelPropagation, PoissonLearning

RESULTS = Path(__file__).parents[1] / "results" / "graph_scale.json"
A_CLASS, LOOKED_AT = 30, 1000


def rows(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows between two texts of one class each, and their classes."""
    everything = DataSet(name="ag_news", kind="texts", file="ag_news/ag_news.parquet", pool=10**6, scored=10**6)
    cut, *parts = encoded(everything, data_root(Path(__file__)))
    x, y = np.concatenate([p.numpy() for p in parts]), np.concatenate([cut.learn.y, cut.test.y])
    rng = np.random.default_rng(0)
    first = rng.integers(len(x), size=count)
    of_class = {c: np.flatnonzero(y == c) for c in np.unique(y)}
    second = np.array(
        [of_class[c][i % len(of_class[c])] for c, i in zip(y[first], rng.permutation(count), strict=True)]
    )
    out, share = np.empty((count, x.shape[1]), dtype=np.float32), rng.random((count, 1), dtype=np.float32)
    for start in range(0, count, 10_000):
        at = slice(start, start + 10_000)
        out[at] = share[at] * x[first[at]] + (1 - share[at]) * x[second[at]]
    return out, y[first]


def recall(x: np.ndarray, k: int) -> float:
    """Of the k nearest of some rows, the share that the approximate search finds."""
    found = nearest(x, k).index
    some = np.random.default_rng(1).choice(len(x), LOOKED_AT, replace=False)
    true = nearest_among(x[some], x, k + 1).index[:, 1:]  # the first is the row itself
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(true, found[some], strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    a = parser.parse_args()
    torch.set_num_threads(1)
    x, y = rows(a.rows)
    rng = np.random.default_rng(2)
    labelled = np.concatenate([rng.permutation(np.flatnonzero(y == c))[:A_CLASS] for c in range(4)])
    rest = np.setdiff1d(np.arange(len(x)), labelled)
    pool, some = torch.as_tensor(x[rest]), torch.as_tensor(x[labelled])
    found: dict[str, object] = {"rows": len(x), "features": x.shape[1], "labels": len(labelled)}
    for method in (LabelPropagation(), PoissonLearning()):
        forget_peak()
        before, start = peak_mb(), time.perf_counter()
        p, reached = method.teach(some, y[labelled], Features(pool), 4, 0)
        found[method.name] = {
            "seconds": round(time.perf_counter() - start, 1), "peak_mb": peak_mb(), "above_rows_mb": peak_mb() - before,
            "accuracy": float((p.argmax(1) == y[rest]).mean()), "unreached": int((reached == 0).sum()),
        }  # fmt: skip
        print(method.name, found[method.name], flush=True)
    found["recall of the ten nearest"] = recall(x, 10)
    try:  # of fewer rows it runs, for long
        KernelPropagation(kernel="rbf").fit(x, np.where(np.isin(np.arange(len(x)), labelled), y, -1))
        found["scikit-learn, kernel"] = "ran"
    except MemoryError as e:
        found["scikit-learn, kernel"] = f"MemoryError: {e}"
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
