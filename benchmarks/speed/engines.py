"""What do engines cost? Rows that each labels with 1 and 2 workers, and what its start takes.

    python benchmarks/speed/engines.py                         all; a quarter of an hour of two cores
    python benchmarks/speed/engines.py --only texts --engines one processes

adds what was measured to benchmarks/results/engines.json. Every measurement is a process of its own, and its CPU
seconds are those of all processes below it. Each engine is measured with a few rows and with many, in turn with the
others in every repetition: the difference is the cost of a row, what is left the start. Texts are some 35 words long,
rows have 64 features; nothing is taken from the feature cache.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from tutelage.engines import Wanted
from tutelage.kinds import KINDS
from tutelage.modalities.head import Head
from tutelage.modalities.rows.reader import RowReader
from tutelage.model import Model
from tutelage.tables import USUAL, Notes, blocks
from tutelage.tasks import Classification

RESULTS = Path(__file__).parents[1] / "results" / "engines.json"
WIDTH, CLASSES, WORDS = 64, 4, 35
SIZES = {
    "texts": (128, 512), "texts, int8": (128, 512), "rows, csv": (40_000, 120_000), "rows, parquet": (40_000, 140_000),
}  # fmt: skip
"""Numbers of rows, few and many, of each form of items."""

ENGINES: dict[str, Wanted] = {
    "one": Wanted("one"), "processes, 1": Wanted("processes", 1), "processes, 2": Wanted("processes", 2),
    "ray, 1": Wanted("ray", 1),
}  # fmt: skip
REPEATS = 2


def written(form: str, count: int, folder: Path) -> Path:
    """The table of a form, made where it is missing."""
    ending = "parquet" if form.endswith("parquet") else "csv"
    path = folder / f"{form.replace(', ', '_')}_{count}.{ending}"
    if path.exists():
        return path
    draws = np.random.default_rng(count)
    if form.startswith("texts"):
        words = np.array(
            [f"{a}{b}" for a in ("ba", "lo", "mi", "ten", "ra", "so") for b in ("ker", "ring", "tal", "nes")]
        )
        lengths = draws.integers(WORDS // 2, WORDS + WORDS // 2, size=count)
        table = pd.DataFrame({"text": [" ".join(draws.choice(words, size=n)) for n in lengths]})
    else:
        table = pd.DataFrame(
            draws.normal(size=(count, WIDTH)).astype(np.float32), columns=[f"x{i}" for i in range(WIDTH)]
        )
    table.to_parquet(path) if ending == "parquet" else table.to_csv(path, index=False)
    return path


def fitted(form: str) -> tuple[Any, Model]:
    """A kind and a model that labels its items; its weights are drawn."""
    torch.manual_seed(0)
    if not form.startswith("texts"):
        names = tuple(f"x{i}" for i in range(WIDTH))
        head = Head(WIDTH, CLASSES).eval()
        return KINDS["rows"](features=names, exact=True), Model(
            list("abcd"), head, RowReader(), Classification(CLASSES), False
        )
    kind = KINDS["texts"](text="text", precision="int8" if form.endswith("int8") else None)
    reader = kind.reader()
    head = Head(reader.encoder.width, CLASSES).eval()
    return kind, Model(list("abcd"), head, reader, Classification(CLASSES), False)


def tree_seconds() -> float:
    """CPU seconds of this process and of all below it, those that have ended included."""
    ticks, parents, total = os.sysconf("SC_CLK_TCK"), {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            cells = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(path.parent.name)
        parents[number] = int(cells[1])
        total[number] = sum(int(cell) for cell in cells[11:15]) / ticks
    own, grown = {os.getpid()}, True
    while grown:
        more = {number for number, parent in parents.items() if parent in own} - own
        own, grown = own | more, bool(more)
    return sum(total[number] for number in own if number in total)


def measured(engine: str, form: str, count: int, folder: Path) -> dict[str, float]:
    """One measurement, in this process: CPU seconds and seconds of a prediction, with the start of the workers."""
    path = written(form, count, folder)
    if form.startswith("texts"):  # so that two workers have some blocks each, also of the few
        blocks.BYTES_A_BLOCK = 1 << 12
    kind, model = fitted(form)
    if engine == "one":
        torch.set_num_threads(1)
    seen: list[float] = []
    wanted = ENGINES[engine]
    from tutelage.kinds import predicting

    predicting.ROWS_IN_MEMORY = 0
    cpu, clock, own = tree_seconds(), time.perf_counter(), time.process_time()

    def tick(*now: Any) -> None:
        seen.append(tree_seconds())

    kind.predict(model, path, folder / f"out_{os.getpid()}.csv", USUAL, Notes(), tick, wanted=wanted)
    clock, own = time.perf_counter() - clock, time.process_time() - own
    size = (folder / f"out_{os.getpid()}.csv").stat().st_size
    return {
        "cpu_seconds": max(tree_seconds(), *seen) - cpu, "seconds": clock, "own_seconds": own,
        "bytes_in": path.stat().st_size / count, "bytes_out": size / count,
    }  # fmt: skip


def summed(few: list[dict[str, float]], many: list[dict[str, float]], sizes: tuple[int, int]) -> dict[str, float]:
    """The cost of a row and of the start, medians over the repetitions."""
    apart = sizes[1] - sizes[0]

    def middle(of: str) -> tuple[float, float]:
        each = [(b[of] - a[of]) / apart for a, b in zip(few, many, strict=True)]
        row = statistics.median(each)
        return row, statistics.median([a[of] - sizes[0] * row for a in few])

    (cpu, start_cpu), (clock, start) = middle("cpu_seconds"), middle("seconds")
    return {
        "rows_a_cpu_second": round(1 / max(cpu, 1e-9), 1),
        "rows_a_second_of_the_first_process": round(1 / max(middle("own_seconds")[0], 1e-9), 1),
        "rows_a_second": round(1 / max(clock, 1e-9), 1),
        "start_cpu_seconds": round(start_cpu, 2), "start_seconds": round(start, 2),
        "bytes_in": round(many[0]["bytes_in"], 1), "bytes_out": round(many[0]["bytes_out"], 1), "repeats": len(few),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=4, metavar=("ENGINE", "FORM", "ROWS", "FOLDER"), help="one run, as JSON")
    parser.add_argument("--only", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--repeats", type=int, default=REPEATS)
    a = parser.parse_args()
    if a.one:
        print(json.dumps(measured(a.one[0], a.one[1], int(a.one[2]), Path(a.one[3]))))
        return
    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory() as folder:

        def run(engine: str, form: str, count: int) -> dict[str, float] | None:
            alone = os.environ | {"OMP_NUM_THREADS": "1"}
            command = [sys.executable, __file__, "--one", engine, form, str(count), folder]
            done = subprocess.run(command, check=False, capture_output=True, text=True, env=alone)
            if done.returncode:  # Ray, on a busy machine
                print(engine, done.stderr.strip().splitlines()[-1][:200], flush=True)
            return None if done.returncode else json.loads(done.stdout.splitlines()[-1])

        for form in a.only:
            sizes = SIZES[form]
            for count in sizes:
                written(form, count, Path(folder))
            lines: dict[str, tuple[list, list]] = {engine: ([], []) for engine in a.engines}
            for _ in range(a.repeats):
                for engine in a.engines:
                    both = [run(engine, form, count) for count in sizes]
                    print(form, engine, both, flush=True)
                    if None not in both:
                        lines[engine][0].append(both[0])
                        lines[engine][1].append(both[1])
            for engine, (few, many) in lines.items():
                if few:
                    found = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}  # others may have added to it
                    found.setdefault(form, {})[engine] = summed(few, many, sizes)
                    RESULTS.write_text(json.dumps(found, indent=1) + "\n")
            found["machine"] = {"processor": processor(), "torch": torch.__version__, "load": os.getloadavg()[0]}
            RESULTS.write_text(json.dumps(found, indent=1) + "\n")


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
