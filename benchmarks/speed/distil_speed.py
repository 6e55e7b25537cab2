"""Time and memory of self-distillation in closed form, and of the estimator that chooses, by the number of rows.

    python benchmarks/speed/distil_speed.py

adds to benchmarks/results/distil_speed.json what it does not hold yet. Rows are random around 10 class centres,
float32, 384 features; 40 % of the labels are wrong. Each measurement runs in a process of its own, so that its peak
memory (which holds the features themselves and the libraries) is its own; seconds are of the computation alone, on as
many threads as the machine has cores unless OMP_NUM_THREADS says less. Beside them stand the seconds that the cores
worked for it: with one thread on a machine that others use too, these are what it would take alone.

- "closed form": the decomposition and the students of ten rounds, each with its labels of all rows.
- "dual": the same through the matrix of rows by rows, for as many rows as have time.
- "estimator": `SelfDistiller().fit`, which tries every student, with its choice.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

OUT = Path(__file__).parents[1] / "results" / "distil_speed.json"
FEATURES, CLASSES, ROUNDS, DECAY, NOISE = 384, 10, 10, 1e-4, 0.4
RUNS = {
    "closed form": (10_000, 60_000, 250_000, 1_000_000),
    "dual": (2_000, 6_000),
    "estimator": (10_000, 60_000, 250_000, 1_000_000),
}


def data(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, noisy labels and the truth."""
    from tutelage.distil.noise import corrupt, symmetric

    rng = np.random.default_rng(0)
    y = rng.integers(CLASSES, size=rows)
    centres = rng.standard_normal((CLASSES, FEATURES), dtype=np.float32) * np.float32(0.12)
    x = rng.standard_normal((rows, FEATURES), dtype=np.float32)
    x += centres[y]
    return x, corrupt(y, symmetric(CLASSES, NOISE), seed=0), y


def measure(kind: str, rows: int) -> dict[str, object]:
    from tutelage import SelfDistiller
    from tutelage.distil.closed import decompose, decompose_gram, one_hot, outputs
    from tutelage.distil.rows import Rows

    x, noisy, truth = data(rows)
    start, worked = time.perf_counter(), time.process_time()
    if kind == "estimator":
        model = SelfDistiller().fit(x, noisy)
        labels, chosen = model.labels_, {"chosen": model.chosen_.kind, "tried": len(model.tried_)}
    else:
        features = Rows.of(x)
        if kind == "dual":
            features = features[:]
            features = features @ features.T
        d = decompose_gram(features) if kind == "dual" else decompose(features)
        moments = d.moments(features, one_hot(noisy, CLASSES))
        for t in range(1, ROUNDS + 1):
            labels = outputs(features, d.weights(moments, DECAY, t))
        chosen = {}
    return {
        "rows": rows,
        "seconds": round(time.perf_counter() - start, 2),
        "cpu_seconds": round(time.process_time() - worked, 2),
        "threads": os.environ.get("OMP_NUM_THREADS", f"{os.cpu_count()} (all)"),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "features_mb": x.nbytes // 2**20,
        "given_labels_right": round(float((noisy == truth).mean()), 4),
        "refined_labels_right": round(float((labels.argmax(1) == truth).mean()), 4),
        **chosen,
    }  # fmt: skip


def main() -> None:
    result = json.loads(OUT.read_text()) if OUT.exists() else {}
    result |= {"features": FEATURES, "classes": CLASSES, "rounds": ROUNDS}
    for kind, sizes in RUNS.items():
        found = result.setdefault(kind, [])
        for rows in sizes:
            if rows in [run["rows"] for run in found]:
                continue
            run = subprocess.run(
                [sys.executable, __file__, kind, str(rows)], check=True, capture_output=True, text=True
            )
            found.append(json.loads(run.stdout))
            print(kind, found[-1], flush=True)
            OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
