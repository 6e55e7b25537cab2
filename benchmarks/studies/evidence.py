"""Are the evidence's decisions good? Weighs recorded fits, each against the record of the other data sets.

    python benchmarks/studies/evidence.py            decisions, from results/frozen_text.jsonl
    python benchmarks/studies/evidence.py disaster   scikit-learn's self-training on AG News, refused or not

The first writes benchmarks/results/evidence.json, the second benchmarks/results/disaster.jsonl. A change counts as harm
or gain when it is beyond half a point of test accuracy. The fits were recorded before there were protocols; the
protocol `evidence` records such fits now.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from tutelage.bench import records
from tutelage.fit.evidence import Prior

RESULTS = Path(__file__).parents[1] / "results"
MARGIN = 0.005
LEVEL = 0.90

Rule = Callable[[pd.DataFrame], Prior]
"""Makes a prior of a method from its fits on other data sets."""


def recorded() -> pd.DataFrame:
    rows = pd.read_json(RESULTS / "frozen_text.jsonl", lines=True)
    settings = rows.labels_a_class.astype(str) + " labels"
    return rows.assign(change=rows.candidate - rows.reference, setting=settings)


def unshrunk(rows: pd.DataFrame) -> Prior:
    """Mean and spread of a method's recorded changes, every data set and label count weighing the same.

    The spread is that of single fits about the mean, so it holds data sets and seeds both.
    """
    cells = rows.groupby(["data", "labels_a_class"]).change
    between, within = cells.mean().var(), np.nan_to_num(cells.var().mean())  # no seeds, no spread within
    spread = float(np.sqrt(between + within))
    return Prior(mean=round(float(cells.mean().mean()), 4), spread=round(max(spread, 0.01), 4), runs=len(rows))


RULES: dict[str, Rule] = {
    "prior from the other data sets": unshrunk, "neutral prior": lambda rows: Prior(),
    "prior from the other data sets, drawn towards the neutral one": records.prior,
}  # fmt: skip


def decide(rows: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Each fit's decision, its prior made from the other data sets."""
    out = []
    for (_, name), group in rows.groupby(["method", "data"]):
        others = rows[(rows.method == group.method.iloc[0]) & (rows.data != name)]
        p = rule(others)
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
    for title, rule in RULES.items():
        d = decide(rows, rule)
        result[title] = {"all": account(d)}
        for key in ("labels_a_class", "method", "data"):
            result[title] |= {f"{key} {v}": account(g) for v, g in d.groupby(key)}
    (RESULTS / "evidence.json").write_text(json.dumps(result, indent=1) + "\n")
    for title, parts in result.items():
        print(title)
        for name, part in parts.items():
            print("  ", name, part)


def disaster() -> None:
    """Cross-validates scikit-learn's SelfTrainingClassifier with its defaults, as a candidate."""
    import torch  # what only this needs
    from sklearn.linear_model import LogisticRegression
    from sklearn.semi_supervised import SelfTrainingClassifier

    from tutelage.bench.cells import encoded
    from tutelage.bench.protocol import DataSet, data_root
    from tutelage.fit.evidence import weigh
    from tutelage.fit.held_out import HeldOut, choose, repeated_folds
    from tutelage.fit.labels_only import Probe
    from tutelage.modalities.head import Head
    from tutelage.tasks import Classification

    warnings.simplefilter("ignore")
    data = DataSet(name="ag_news", kind="texts", file="ag_news/ag_news.parquet", pool=8000, scored=8000)
    cut, *parts = encoded(data, data_root(Path(__file__)))
    x, x_test = (rows.numpy() for rows in parts)
    with open(RESULTS / "disaster.jsonl", "w") as out:
        for a_class in (4, 10, 30):
            for seed in range(8):
                rng = np.random.default_rng(seed)
                index = np.concatenate([rng.permutation(np.flatnonzero(cut.learn.y == c))[:a_class] for c in range(4)])
                rest = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(len(x)), index))[:4000]
                y = cut.learn.y[index]
                parts = repeated_folds(y, 5, 1, seed)

                def self_trained(i, index=index, rest=rest, y=y):
                    model = SelfTrainingClassifier(LogisticRegression())
                    both = np.concatenate([x[index][i], x[rest]])
                    return model.fit(both, np.concatenate([y[i], np.full(len(rest), -1)]))

                held = [(out_, {"probabilities": self_trained(i).predict_proba(x[index][out_])}) for i, out_ in parts]
                head = Head(x.shape[1], 4).standardise(torch.as_tensor(np.concatenate([x[index], x[rest]])), False)
                probe = Probe(x[index], y, {"": head})
                choices = {str(choice): choice for choice in probe.choices}
                name, honest = choose({n: probe.held_out(parts, choice) for n, choice in choices.items()}, y)
                network, ones = probe.network(choices[name]), np.ones(len(y), dtype=np.int64)
                reference = HeldOut.average(Classification(4), y, ones, honest)
                candidate = HeldOut.average(Classification(4), y, ones, held)
                evidence = weigh(reference.right, candidate.right, Prior(), 1 / min(5, a_class))
                with torch.no_grad():
                    before = float((network(torch.as_tensor(x_test)).argmax(1).numpy() == cut.test.y).mean())
                after = float((self_trained(np.arange(len(y))).predict(x_test) == cut.test.y).mean())
                row = {
                    "labels_a_class": a_class, "seed": seed, "reference": before, "candidate": after,
                    "observed": evidence.observed, "harm": evidence.harm, "returned": evidence.returned,
                }  # fmt: skip
                out.write(json.dumps(row) + "\n")
                out.flush()
                print(row, flush=True)


if __name__ == "__main__":
    {"decisions": decisions, "disaster": disaster}[([*sys.argv, "decisions"])[1]]()
