"""Does the agreement gate refuse what it should, and do its intervals hold? Trials, and the comments of SIGHT.

    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/gate.py    # into benchmarks/results/gate.json

Trials: a scripted annotator of known error labels rows of three classes, and two people label them who err on 3 % of
the rows each. Whoever errs takes one of the other classes, each as often. The account of `tutelage teacher` estimates
the annotator's accuracy; its interval is taken by itself but in the first trial, since the calibration that the account
tries takes longest. `run.gate.judged` estimates its kappa with the people, label by label; the truth is that of two
million rows. Counted is in how many trials the 90 % intervals hold it, and how often each label passes a gate of 0.6 by
its estimate, which is the rule, and clearly, by the lower end of its interval. Wilson's interval of the accuracy stands
beside.

SIGHT: kappas of the two people, and of these and the model, by label and prompt, of the 289 comments that are staged.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lines import RESULTS
from tutelage.bench.protocol import data_root
from tutelage.fit.evidence import exact, wilson
from tutelage.ops.agreement import Agreement, kappas
from tutelage.run.account import account
from tutelage.run.gate import judged
from tutelage.weak import Source

TRIALS, GATE, CLASSES, PERSON = 200, 0.6, 3, 0.03
ROWS = (50, 100, 300)
WRONG = (0.05, 0.15, 0.25, 0.28, 0.35, 0.5)
SHARES = np.array([0.5, 0.35, 0.15])


def annotated(y: np.ndarray, wrong: float, draws: np.random.Generator) -> np.ndarray:
    """Labels of an annotator that errs on the given share of the rows, (n,)."""
    other = (y + draws.integers(1, CLASSES, len(y))) % CLASSES
    return np.where(draws.random(len(y)) < wrong, other, y)


def ratings(rows: int, wrong: float, draws: np.random.Generator) -> np.ndarray:
    """The truth, the labels of two people, and those of the annotator, (4, rows)."""
    y = draws.choice(CLASSES, rows, p=SHARES)
    return np.stack([y, *(annotated(y, w, draws) for w in (PERSON, PERSON, wrong))])


def true_kappas(wrong: float) -> list[float]:
    """Mean kappa of annotator and people on each label, of two million rows."""
    _, *rated = ratings(2_000_000, wrong, np.random.default_rng(12_345))
    found = [kappas(np.stack(rated) == k, [(0, 2), (1, 2)]).kappa for k in range(CLASSES)]
    return [float(k) for k in found if k is not None]


def trials(rows: int, wrong: float) -> dict[str, Any]:
    """What becomes of TRIALS samples of so many rows."""
    names, truth, seen = [str(k) for k in range(CLASSES)], true_kappas(wrong), defaultdict(list)
    for seed in range(TRIALS):
        y, first, second, said = ratings(rows, wrong, np.random.default_rng([rows, round(1000 * wrong), seed]))
        source = Source("annotator", np.eye(CLASSES)[said])
        share = float((said == y).mean())
        estimate, beside = exact(share, rows), wilson(share, rows)
        if not seed and account(source, y, names)["interval"] != [estimate.low, estimate.high]:
            raise RuntimeError("the account has another interval")
        seen["accuracy holds"].append(estimate.low <= 1 - wrong <= estimate.high)
        seen["accuracy holds, Wilson"].append(beside.low <= 1 - wrong <= beside.high)
        found = judged(source, {"first": first, "second": second}, names, GATE)
        for k, each in enumerate(found.labels):
            by = each.teacher
            seen["kappa holds"].append(by.low is not None and by.low <= truth[k] <= by.high)
        seen["passes"].append([each.passes for each in found.labels])
        seen["passes clearly"].append(
            [by.low is not None and by.low >= GATE for by in (e.teacher for e in found.labels)]
        )
    about = {"rows": rows, "wrong": wrong, "trials": TRIALS, "true kappas": [round(k, 3) for k in truth]}
    return about | {name: np.mean(values, axis=0).round(4).tolist() for name, values in sorted(seen.items())}


def plain(found: Agreement) -> dict[str, Any]:
    return {k: v if v is None else round(v, 3) for k, v in vars(found).items()}


def sight() -> dict[str, Any]:
    """Kappas of the two people, and the mean of each one's with the model, by label and prompt."""
    table = pd.read_parquet(data_root(Path(__file__)) / "sight_comments" / "sight_human_and_llm_sample.parquet")
    labels = [c.removeprefix("H1_") for c in table if c.startswith("H1_")]
    found = {}
    for label in labels:
        people = [table[f"H{i}_{label}"].to_numpy() for i in (1, 2)]
        mine = [c for c in table if c.startswith("openaichat_v") and c.split("_", 2)[2] == label]
        prompts = {
            c.split("_")[1]: plain(kappas(np.stack([*people, table[c].to_numpy()]), [(0, 2), (1, 2)])) for c in mine
        }
        found[label] = {
            "said by people": [int(p.sum()) for p in people], "people": plain(kappas(np.stack(people), [(0, 1)])),
            "prompts": prompts,
        }  # fmt: skip
    return {"comments": len(table), "labels": found}


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    result = {"trials": [trials(rows, wrong) for rows in ROWS for wrong in WRONG], "sight": sight()}
    Path(RESULTS / "gate.json").write_text(json.dumps(result, indent=1) + "\n")
