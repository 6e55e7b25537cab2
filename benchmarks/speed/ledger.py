"""What the ledger of pseudo-labels costs: CPU seconds of a fit with it and without, and its size and time at 10^6 rows.

    python benchmarks/speed/ledger.py [--pairs 9] [--rows 1000000]

writes benchmarks/results/ledger.json. Fits are on rows of features, as many as MiniLM has: whole ones in Python, with
evidence of five folds, and trainings of a head alone, with a folder of parts as a run has. In pairs, the one with the
ledger (its blocks, files and words) comes now first and now second; the ratio of the CPU seconds of a pair
is told. At a million rows one training by each method is made with the ledger.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from tutelage import Classifier
from tutelage.data import Features
from tutelage.fit import contender
from tutelage.fit.build import Items
from tutelage.fit.confirmation import Confirmation
from tutelage.fit.contender import Contender
from tutelage.fit.ledger import Recorder, gathering
from tutelage.fit.problem import Problem
from tutelage.fit.setup import FolderStore, Setup
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.entries import InTable
from tutelage.kinds.ledger import KeptLedger
from tutelage.kinds.origins import Origins
from tutelage.kinds.story import Told, find, story
from tutelage.methods import METHODS
from tutelage.modalities.head import Head
from tutelage.ops.meter import now
from tutelage.tasks import Classification
from tutelage.train import Training

OUT = Path(__file__).parents[1] / "results" / "ledger.json"
METHOD_NAMES = ("drift", "fixmatch", "self_training", "label_spreading")
WHOLE = ("drift", "self_training")
"""Methods of the trainings alone, and of the whole fits: one labels at each step, one between rounds."""
WIDTH, CLASSES, LABELS, POOL, STEPS = 384, 8, 80, 5_000, 300
"""Features of a row, classes, labels, rows of the pool and steps of the fits that are compared."""
WIDTH_OF_MANY = 32
"""Features of a row at a million rows."""


def problem(rows: int, width: int) -> Problem:
    """Rows of features around a centre for each class."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLASSES, width)).astype(np.float32)

    def draw(count: int) -> tuple[Features, np.ndarray]:
        y = rng.integers(0, CLASSES, count)
        x = centres[y] * 0.5 + rng.standard_normal((count, width), dtype=np.float32) * 2
        return Features(torch.from_numpy(x)), y

    (labelled, _), (pool, _) = draw(LABELS), draw(rows)
    y = np.arange(LABELS) % CLASSES
    labelled = Features(torch.from_numpy(centres[y] * 0.5 + rng.standard_normal((LABELS, width), dtype=np.float32) * 2))

    def network(seed: int) -> Head:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return Head(width, CLASSES)

    return Problem(Classification(CLASSES), labelled, y, pool, network, None, strong=(pool,), threads=1)


def data_of(p: Problem) -> Dataset:
    """The data set of a problem's rows, as a table gives them."""
    items = Items(p.task, range(len(p.labelled)), p.y, range(len(p.pool)))
    at = InTable("rows.parquet", range(1, len(p.labelled) + 1), {})
    more = InTable("pool.parquet", range(1, len(p.pool) + 1), {})
    origins = Origins((at, len(p.labelled)), [(more, len(p.pool))])
    return Dataset(items, [f"class {k}" for k in range(CLASSES)], origins=origins)


def fit(p: Problem, name: str, data: Dataset, with_ledger: bool) -> tuple[float, KeptLedger | None, float]:
    """CPU seconds of a training, its ledger, and the CPU seconds of the words and files of that."""
    method = METHODS[name](**({"threshold": 0.5} if name == "fixmatch" else {})).settled(p.task)
    for examples in (p.pool, p.labelled):
        examples.computed.clear()  # of the graph, which each training shall make anew
    with tempfile.TemporaryDirectory() as folder, gathering() if with_ledger else nullcontext({}) as found:
        begin = time.process_time()
        Contender("candidate", method, Setup(p, Training(STEPS), FolderStore(Path(folder)))).network()
        trained = time.process_time()
        kept = None
        if with_ledger:
            ledgers = list(found.values())
            for ledger in ledgers:
                Confirmation.of(ledger, CLASSES, np.full(CLASSES, 1 / CLASSES)).as_dict(data.classes, "rows")
            kept = KeptLedger.of(data, ledgers)
            if kept is not None:
                kept.keep(Path(folder))
        end = time.process_time()
    return end - begin, kept, end - trained


