"""cleanlab: rows whose labels are likely wrong are left out, the others learnt; the pool is not used."""

from __future__ import annotations

import numpy as np
from cell import Cell, Said, main
from cleanlab.classification import CleanLearning
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

STEPS = 1000


def folds(cell: Cell) -> int:
    return int(min(5, np.bincount(cell.y)[np.unique(cell.y)].min()))


def clean_learning(cell: Cell, strength: float = 1.0) -> Said:
    """Logistic regression, with scikit-learn's own penalty unless told."""
    classifier = LogisticRegression(C=strength, max_iter=STEPS)
    model = CleanLearning(classifier, seed=cell.seed, cv_n_folds=folds(cell)).fit(cell.x, cell.y)
    return {"test": model.predict(cell.test), "pool": model.predict(cell.pool) if len(cell.pool) else cell.y[:0]}


def tuned(cell: Cell) -> Said:
    """C chosen first, on the labels as they are given, wrong ones too."""
    search = LogisticRegressionCV(
        Cs=np.logspace(-4, 0, 5), cv=min(3, folds(cell)), max_iter=STEPS, l1_ratios=(0.0,), use_legacy_attributes=False
    )
    return clean_learning(cell, float(search.fit(cell.x, cell.y).C_))


main({"clean_learning": clean_learning, "clean_learning, tuned": tuned})
