"""scikit-learn: labels alone, self-training, and graphs of the rows."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from cell import Cell, Said, main
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC

STEPS = 1000


def said(model: Any, cell: Cell) -> Said:
    return {"test": model.predict(cell.test), "pool": model.predict(cell.pool)}


def on_labels(model: Any, cell: Cell) -> Said:
    return said(model.fit(cell.x, cell.y), cell)


def chosen(cell: Cell) -> Said:
    """C by stratified folds, as many as the rarest class has labels, 5 at most; C = 1 where it has one label."""
    folds = min(5, np.bincount(cell.y)[np.unique(cell.y)].min())
    if folds < 2:
        return on_labels(LogisticRegression(max_iter=STEPS), cell)
    model = LogisticRegressionCV(
        Cs=np.logspace(-4, 2, 13), cv=int(folds), max_iter=STEPS, l1_ratios=(0.0,), use_legacy_attributes=False
    )
    return on_labels(model, cell)


def with_pool(model: Any, cell: Cell) -> Said:
    return said(model.fit(*cell.with_pool()), cell)


def graph(model: Any, cell: Cell) -> Said:
    """The pool's rows are in the graph: what it says of them is its own; the test part is asked afterwards."""
    model.fit(*cell.with_pool())
    return {"test": model.predict(cell.test), "pool": model.transduction_[len(cell.y) :]}


main(
    {
        "logistic_regression": partial(on_labels, LogisticRegression(max_iter=STEPS)),
        "logistic_regression_cv": chosen,
        "nearest_neighbour": partial(on_labels, KNeighborsClassifier(1)),
        "svc": partial(on_labels, SVC()),
        "self_training": partial(with_pool, SelfTrainingClassifier(LogisticRegression(max_iter=STEPS))),
        "self_training C=10": partial(with_pool, SelfTrainingClassifier(LogisticRegression(C=10, max_iter=STEPS))),
        "label_spreading": partial(graph, LabelSpreading()),
        "label_spreading knn=7": partial(graph, LabelSpreading(kernel="knn", n_neighbors=7)),
        "label_propagation knn=7": partial(graph, LabelPropagation(kernel="knn", n_neighbors=7, max_iter=STEPS)),
    }
)
