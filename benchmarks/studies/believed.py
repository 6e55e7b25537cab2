"""Can the probabilities be believed? Calibration before and after the temperature, and errors among answered rows.

    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/believed.py
    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/believed.py --method drift --draws 5

Takes the six text sets of the protocol "text", 10 and 30 labels a class, and adds a JSON line for each draw of labels
to benchmarks/results/believed.jsonl; lines that are there are not run again. Then all lines are summed up in
benchmarks/results/believed.json. "labels only" is the reference of a fit, logistic regression on MiniLM features whose
penalty the folds choose; another method is a whole fit, and its returned model is measured. All measures are on the
test rows, which nothing else sees. Draws 1000 to 1059, on the rows to learn from, chose the prior of the temperature,
the rule of abstention and its confidence.

Rules of abstention, each at a stated error:
- tested: the library's, `fit.abstention.promise`.
- counting: the lowest threshold of which (1 + wrong) / (1 + labels above it) is at most the stated error.
- conformal: Benjamini and Hochberg's procedure on conformal p-values, over the test rows (Jin and Candes, JMLR 2023).
- tested, true shares: as tested, each label weighed by its class's share among the test rows over that among the
  labels, which no user knows: what is at stake where labels are drawn evenly and rows are not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

from lines import RESULTS, fit_missing
from tutelage.bench.cells import draw
from tutelage.bench.protocol import DataSet, Protocol, Setting, data_root, read_protocol
from tutelage.bench.running import Row
from tutelage.bench.sets import kind_for, load
from tutelage.data import Examples
from tutelage.data.sources import cache_folder
from tutelage.fit import abstention
from tutelage.fit.build import Build, Items
from tutelage.fit.calibration import Calibration, Reliability, calibrated, tempered
from tutelage.fit.evidence import LEVEL
from tutelage.fit.fit import fit
from tutelage.fit.problem import Problem
from tutelage.fit.recorded import recorded_prior
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import Setup
from tutelage.kinds.base import Kind
from tutelage.methods import METHODS
from tutelage.modalities.base import features as features_of
from tutelage.train import Training, predict

KEYS = ("data", "labels_a_class", "seed", "model")
ALONE = "labels only"
CACHE = cache_folder() / "features"
STATED = (0.02, 0.05, 0.1)
Rule = Callable[[dict[str, np.ndarray], np.ndarray, np.ndarray, float], float]
"""Gives the least probability that is answered, by what is kept of the labels, the rows' probabilities and classes."""


def protocol() -> tuple[Protocol, Path]:
    path = Path(__file__).parents[1] / "protocols" / "text.toml"
    return read_protocol(path), data_root(path)


def tested(held: dict[str, np.ndarray], sure: np.ndarray, y: np.ndarray, error: float) -> float:
    found = abstention.promise(held, error).threshold
    return np.inf if found is None else found