def whole(p: Problem, name: str, with_ledger: bool) -> float:
    """CPU seconds of a whole fit in Python, with its evidence of five folds, and without the encoding of anything."""
    rows = np.concatenate([np.asarray(p.labelled.rows), np.asarray(p.pool.rows)])
    y = np.concatenate([p.y, np.full(len(p.pool), -1)])
    none = nullcontext() if with_ledger else patch.object(contender, "keeps", lambda method, problem: False)
    no_files = nullcontext() if with_ledger else patch.object(KeptLedger, "of", lambda data, ledgers: None)
    with none, no_files, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begin = time.process_time()
        Classifier(name, steps=STEPS, repeats=1, random_state=0).fit(rows, y)
        return time.process_time() - begin


def pairs(count: int) -> dict[str, Any]:
    """CPU seconds with the ledger over those without, minus 1, over pairs, of whole fits and of trainings alone."""
    p = problem(POOL, WIDTH)
    data = data_of(p)
    ways: dict[str, Callable[[str, bool], float]] = {
        "whole fit": lambda name, w: whole(p, name, w), "training alone": lambda name, w: fit(p, name, data, w)[0]
    }  # fmt: skip
    found: dict[str, Any] = {}
    for what, name in (*product(["training alone"], METHOD_NAMES), *product(["whole fit"], WHOLE)):
        seconds = ways[what]
        for with_ledger in (True, False):
            seconds(name, with_ledger)
        each = []
        for i in range(count):
            of = {w: seconds(name, w) for w in ((True, False) if i % 2 else (False, True))}
            each.append((of[True] / of[False] - 1, of[True] - of[False], of[False]))
        ratio, more, without = np.array(each).T
        low, middle, high = np.quantile(ratio, [0.25, 0.5, 0.75]).round(4).tolist()
        found[f"{what}, {name}"] = {
            "without_seconds": round(float(np.median(without)), 3), "more_seconds": round(float(np.median(more)), 4),
            "more": middle, "lower": low, "upper": high, "pairs": count,
        }  # fmt: skip
        print(what, name, found[f"{what}, {name}"], flush=True)
    return found


def many(rows: int) -> dict[str, Any]:
    """Size and CPU seconds of the ledger of a large pool, by method, and of the story of one row of it."""
    found: dict[str, Any] = {}
    p = problem(rows, WIDTH_OF_MANY)
    data, look = data_of(p), Recorder.look
    for name in ("drift", "fixmatch", "self_training"):
        spent = [0.0]

        def timed(recorder: Recorder, run: Any, spent: list[float] = spent) -> None:
            begin = time.process_time()
            look(recorder, run)
            spent[0] += time.process_time() - begin

        Recorder.look = timed  # type: ignore[method-assign]
        seconds, kept, written = fit(p, name, data, True)
        Recorder.look = look  # type: ignore[method-assign]
        assert kept is not None
        (about,) = kept.about()["trainings"]
        begin = now()
        story(kept, find(kept, about["every"] * 7 + 1, of="pool.parquet"), Told(True, "rows"))
        found[name] = {
            "rows": rows, "followed": about["items"], "ledger_rows": about["rows"], "blocks": about["blocks"],
            "ledger_bytes": len(kept.ledger), "places_bytes": len(kept.places), "fit_seconds": round(seconds, 2),
            "looking_seconds": round(spent[0], 3), "writing_seconds": round(written, 3),
            "story_seconds": round(now() - begin, 2),
        }  # fmt: skip
        print(name, found[name], flush=True)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=9, help="number of pairs")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large pool")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    machine = {"processor": platform.machine(), "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}
    large = many(asked.rows)
    told = {"machine": machine, "pairs": pairs(asked.pairs), "many": large}
    OUT.write_text(json.dumps(told, indent=1) + "\n")
