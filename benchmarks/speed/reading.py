"""CPU seconds of a fit without faults in this checkout and in another one, such as that of the commit before a change.

    python benchmarks/speed/reading.py OTHER_CHECKOUT [pairs]

writes benchmarks/results/reading.json. The fits of each kind run in turns, one of each checkout a pair, in processes of
their own; features are in the cache of each beforehand. The ratio of a pair is that of this checkout to the other.
"""

from __future__ import annotations

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
    "sentences": ["--train", "sentences.conll", "--tokens", "0", "--tags", "1"],
    "rows": ["--train", "rows.csv", "--features", "x_", "--label", "label"],
}
"""Options that name the data of each kind."""


def write(folder: Path) -> None:
    """Write data of each kind; 20 items have labels."""
    frame = table(ROWS)
    frame["label"] = [("food", "sport")[i // 100 % 2] if i % 100 == 0 else "" for i in range(ROWS)]
    frame.to_csv(folder / "texts.csv", index=False)
    (folder / "sentences.conll").write_text("".join(map(sentence, frame["text"], frame["label"])), encoding="utf-8")
    x = np.random.default_rng(0).standard_normal((ROWS, 8))
    frame.drop(columns="text").assign(**{f"x_{j}": x[:, j] for j in range(8)}).to_csv(folder / "rows.csv", index=False)


def cpu_seconds(checkout: Path, folder: Path, kind: str) -> float:
    """CPU seconds of a fit by the code of a checkout."""
    words = [sys.executable, "-m", "tutelage", "fit", "drift", *KINDS[kind], "--out", str(folder / "run")]
    cache = {"TUTELAGE_CACHE": str(folder / f"cache-{checkout.name}"), "PYTHONPATH": str(checkout / "src")}
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
    other, pairs = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 9
    found = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write(folder)
        for kind in KINDS:
            for checkout in (HERE, other):
                cpu_seconds(checkout, folder, kind)  # fills the cache
            each = [[cpu_seconds(checkout, folder, kind) for checkout in (HERE, other)] for _ in range(pairs)]
            ratios = np.array([this / that for this, that in each])
            found[kind] = {
                "pairs": pairs, "cpu_seconds": round(float(np.median(each)), 2),
                "ratio, median": round(float(np.median(ratios)), 4),
                "lower_quartile": round(float(np.quantile(ratios, 0.25)), 4),
                "upper_quartile": round(float(np.quantile(ratios, 0.75)), 4),
            }  # fmt: skip
            print(kind, found[kind], flush=True)
    OUT.write_text(json.dumps(found, indent=1) + "\n")