def counts(held: dict[str, np.ndarray], thresholds: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weight of the labels, and of the wrong ones, of at least these probabilities; a mean over the repeats."""
    sure, wrong = held["confidence"], ~held["right"]
    order = np.argsort(-sure.ravel(), kind="stable")
    each = np.tile(weight, len(sure))[order] / len(sure)
    place = np.searchsorted(-sure.ravel()[order], -thresholds, side="right")
    total, bad = (np.append(0, np.cumsum(v)) for v in (each, each * wrong.ravel()[order]))
    return total[place], bad[place]


def lowest(thresholds: np.ndarray, passed: np.ndarray) -> float:
    return float(thresholds[passed].min()) if passed.any() else np.inf


def counting(held: dict[str, np.ndarray], sure: np.ndarray, y: np.ndarray, error: float) -> float:
    n, wrong = counts(held, sure, np.ones(len(held["label"])))
    return lowest(sure, (1 + wrong) / (1 + n) <= error)


def conformal(held: dict[str, np.ndarray], sure: np.ndarray, y: np.ndarray, error: float) -> float:
    p = (1 + counts(held, sure, np.ones(len(held["label"])))[1]) / (1 + len(held["label"]))
    share = (sure[None] >= sure[:, None]).mean(1)
    return lowest(sure, p <= error * share)


def true_shares(held: dict[str, np.ndarray], sure: np.ndarray, y: np.ndarray, error: float) -> float:
    label, classes = held["label"], int(max(held["label"].max(), y.max())) + 1
    weight = (np.bincount(y, minlength=classes) / len(y) / (np.bincount(label, minlength=classes) / len(label)))[label]
    weight = weight * weight.sum() / (weight**2).sum()  # as many labels as they are worth
    thresholds = np.unique(held["confidence"])[::-1]
    n, wrong = counts(held, thresholds, weight)
    tried = n >= abstention.needed(error)
    passed = tried & (abstention.upper_bound(wrong, n) <= error)
    first = int(np.argmax(tried))
    length = int(np.argmin(np.append(passed[first:], False)))
    return float(thresholds[first + length - 1]) if length else np.inf


RULES: dict[str, Rule] = {
    "tested": tested, "counting": counting, "conformal": conformal, "tested, true shares": true_shares,
}  # fmt: skip


@lru_cache(maxsize=6)
def of_set(name: str) -> tuple[DataSet, Path, Kind, Any, Examples]:
    """A data set, the folder that it is in, its kind, the reader of its texts, and the features of its test rows."""
    asked, root = protocol()
    data = next(d for d in asked.data if d.name == name)
    kind = kind_for(data, asked.steps.network)
    reader = kind.reader()
    return data, root, kind, reader, features_of(reader, load(data, root).test.items, CACHE)


def one(name: str, labels: int, seed: int, model: str) -> Row:
    data, root, kind, reader, scored = of_set(name)
    drawn = draw(data, Setting(labels=labels), root, seed)
    items = Items(drawn.cut.task, drawn.labelled.items, drawn.labelled.y, drawn.rest.items, drawn.rest.y)
    views = METHODS[model].views if model in METHODS else ()
    problem = Build(reader, views, kind.defaults, kind.whole, CACHE).of(items).problem()
    training = replace(kind.defaults.training, seed=seed, steps=protocol()[0].steps.steps)
    network, calibration = returned(kind, problem, training, model)
    logits, y = predict(network, problem.task, scored).double().numpy(), drawn.test.y
    raw = tempered(np.exp(logits - logits.max(1, keepdims=True)), 1.0)
    p = tempered(raw, calibration.temperature)
    row: dict[str, Any] = {
        "data": name, "labels_a_class": labels, "seed": seed, "model": model, "labels": calibration.labels,
        "temperature": round(calibration.temperature, 4), "wrong": round(float((p.argmax(1) != y).mean()), 4),
    }  # fmt: skip
    for when, said in (("before", raw), ("after", p)):
        row[when] = {k: round(v, 4) for k, v in vars(Reliability.of(said, y)).items()}
    held, sure, wrong = abstention.kept(calibration), p.max(1), p.argmax(1) != y
    for rule, threshold_of in RULES.items():
        masks = [sure >= threshold_of(held, sure, y, error) for error in STATED]
        row[rule] = [[round(float(m.mean()), 4), round(float(wrong[m].mean()), 4)] if m.any() else None for m in masks]
    return row


def returned(kind: Kind, problem: Problem, training: Training, model: str) -> tuple[nn.Module, Calibration]:
    """The returned model's network, and its calibration."""
    plan = kind.defaults.plan
    if model == ALONE:
        found = reference_model(Setup(problem, training), problem.folds(plan, training.seed), None)
        return found.network, calibrated(found.own, problem.y)
    method = METHODS[model]().settled(problem.task, False)
    outcome = fit(problem, method, training, recorded_prior(model, kind.record(False)), plan)
    return outcome.network, outcome.calibration


def summed(rows: pd.DataFrame) -> dict[str, Any]:
    """Means over the draws of one set, or of all; of the temperature the median.

    Of a rule and a stated error: the share of draws that answer rows, the share of rows answered, and the error among
    answered rows, over all draws (0 where none is answered) with the interval of its mean, and over those that answer.
    """
    table: dict[str, Any] = {"draws": len(rows), "wrong": mean(rows.wrong), "temperature": middle(rows.temperature)}
    for when in ("before", "after"):
        table[when] = {k: mean(rows[when].map(lambda r, k=k: r[k])) for k in rows[when].iloc[0]}
    better = [b["error"] > a["error"] for b, a in zip(rows.before, rows.after, strict=True)]
    table["draws with a lower calibration error after"] = mean(pd.Series(better))
    for rule in RULES:
        table[rule] = {}
        for i, error in enumerate(STATED):
            pairs = rows[rule].map(lambda r, i=i: r[i])
            share = pairs.map(lambda r: r[0] if r else 0.0)
            wrong = pairs.map(lambda r: r[1] if r else np.nan)
            half = 1.645 * float(wrong.fillna(0).std()) / np.sqrt(len(wrong)) if len(wrong) > 1 else 0.0
            table[rule][f"{error:g}"] = {
                "draws that answer": mean(wrong.notna()), "rows answered": mean(share),
                "error": mean(wrong.fillna(0)), "half interval": round(half, 4),
                "error where it answers": None if wrong.isna().all() else mean(wrong),
            }  # fmt: skip
    return table


def middle(values: pd.Series) -> float:
    return round(float(values.median()), 4)


def mean(values: pd.Series) -> float:
    return round(float(values.mean()), 4)


def sum_up() -> None:
    rows = pd.read_json(RESULTS / "believed.jsonl", lines=True)
    told: dict[str, Any] = {"level of the half intervals": LEVEL}
    for (model, labels), group in rows.groupby(["model", "labels_a_class"]):
        part = {str(name): summed(one) for name, one in group.groupby("data")} | {"all": summed(group)}
        told[f"{model}, {labels} labels a class"] = part
    (RESULTS / "believed.json").write_text(json.dumps(told, indent=1) + "\n")
    print(markdown(told))


def markdown(told: dict[str, Any]) -> str:
    """Two tables for docs: calibration, and the errors of the library's rule."""
    lines = ["| model, labels | set | draws | T | calibration error, before | after | log-loss, before | after |"]
    lines += ["|---|---|---|---|---|---|---|---|"]
    parts = [(title, name, t) for title, sets in told.items() if isinstance(sets, dict) for name, t in sets.items()]
    for title, name, t in parts:
        errors = [f"{100 * t[w]['error']:.1f} | " for w in ("before", "after")]
        losses = [f"{t[w]['log_loss']:.3f} | " for w in ("before", "after")]
        lines.append(f"| {title} | {name} | {t['draws']} | {t['temperature']:.2f} | {''.join(errors + losses)}".strip())
    heads = [
        f"stated {100 * error:g} %: error (where it answers), rows answered, draws that answer" for error in STATED
    ]
    lines += ["", f"| model, labels | set | {' | '.join(heads)} |", "|---|---|" + "---|" * len(heads)]
    for title, name, t in parts:
        cells = []
        for a in t["tested"].values():
            where = a["error where it answers"]
            where = "–" if where is None else f"{100 * where:.1f}"
            answered = f"{100 * a['rows answered']:.0f} %, {100 * a['draws that answer']:.0f} %"
            cells.append(f"{100 * a['error']:.1f} ({where}), {answered}")
        lines.append(f"| {title} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    reading = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reading.add_argument("--method", default=ALONE, choices=(ALONE, *METHODS))
    reading.add_argument("--draws", type=int, default=200)
    reading.add_argument("--processes", type=int, default=1)
    asked = reading.parse_args()
    sets = [data.name for data in protocol()[0].data]
    jobs = [(s, k, seed, asked.method) for seed in range(asked.draws) for k in (10, 30) for s in sets]
    fit_missing(one, jobs, KEYS, "believed", asked.processes)
    sum_up()


if __name__ == "__main__":
    main()
