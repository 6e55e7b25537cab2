"""Are the evidence's decisions good? Weighs the recorded fits, each against the record of the other data sets.

    python benchmarks/evidence.py            decisions, from results/frozen_text.jsonl
    python benchmarks/evidence.py disaster   scikit-learn's self-training on AG News, refused or not
    python benchmarks/evidence.py priors     writes src/tutelage/fit/records/priors.json from all recorded fits
    python benchmarks/evidence.py gains      writes src/tutelage/fit/records/gains.json from protocols, for "auto"

The first writes benchmarks/results/evidence.json, the second benchmarks/results/disaster.jsonl.
A change counts as harm or gain when it is beyond half a point of test accuracy.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from tutelage.fit.evidence import Prior

RESULTS = Path(__file__).parent / "results"
PRIORS = Path(__file__).parents[1] / "src" / "tutelage" / "fit" / "records" / "priors.json"
MARGIN = 0.005
LEVEL = 0.90


def recorded() -> pd.DataFrame:
    rows = pd.read_json(RESULTS / "frozen_text.jsonl", lines=True)
    return rows.assign(change=rows.candidate - rows.reference)


def prior(rows: pd.DataFrame) -> Prior:
    """Mean and spread of a method's recorded changes, every data set and label count weighing the same.

    The spread is that of single fits about the mean, so it holds data sets and seeds both.
    """
    cells = rows.groupby(["data", "labels_a_class"]).change
    between, within = cells.mean().var(), np.nan_to_num(cells.var().mean())  # no seeds, no spread within
    spread = float(np.sqrt(between + within))
    return Prior(mean=round(float(cells.mean().mean()), 4), spread=round(max(spread, 0.01), 4), runs=len(rows))


def decide(rows: pd.DataFrame, use_prior: bool) -> pd.DataFrame:
    """Each fit's decision, its prior made from the other data sets (or neutral)."""
    out = []
    for (_, name), group in rows.groupby(["method", "data"]):
        others = rows[(rows.method == group.method.iloc[0]) & (rows.data != name)]
        p = prior(others) if use_prior and len(others) else Prior()
        for _, r in group.iterrows():
            after = p.posterior(r.observed, r.error)
            low, high = after.quantile((1 - LEVEL) / 2), after.quantile((1 + LEVEL) / 2)
            used = after.below(0) <= 0.5
            out.append(r.to_dict() | {"harm": after.below(0), "used": used, "covered": low <= r.change <= high})
    return pd.DataFrame(out)


def account(d: pd.DataFrame) -> dict[str, float | int]:
    """What the decisions cost and saved, in points of test accuracy."""
    harmful, gainful = d[d.change < -MARGIN], d[d.change > MARGIN]
    returned = d.reference + d.change.where(d.used, 0)
    return {
        "fits": len(d),
        "harmful fits": len(harmful),
        "harm kept": int(harmful.used.sum()),
        "points lost where harm was kept": round(100 * float(-harmful.change[harmful.used].sum()) / len(d), 2),
        "gainful fits": len(gainful),
        "gain thrown away": int((~gainful.used).sum()),
        "points lost where gain was thrown away": round(100 * float(gainful.change[~gainful.used].sum()) / len(d), 2),
        "coverage of 90 % intervals": round(float(d.covered.mean()), 3),
        "mean gain always using the pool": round(100 * float(d.change.mean()), 2),
        "mean gain of the returned model": round(100 * float((returned - d.reference).mean()), 2),
        "mean gain of a perfect choice": round(100 * float(d.change.clip(lower=0).mean()), 2),
        "worst returned": round(100 * float((returned - d.reference).min()), 2),
    }


def decisions() -> None:
    rows = recorded()
    result: dict[str, object] = {}
    for title, use_prior in (("prior from the other data sets", True), ("neutral prior", False)):
        d = decide(rows, use_prior)
        result[title] = {"all": account(d)}
        for key in ("labels_a_class", "method", "data"):
            result[title] |= {f"{key} {v}": account(g) for v, g in d.groupby(key)}
    (RESULTS / "evidence.json").write_text(json.dumps(result, indent=1) + "\n")
    for title, parts in result.items():
        print(title)
        for name, part in parts.items():
            print("  ", name, part)


