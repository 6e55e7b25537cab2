"""CPU seconds of all that a fit without faults does besides training, in this checkout and in another one.

    python benchmarks/speed/reading.py OTHER_CHECKOUT [--this CHECKOUT] [--pairs 9] [--out safety.json]

writes benchmarks/results/reading.json, or another file there: safety.json is of all that keeps runs and caches safe. A
change of the code that reads cannot be seen in the time of a whole fit, whose trainings vary by more. So fits of one
step without evidence run in turns, one of each checkout a pair, in processes of their own; features are in the cache
of each beforehand. Their difference is told as a share of a whole fit.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from look import sentence, table

HERE = Path(__file__).parents[2]
OUT = HERE / "benchmarks" / "results" / "reading.json"
ROWS = 2_000
KINDS = {
    "texts": ["--train", "texts.csv", "--text", "text", "--label", "label"],
    "sentences": ["--train", "tagged.conll", "--unlabelled", "pool.conll", "--tokens", "0", "--tags", "1"],
    "rows": ["--train", "rows.csv", "--features", "x_", "--label", "label"],
}
"""Options that name the data of each kind."""
SHORT = ("--steps", "1", "--no-evidence")
"""Options of a fit that hardly trains."""


def write(folder: Path) -> None:
    """Write data of each kind; 20 items have labels."""
    frame = table(ROWS)
    frame["label"] = [("food", "sport")[i // 100 % 2] if i % 100 == 0 else "" for i in range(ROWS)]
    frame.to_csv(folder / "texts.csv", index=False)
    for name, part in (("tagged", frame[frame["label"] != ""]), ("pool", frame[frame["label"] == ""])):
        lines = [sentence(text, "tagged") for text in part["text"]]
        (folder / f"{name}.conll").write_text("".join(lines), encoding="utf-8")
    x = np.random.default_rng(0).standard_normal((ROWS, 8))
    frame.drop(columns="text").assign(**{f"x_{j}": x[:, j] for j in range(8)}).to_csv(folder / "rows.csv", index=False)


def cpu_seconds(checkout: Path, folder: Path, kind: str, *more: str) -> float:
    """CPU seconds of a fit by the code of a checkout, with further options."""
    words = [sys.executable, "-m", "tutelage", "fit", "drift", *KINDS[kind], "--out", str(folder / "run"), *more]
    cache = {"TUTELAGE_CACHE": str(folder / f"cache-{checkout.name}"), "PYTHONPATH": str(checkout / "src")}
    cache["PYTHONDONTWRITEBYTECODE"] = ""  # where modules are compiled in each process, that is most of the time
    with subprocess.Popen(
        words, cwd=folder, env=os.environ | cache | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        said = process.stderr.read() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{checkout}, {kind}: {said[-500:]}")
    subprocess.run(["rm", "-r", str(folder / "run")], check=True)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("other", type=Path, help="checkout before the change")
    parser.add_argument("--this", type=Path, default=HERE, help="checkout with the change")
    parser.add_argument("--pairs", type=int, default=9, help="number of pairs")
    parser.add_argument("--out", default=OUT.name, help="name of the file of the results")
    asked = parser.parse_args()
    this, other, pairs = asked.this.resolve(), asked.other.resolve(), asked.pairs
    found = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write(folder)
        for kind in KINDS:
            for checkout in (this, other):
                cpu_seconds(checkout, folder, kind, *SHORT)  # fills the cache
            each = np.array([[cpu_seconds(c, folder, kind, *SHORT) for c in (this, other)] for _ in range(pairs)])
            whole = cpu_seconds(this, folder, kind)
            more = np.quantile(each[:, 0] - each[:, 1], [0.5, 0.25, 0.75]) / whole
            found[kind] = {
                "pairs": pairs, "short fit, s": round(float(np.median(each[:, 0])), 2),
                "before, s": round(float(np.median(each[:, 1])), 2), "whole fit, s": round(whole, 2),
                **dict(zip(("more", "lower quartile", "upper quartile"), more.round(4).tolist(), strict=True)),
            }  # fmt: skip
            print(kind, found[kind], flush=True)
    OUT.with_name(asked.out).write_text(json.dumps(found, indent=1) + "\n")
