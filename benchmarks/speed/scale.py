"""Do time and memory grow with the rows alone? Pools on disk, fits, predictions, neighbours and audits of many rows.

    python benchmarks/speed/scale.py                        10^4, 10^5 and 10^6 rows; an hour of one core
    python benchmarks/speed/scale.py --only features fit    some parts
    python benchmarks/speed/scale.py --large                also 10^7 rows of what lies on disk; 16 GB of it

adds what was measured to benchmarks/results/scale.json. Rows have 384 features about one of four centres, written
block by block as a pool's are; labels are 20 a class. Each measurement is a process of its own. Its memory is the most
that is the process's own (RssAnon: pages of mapped files are the system's, which it takes back when it must), and that
before the work, beside the count of what the work must hold. A slope is that of the logarithm of CPU seconds from one
size to the next: 1 where time grows as the rows do.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tutelage.audit.neighbours import AMONG, compared
from tutelage.data.columns import Columns, Form
from tutelage.data.loader import SHUFFLED_IN_MEMORY, Stream
from tutelage.fit.build import Build, Items
from tutelage.fit.defaults import HEAD
from tutelage.fit.fit import fit
from tutelage.fit.problem import Plan
from tutelage.fit.recorded import recorded_prior
from tutelage.graph.neighbours import nearest
from tutelage.kinds import KINDS, predicting
from tutelage.methods import METHODS
from tutelage.modalities.head import Head
from tutelage.modalities.rows.reader import RowReader
from tutelage.model import Model
from tutelage.tables import USUAL, Notes
from tutelage.tasks import Classification
from tutelage.train import Training, train

RESULTS = Path(__file__).parents[1] / "results" / "scale.json"
WIDTH, CLASSES, A_CLASS, BLOCK, STEPS = 384, 4, 20, 1 << 14, 200
SIZES, LARGE = (10**4, 10**5, 10**6), 10**7
FEW = 64
"""Columns of the table that is predicted: a table of 384 would be read for longer than it is predicted."""


def own_memory() -> float:
    """Megabytes that are the process's own now."""
    found = re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def centres() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(CLASSES, WIDTH)).astype(np.float32) * 0.35


def rows_of(number: int, count: int) -> np.ndarray:
    """Rows of a block, (count, WIDTH): a function of its number."""
    draws = np.random.default_rng((1, number))
    y = draws.integers(CLASSES, size=count)
    return centres()[y] + draws.standard_normal((count, WIDTH), dtype=np.float32)


def column(count: int, folder: Path) -> Columns:
    """The pool, written block by block, or found as it was written before."""
    held = Columns(folder / str(count), {"rows": Form("<f4", WIDTH)}, {"count": count})
    for number, start in enumerate(range(0, count, BLOCK)):
        if number >= held.blocks:
            held.append({"rows": rows_of(number, min(BLOCK, count - start))})
    held.finish()
    return held


def labelled() -> tuple[np.ndarray, np.ndarray]:
    y = np.repeat(np.arange(CLASSES), A_CLASS)
    draws = np.random.default_rng(2).standard_normal((len(y), WIDTH), dtype=np.float32)
    return centres()[y] + draws, y


def build(count: int, folder: Path, method: str) -> tuple[object, object]:
    task = Classification(CLASSES)
    settled = METHODS[method]().settled(task)
    x, y = labelled()
    items = Items(task, x, y, column(count, folder)["rows"])
    return settled, Build(RowReader(), settled.views, HEAD, False, None).of(items).problem()


def features(count: int, folder: Path) -> float:
    """Write the column, and draw a hundred thousand of its rows at random, as training does."""
    own = folder / "written"
    held = column(count, own)["rows"]
    stream = Stream(count, min(256, count), 1)
    for step in range(400):
        torch.as_tensor(held)[torch.as_tensor(stream.at(step))].sum()
    return BLOCK * WIDTH * 4 * 3 / 2**20 + (8 * count / 2**20 if count <= SHUFFLED_IN_MEMORY else 0)


def whole_fit(method: str) -> Callable[[int, Path], float]:
    def run(count: int, folder: Path) -> float:
        """A fit with its evidence: labels-only model, folds, a look at the pool."""
        settled, problem = build(count, folder, method)
        fit(problem, settled, Training(steps=STEPS), recorded_prior(method, "rows"), Plan(2, 1))
        shuffles = 16 * count if count <= SHUFFLED_IN_MEMORY else 0
        memory = 12 * count if count <= SHUFFLED_IN_MEMORY else 0
        looked_at = min(count * CLASSES, 2**25) * 8 * 6
        return (shuffles + memory + looked_at + 8 * count * 4) / 2**20

    return run


