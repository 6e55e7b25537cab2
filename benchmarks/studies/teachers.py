"""What each way of using a described teacher is worth against the labels only: the priors of the choice among them.

    python benchmarks/studies/teachers.py            # draws 100 to 104, into benchmarks/results/teachers.jsonl
    python benchmarks/studies/teachers.py --records  # means and spreads into the package, and a table

Labels are drawn from the part of each set to learn from, and the score is on other items of that part, so that the
parts to score on stay unseen. The sentences that describe the classes are those of benchmarks/protocols/described.toml.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tutelage.bench.protocol import data_root, read_protocol
from tutelage.bench.sets import kind_for, load
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Build, Items, rows_of
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import Fit, threads
from tutelage.fit.problem import Plan
from tutelage.fit.recorded import Gains
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import Setup
from tutelage.fit.teacher import brought
from tutelage.methods import Drift
from tutelage.modalities.base import features

PROTOCOL = Path("benchmarks/protocols/described.toml")
LINES = Path("benchmarks/results/teachers.jsonl")
RECORDS = Path("src/tutelage/fit/records/teachers.json")
LABELS, SEEDS, POOL, SCORED = (2, 8, 30), range(100, 105), 2000, 1500


def measure() -> None:
    """Add the lines that are missing."""
    root, cache = data_root(PROTOCOL), cache_folder() / "features"
    done = {tuple(line[k] for k in ("data", "labels", "seed")) for line in lines()}
    for data in read_protocol(PROTOCOL).data:
        cut, kind = load(data, root), kind_for(data)
        reader, texts, y = kind.reader(), list(cut.learn.items), cut.learn.y
        described = [list(dict(data.describe)[name]) for name in cut.classes]
        for labels in LABELS:
            for seed in SEEDS:
                if (data.name, labels, seed) in done:
                    continue
                draws = np.random.default_rng(seed)
                index = np.concatenate(
                    [draws.permutation(np.flatnonzero(y == k))[:labels] for k in range(len(described))]
                )
                rest = draws.permutation(np.setdiff1d(np.arange(len(y)), index))
                pool, scored = np.split(rest[: min(POOL, len(rest) // 2) + SCORED], [min(POOL, len(rest) // 2)])
                items = Items(
                    cut.task, [texts[i] for i in index], y[index], [texts[i] for i in pool], described=described
                )
                problem = Build(reader, ("weak",), kind.defaults, False, cache).of(items).problem()
                teacher = brought(items, problem, cache)
                assert teacher is not None
                x = rows_of(features(reader, [texts[i] for i in scored], cache))
                training = replace(kind.defaults.training, seed=seed)
                setup = Setup(teacher.of(problem), training)

                def right(network: torch.nn.Module) -> float:
                    with torch.no_grad():
                        return float((network.eval()(x).argmax(1).numpy() == y[scored]).mean())  # noqa: B023

                with threads(1):
                    folds = problem.folds(Plan(folds=5, repeats=1), seed)
                    found = {"labels only": right(reference_model(Setup(problem, training), folds, None).network)}
                    asked = Fit(setup, Drift(), Prior(), Plan(skip=True), Gains.recorded, None)
                    found |= {rival.way: right(rival.trains.network()[0]) for rival in asked.rivals()}
                line = {"data": data.name, "labels": labels, "seed": seed} | found
                with open(LINES, "a") as file:
                    file.write(json.dumps(line) + "\n")
        print(data.name, flush=True)


def lines() -> list[dict]:
    return [json.loads(line) for line in LINES.read_text().splitlines()] if LINES.exists() else []


def record() -> None:
    """Write means and spreads of the gains over the labels only, by number of labels, and print a table."""
    found = lines()
    ways = [k for k in found[0] if k not in ("data", "labels", "seed")]
    sets = list(dict.fromkeys(r["data"] for r in found))
    records: dict[str, dict[str, dict[str, float]]] = {}
    print("| way | labels | " + " | ".join(sets) + " | gain |\n|---|---|" + "---|" * (len(sets) + 1))
    for way in ways:
        for labels in LABELS:
            by_set = [[r for r in found if r["data"] == s and r["labels"] == labels] for s in sets]
            scores = [np.mean([r[way] for r in rows]) for rows in by_set]
            gains = [np.mean([r[way] - r["labels only"] for r in rows]) for rows in by_set]
            mean, spread = float(np.mean(gains)), float(np.std(gains, ddof=1))
            cells = " | ".join(f"{100 * v:.1f}" for v in scores)
            print(f"| {way} | {labels} | {cells} | {100 * mean:+.1f} ± {100 * spread:.1f} |")
            if way != "labels only":
                prior = {"mean": round(mean, 4), "spread": round(max(spread, 0.02), 4), "runs": len(sets)}
                records.setdefault(way, {})[str(labels)] = prior
    RECORDS.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", action="store_true")
    if not parser.parse_args().records:
        measure()
    record()