def priors() -> None:
    rows = recorded()
    text = {m: vars(prior(g)) for m, g in rows.groupby("method") if m != "supervised"}
    PRIORS.write_text(json.dumps({"text": text}, indent=1) + "\n")
    print(PRIORS.read_text())


def gains() -> None:
    """Of each draw of labels in a protocol, what each method gained over the labels alone."""
    from bench_tables import BASELINE, MAIN, recorded
    from tutelage.bench.learners import RECORDED_AS

    records = []
    for name in MAIN:
        protocol, rows = recorded(name)
        kinds = {d.name: RECORDED_AS[d.kind] for d in protocol.data}
        tried = set(protocol.learners[len(protocol.controls) :]) - {"auto"}
        table = pd.DataFrame([r for r in rows if "error" not in r])
        for (data, _, _), draw in table.groupby(["data", "setting", "seed"]):
            scores = draw.drop_duplicates("method", keep="last").set_index("method").score
            found = {m: round(float(scores[m] - scores[BASELINE]), 4) for m in scores.index if m in tried}
            records.append({"data": data, "kind": kinds[data], "gains": found})
    lines = ",\n ".join(json.dumps(r) for r in records)
    (PRIORS.parent / "gains.json").write_text(f"[{lines}]\n")
    print(len(records), "draws of labels")


def disaster() -> None:
    """Cross-validates scikit-learn's SelfTrainingClassifier with its defaults, as a candidate."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.semi_supervised import SelfTrainingClassifier

    from frozen_text import UNLABELLED, features
    from splits import load
    from tutelage.fit.defaults import PLAN_ON_FEATURES
    from tutelage.fit.evidence import weigh
    from tutelage.fit.held_out import HeldOut, choose, folds
    from tutelage.fit.labels_only import Probe
    from tutelage.modalities.head import Head
    from tutelage.tasks import Classification

    warnings.simplefilter("ignore")
    split = load("ag_news")
    x, x_test = features(split)
    with open(RESULTS / "disaster.jsonl", "w") as out:
        for a_class in (4, 10, 30):
            for seed in range(8):
                index = split.labelled(a_class, seed)
                rest = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(len(x)), index))[:UNLABELLED]
                y = split.y[index]
                parts = folds(y, PLAN_ON_FEATURES.folds, 1, seed)

                def self_trained(i, index=index, rest=rest, y=y):
                    model = SelfTrainingClassifier(LogisticRegression())
                    both = np.concatenate([x[index][i], x[rest]])
                    return model.fit(both, np.concatenate([y[i], np.full(len(rest), -1)]))

                held = [(out_, self_trained(i).predict_proba(x[index][out_])) for i, out_ in parts]
                head = Head(x.shape[1], 4).standardise(torch.as_tensor(np.concatenate([x[index], x[rest]])), False)
                probe = Probe(x[index], y, {"": head})
                choices = {str(choice): choice for choice in probe.choices}
                name, honest = choose({n: probe.held_out(parts, choice) for n, choice in choices.items()}, y)
                network, ones = probe.network(choices[name]), np.ones(len(y), dtype=np.int64)
                reference = HeldOut.average(Classification(4), y, ones, honest)
                candidate = HeldOut.average(Classification(4), y, ones, held)
                evidence = weigh(reference.right, candidate.right, Prior(), 1 / min(5, a_class))
                with torch.no_grad():
                    before = float((network(torch.as_tensor(x_test)).argmax(1).numpy() == split.test_y).mean())
                after = float((self_trained(np.arange(len(y))).predict(x_test) == split.test_y).mean())
                row = {
                    "labels_a_class": a_class, "seed": seed, "reference": before, "candidate": after,
                    "observed": evidence.observed, "harm": evidence.harm, "returned": evidence.returned,
                }  # fmt: skip
                out.write(json.dumps(row) + "\n")
                out.flush()
                print(row, flush=True)


if __name__ == "__main__":
    {"decisions": decisions, "disaster": disaster, "gains": gains, "priors": priors}[([*sys.argv, "decisions"])[1]]()
