"""Models that vote on the class of each row, for the variation ratio."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tutelage.ask.pool import BLOCK, class_numbers

MODELS = 5
"""Number of models that vote."""

STRENGTHS = (1e-2, 1e-3, 1e-1, 1e-4, 1.0)
"""Values of C, the inverse strength of the L2 penalty; of equally good ones the first is taken."""


def committee(rows: Any, labelled: Any, y: Any, classes: int, seed: int = 0) -> Float[np.ndarray, "m n c"]:
    """Probabilities of the classes by logistic regressions, each of a bootstrap sample of the labels, for "variation".

    The models share a penalty: the one with which they say most of the labels rightly that their samples lack.

    Args:
        rows: features of all rows, (n, d), finite; read a block at a time, and standardised.
        labelled: numbers of the rows that have a label, (l,), at least 1.
        y: class number of each labelled row, (l,), in [0, classes).
        classes: number of classes c; one without a label gets no probability.
        seed: seed of the samples, at least 0.

    Raises:
        ValueError: y is no class number for each labelled row, or there is none.

    Source: after Beluch et al., The Power of Ensembles for Active Learning in Image Classification, CVPR 2018, whose
    members are networks that differ by their first weights; logistic regressions differ by their samples alone.

    >>> x = np.array([[0.0], [1.0], [0.4], [5.0]])
    >>> committee(x, [0, 1], [0, 1], 2).shape
    (5, 4, 2)
    """
    x, index = np.asanyarray(rows), np.asarray(labelled, dtype=np.int64)
    label = class_numbers(y, len(index), classes)
    if not len(index):
        raise ValueError("labelled must hold a row with a label, got none")
    scaler = StandardScaler()
    blocks = [slice(start, start + BLOCK) for start in range(0, len(x), BLOCK)]
    for block in blocks:
        scaler.partial_fit(x[block])
    known, draws = scaler.transform(x[index]), np.random.default_rng([seed, len(index)])
    samples = [draws.integers(0, len(index), len(index)) for _ in range(MODELS)]
    tried = [[_fitted(known[sample], label[sample], strength) for sample in samples] for strength in STRENGTHS]
    right = [sum(_right(m, known, label, s) for m, s in zip(models, samples, strict=True)) for models in tried]
    models, found = tried[int(np.argmax(right))], np.zeros((MODELS, len(x), classes))
    for block in blocks:
        z = scaler.transform(x[block])
        for model, said in zip(models, found, strict=True):
            said[block, model.classes_] = model.predict_proba(z)
    return found


def _fitted(z: np.ndarray, y: Int[np.ndarray, " l"], strength: float) -> Any:
    """A model of a sample of the labels; of a single class, one that always says it."""
    if len(np.unique(y)) == 1:
        return DummyClassifier().fit(z, y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")  # few labels a class
        return LogisticRegression(C=strength, max_iter=1000).fit(z, y)


def _right(model: Any, z: np.ndarray, y: np.ndarray, sample: np.ndarray) -> int:
    """Number of the labels out of a model's sample that it says rightly."""
    out = np.setdiff1d(np.arange(len(y)), sample)
    return int((model.predict(z[out]) == y[out]).sum()) if len(out) else 0
