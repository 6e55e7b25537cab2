"""Does the evidence see a disaster? scikit-learn's self-training on AG News as a candidate, refused or not.

    python benchmarks/studies/disaster.py

It writes benchmarks/results/disaster.jsonl.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import SelfTrainingClassifier

from tutelage.bench.cells import encoded
from tutelage.bench.protocol import DataSet, data_root
from tutelage.fit.evidence import Prior, weigh
from tutelage.fit.held_out import HeldOut, choose, repeated_folds
from tutelage.fit.labels_only import Probe
from tutelage.modalities.head import Head
from tutelage.tasks import Classification

RESULTS = Path(__file__).parents[1] / "results"


def disaster() -> None:
    """Cross-validates scikit-learn's SelfTrainingClassifier with its defaults, as a candidate."""
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
    disaster()
