"""Wrong labels found: the audit beside cleanlab and small loss, on human labels and on planted noise.

    pip install cleanlab==2.9.0
    OMP_NUM_THREADS=1 python benchmarks/studies/audit.py

adds one JSON line for each method to benchmarks/results/audit.jsonl; lines that are there are not run again.
CIFAR-10N: 12,000 images, features of the frozen EfficientNet, labels by people. AG News: 23,725 texts, features of the
frozen MiniLM, planted noise. All methods see the same features and labels; those called "same" rank or flag by the
out-of-fold probabilities of the audit, cleanlab alone by its own default, a cross-validated logistic regression. The
student is such a regression too, its weight decay chosen on held-out labels.
The choices inside the audit were made on other data. That an earlier form of it explained much noise away was seen here
first (40 % of the labels of AG News, none listed); it was seen there too, and mended there.
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from cleanlab.classification import CleanLearning
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

import noise_data
from lines import fit_missing
from tutelage import Audit, find_label_errors
from tutelage.audit.measures import average_precision, precision_recall
from tutelage.bench.running import Row
from tutelage.distil import noise
from tutelage.distil.choice import Students, folds_of
from tutelage.distil.rows import Rows, blocks, held

KEYS = ("data", "noise", "seed", "method")
PLANTED = ("symmetric 20", "symmetric 40", "asymmetric 20", "asymmetric 40", "instance 20", "instance 40")
METHODS = (
    "audit", "same, self-confidence", "same, normalised margin", "same, cleanlab issues", "same, confident learning",
    "cleanlab alone", "student, self-confidence", "small loss",
)  # fmt: skip


@dataclass(frozen=True)
class Data:
    """Features (n, d), labels as given and right labels, class numbers (n,)."""

    x: np.ndarray
    given: np.ndarray
    right: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        return self.given != self.right


@lru_cache(1)
def load(name: str, kind: str, seed: int) -> Data:
    if name == "cifar10n":
        found = noise_data.cifar10_whole()
        return Data(found.x, found.human[kind], found.y)
    found = noise_data.ag_news()
    how, percent = kind.split()
    rate = int(percent) / 100
    if how == "instance":
        given = noise.draw(noise.instance_dependent(found.x, found.y, found.classes, rate, seed), seed)
    else:
        transition = noise.symmetric if how == "symmetric" else noise.next_class
        given = noise.corrupt(found.y, transition(found.classes, rate), seed)
    return Data(found.x, given, found.y)


@lru_cache(1)
def audited(name: str, kind: str, seed: int) -> Audit:
    data = load(name, kind, seed)
    return find_label_errors(data.x, data.given, random_state=seed)


def one(name: str, kind: str, seed: int, method: str) -> Row:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    data = load(name, kind, seed)
    if method not in ("audit", "cleanlab alone"):
        audited(name, kind, seed)  # not counted
    start = time.perf_counter()
    scores, listed = judge(name, kind, seed, method)
    seconds = time.perf_counter() - start
    precision, recall = (None, None) if listed is None else precision_recall(data.wrong, listed)
    return {
        "data": name, "noise": kind, "seed": seed, "method": method, "rows": len(data.given),
        "wrong": float(data.wrong.mean()), "average_precision": average_precision(data.wrong, scores),
        "listed": None if listed is None else int(listed.sum()), "precision": precision, "recall": recall,
        "seconds": round(seconds, 1),
        **({"noise_rate": audited(name, kind, seed).noise_rate} if method == "audit" else {}),
    }  # fmt: skip


def judge(name: str, kind: str, seed: int, method: str) -> tuple[np.ndarray, np.ndarray | None]:
    """A score of each row, larger where its label is likelier wrong, and the rows that are flagged, if any are."""
    data = load(name, kind, seed)
    if method == "cleanlab alone":
        found = CleanLearning(LogisticRegression(max_iter=1000), seed=seed).find_label_issues(data.x, data.given)
        return -found["label_quality"].to_numpy(), found["is_label_issue"].to_numpy()
    audit = audited(name, kind, seed)
    if method == "audit":
        return audit.probability, audit.probability >= 0.5
    if method == "small loss":
        return small_loss(data, audit), None
    if method.startswith("student"):
        return held_out_loss(data, audit, seed), None
    kinds = {"self-confidence": "self_confidence", "normalised margin": "normalized_margin"}
    ranked = kinds.get(method.removeprefix("same, "))
    quality = get_label_quality_scores(data.given, audit.beliefs, method=ranked or "self_confidence")
    if ranked:
        return -quality, None
    by = "prune_by_noise_rate" if method == "same, cleanlab issues" else "confident_learning"
    listed = find_label_issues(data.given, audit.beliefs, filter_by=by, n_jobs=1)
    return listed - quality, listed  # those flagged first


def small_loss(data: Data, audit: Audit) -> np.ndarray:
    """The cross-entropy, in sample, of the student of the labels as given."""
    full = Students.of(held(Rows.of(data.x)), data.given, len(audit.classes))
    weights = full.exact(replace(audit.setting, kind="labels"))
    logits = np.concatenate([x @ weights for _, x in blocks(full.rows)])
    return -log_softmax(logits, axis=1)[np.arange(len(data.given)), data.given]


def held_out_loss(data: Data, audit: Audit, seed: int) -> np.ndarray:
    """The same of students of the other parts of the rows: the order of the probability of the given label."""
    full = Students.of(held(Rows.of(data.x)), data.given, len(audit.classes))
    logits = np.empty((len(data.given), full.classes))
    for part in folds_of(full, seed):
        weights = part.students(full).exact(replace(audit.setting, kind="labels"))
        part.fill(logits, full, weights)
    return -log_softmax(logits, axis=1)[np.arange(len(data.given)), data.given]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    a = parser.parse_args()
    jobs = [
        (name, kind, seed, method)
        for seed in range(a.seeds)
        for name, kinds in (("cifar10n", noise_data.HUMAN), ("ag_news", PLANTED))
        for kind in kinds
        for method in METHODS
    ]
    fit_missing(one, jobs, KEYS, "audit")


if __name__ == "__main__":
    main()
