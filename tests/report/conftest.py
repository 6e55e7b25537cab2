"""Records of a run, made by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest

EVIDENCE = {
    "reference": {"score": 0.75, "low": 0.5, "high": 0.9}, "candidate": {"score": 0.8, "low": 0.6, "high": 0.9},
    "error": 0.06, "observed": 0.04, "measure": "accuracy", "tried": "pool", "prior": {},
    "harm": 0.45, "difference": 0.009, "low": -0.08, "high": 0.11, "labels": 24, "resolution": 0.1,
    "returned": "candidate",
    "words": "The pool may have helped or hurt (probability of harm 45 %).", "labelled_by": "labels", "refused": "",
}  # fmt: skip
SUMMARY: dict[str, Any] = {
    "format": 2, "method": "drift", "settings": {"decay": 0.9}, "training": {"steps": 60, "lr": 0.003}, "kind": "texts",
    "score": "accuracy", "measure": "accuracy", "things": "texts", "classes": ["ham", "spam"], "labelled": 24,
    "unlabelled": 400, "reference": {"accuracy": 0.75, "interval": [0.5, 0.9], "choice": "logistic regression, C = 1"},
    "candidate": {"accuracy": 0.8, "interval": [0.6, 0.9]}, "commonest": {"class": "ham", "share": 0.5},
    "returned": "candidate", "tried": "pool", "idle": False, "note": "", "selection": [], "shares": {}, "models": [],
    "encoders": [], "calibration": None, "evidence": EVIDENCE, "seed": 0, "encoder": "minilm", "reading": "frozen",
    "prevalence": None, "pool": None, "said": [],
    "test": {
        "rows": 41, "accuracy": 38 / 41, "interval": [0.8, 0.97], "macro_f1": 0.9,
        "commonest": {"class": "ham", "share": 0.5},
    },
    "test_reference": {"accuracy": 0.9, "interval": [0.79, 0.96]},
    "test_candidate": {"accuracy": 38 / 41, "interval": [0.8, 0.97]},
}  # fmt: skip
RECORD: dict[str, Any] = {
    "history": [
        {"step": 10, "round": 0, "loss.supervised": 0.7, "loss.pool": 0.1, "coverage": 0.2}
        | {"anticipating": 0.3, "direct": 0.6},
        {"step": 60, "round": 1, "loss.supervised": 0.2, "loss.pool": 0.3, "coverage": 0.9}
        | {"anticipating": 0.1, "direct": 0.4},
    ],
    "curve": [[10, 0.5], [60, 0.8]], "rows": "test", "confusion": [[20, 1], [2, 18]],
    "calibration": {
        "bins": [{"probability": 0.6, "right": 0.5, "count": 10}, {"probability": 0.9, "right": 1.0, "count": 31}],
        "error": 0.1,
    },
    "least_sure": [
        {"pieces": [["Win <b>now</b>, \"free\"", None]], "label": "spam", "probability": 0.5012345},
        {"pieces": [["see you", None]], "label": "ham", "probability": 0.6},
    ],
    "pool_classes": {"ham": 0.7, "spam": 0.3}, "summary": SUMMARY,
}  # fmt: skip


@pytest.fixture
def record() -> dict[str, Any]:
    """Records of a fit of texts: 24 labels, a test of 41 texts, and a coin toss whether the pool helped."""
    return copy.deepcopy(RECORD)


@pytest.fixture
def summary(record) -> dict[str, Any]:
    return record["summary"]