def labelling(count: int, folder: Path) -> float:
    """Self-training of two rounds: the whole pool is labelled between them."""
    settled, problem = build(count, folder, "self_training")
    train(settled, problem.task, problem.network, problem.loader(), Training(steps=STEPS))
    return (36 * count if count <= SHUFFLED_IN_MEMORY else 24 * count) / 2**20


def predict(count: int, folder: Path) -> float:
    """A parquet file of rows, labelled and written as csv block by block."""
    import pyarrow as pa
    from pyarrow import parquet

    path, names = folder / f"{count}.parquet", [f"x{j}" for j in range(FEW)]
    if not path.exists():
        schema = pa.schema([(name, pa.float32()) for name in names])
        with parquet.ParquetWriter(path, schema) as out:
            for number, start in enumerate(range(0, count, BLOCK)):
                rows = rows_of(number, min(BLOCK, count - start))[:, :FEW]
                out.write_table(pa.table([pa.array(rows[:, j]) for j in range(FEW)], schema=schema))
    predicting.ROWS_IN_MEMORY = 0
    model = Model(list("abcd"), Head(FEW, CLASSES).eval(), RowReader(), Classification(CLASSES), cache=False)
    kind = KINDS["rows"](features=tuple(names), exact=True)
    kind.predict(model, path, folder / "out.csv", USUAL, Notes(), lambda *now: None)
    return BLOCK * FEW * 100 / 2**20


def graph(count: int, folder: Path) -> float:
    """The ten nearest rows of each row."""
    nearest(np.asarray(column(count, folder)["rows"]), 10)
    return count * (WIDTH * 4 + 2 * 10 * 4) / 2**20


def audit(count: int, folder: Path) -> float:
    """The nearest rows of each row among those that an audit looks at."""
    compared(np.asarray(column(count, folder)["rows"]))
    return (min(count, AMONG) * WIDTH * 4 + count * 2 * 10 * 4 + 512 * AMONG * 4 * 3) / 2**20


PARTS: dict[str, Callable[[int, Path], float]] = {
    "features": features, "fit": whole_fit("drift"), "fixmatch": whole_fit("fixmatch"), "labelling": labelling,
    "predict": predict, "graph": graph, "audit": audit,
}  # fmt: skip
ON_DISK = ("features", "fit", "labelling", "predict")
"""Parts that are measured with ten million rows, too."""


def measured(part: str, count: int, folder: Path) -> dict[str, float]:
    """One measurement, in this process."""
    if part != "features":
        column(count, folder)
    before, most, done = own_memory(), [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], own_memory())

    looking = threading.Thread(target=look)
    looking.start()
    cpu, clock = time.process_time(), time.perf_counter()
    held = PARTS[part](count, folder)
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    done.set()
    looking.join()
    return {
        "rows": count, "cpu_seconds": round(cpu, 2), "seconds": round(clock, 2), "megabytes_before": round(before),
        "megabytes_at_most": round(most[0]), "megabytes_to_be_held": round(held),
    }  # fmt: skip


def slopes(lines: list[dict[str, float]]) -> list[float]:
    """Slope of the logarithm of the CPU seconds from each size to the next."""
    pairs = zip(lines, lines[1:], strict=False)
    return [
        round(math.log(b["cpu_seconds"] / max(a["cpu_seconds"], 1e-3)) / math.log(b["rows"] / a["rows"]), 2)
        for a, b in pairs
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=3, metavar=("PART", "ROWS", "FOLDER"), help="one run in this process, as JSON")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rows", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--large", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(1)
    if a.one:
        print(json.dumps(measured(a.one[0], int(a.one[1]), Path(a.one[2]))))
        return
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        for count in [*a.rows, *[LARGE] * a.large]:
            for part in a.only:
                if count >= LARGE and part not in ON_DISK:
                    continue
                command = [sys.executable, __file__, "--one", part, str(count), folder]
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                line = json.loads(out.splitlines()[-1])
                print(part, line, flush=True)
                lines = [x for x in found.get(part, {}).get("measured", []) if x["rows"] != count] + [line]
                lines.sort(key=lambda x: x["rows"])
                found[part] = {"measured": lines, "slopes": slopes(lines)}
                RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
