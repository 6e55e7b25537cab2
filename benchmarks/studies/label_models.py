"""How right the labels are that each label model makes of votes: of rules on texts, and of heads that DP-SSL trained.

    python benchmarks/studies/label_models.py            # about a minute; writes results/label_models.json

Rules: all rows to learn from that a rule votes on, without any label; features are MiniLM's. Heads: images of digits
with 4 labels of each class, five draws; of the same votes the labels by each label model, and beside them those of one
head, which is self-training's threshold. FABLE becomes the default where it is right on 1 point more rows on two of
the three sets, and on the third on no fewer.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import t as student_t
from sklearn.datasets import load_digits

from lines import RESULTS
from teacher_scenes import ROOT, drawn
from tutelage.data import Features, Loader
from tutelage.data.sources import cache_folder
from tutelage.fit.build import rows_of
from tutelage.fit.fit import threads
from tutelage.kinds import KINDS
from tutelage.methods import DpSsl
from tutelage.methods.dp_ssl import combined
from tutelage.modalities.base import features
from tutelage.modalities.head import Head
from tutelage.tasks import Classification
from tutelage.train import Training, train
from tutelage.weak import BY_FEATURES, LABEL_MODELS, Votes, label

SETS = {"youtube_spam": "youtube.parquet", "sms": "sms.parquet", "trec": "trec.parquet"}
"""Files of the sets of texts with rules, by the names of their folders."""

SEEDS, LABELS = range(5), 4
"""Draws of the digits, and labels of each class."""


def of_rules(name: str) -> dict[str, Any]:
    """Share of the covered rows on which each label model is right, in %, and its CPU seconds."""
    table = pd.read_parquet(ROOT / name / SETS[name]).query("split == 'train'").reset_index(drop=True)
    cells, y = np.stack(table.weak_labels).astype(int), table.label.to_numpy()
    votes = Votes(cells, [f"rule {j}" for j in range(cells.shape[1])], [f"class {k}" for k in range(y.max() + 1)])
    reader = KINDS["texts"](text="text", label="label").reader()
    x = rows_of(features(reader, list(table.text), cache_folder() / "features")).numpy()
    found, seconds = {}, {}
    for model in (*LABEL_MODELS, *BY_FEATURES):
        begun = time.process_time()
        right = label(votes, model, rows=x).argmax(1) == y
        found[model] = round(100 * float(right[votes.covered].mean()), 2)
        seconds[model] = round(time.process_time() - begun, 1)
    return {"data": name, "rows": int(votes.covered.sum()), "right": found, "cpu_seconds": seconds}


def of_heads(seed: int) -> dict[str, float]:
    """Share of the pool's digits on which labels of heads' votes are right, in %, by label model; and of one head."""
    x, y = load_digits(return_X_y=True)
    index, pool = drawn(y, LABELS, len(y), seed)
    rows, of_pool = torch.as_tensor(x[index], dtype=torch.float32), torch.as_tensor(x[pool], dtype=torch.float32)
    loader = Loader(Features(rows), torch.as_tensor(y[index]), Features(of_pool), seed=seed)
    found = {}
    for name, method in (("heads", DpSsl()), ("one head", DpSsl(functions=1, best=1, threshold=0.0))):
        torch.manual_seed(seed)
        network = Head(x.shape[1], 10, 128, 0.2).standardise(of_pool, per_feature=False)
        run = train(method, Classification(10), network, loader, Training(600, seed=seed))
        for model in ("majority", "data_programming") if name == "heads" else ("majority",):
            p, counts = combined(run.memory.kept["votes"], 10, model)
            right = 100 * float((p.argmax(1).numpy() == y[pool]).mean())
            found[model if name == "heads" else name] = right
            if name == "heads":
                found["covered"] = 100 * float(counts.mean())
    return found


def difference(values: np.ndarray) -> dict[str, float]:
    """Mean of paired differences and half of its 90 % interval, in points."""
    half = student_t.ppf(0.95, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return {"points": round(float(values.mean()), 2), "half": round(float(half), 2)}


if __name__ == "__main__":
    with threads(1):
        rules = [of_rules(name) for name in SETS]
        heads = pd.DataFrame([of_heads(seed) for seed in SEEDS])
    gains = [round(row["right"]["fable"] - row["right"]["data_programming"], 2) for row in rules]
    told = {
        "rules": rules,
        "fable_over_default": dict(zip(SETS, gains, strict=True)),
        "fable_is_default": sum(gain >= 1 for gain in gains) >= 2 and min(gains) >= 0,
        "heads": {name: round(float(v), 2) for name, v in heads.mean().items()},
        "heads_over_majority": difference((heads.data_programming - heads.majority).to_numpy()),
        "heads_over_one": difference((heads.data_programming - heads["one head"]).to_numpy()),
    }
    (RESULTS / "label_models.json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1))
