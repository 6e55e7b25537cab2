"""sslearn: the classics of co-training."""

from __future__ import annotations

from functools import partial
from typing import Any

from cell import Cell, Said, main
from sklearn.linear_model import LogisticRegression
from sslearn.wrapper import CoTraining, DemocraticCoLearning, TriTraining


def said(model: Any, cell: Cell) -> Said:
    model.random_state = cell.seed
    model.fit(*cell.with_pool())
    return {"test": model.predict(cell.test), "pool": model.predict(cell.pool)}


def logreg() -> LogisticRegression:
    return LogisticRegression(C=10, max_iter=1000)


main(
    {
        "tri_training": partial(said, TriTraining(logreg())),
        "co_training": partial(said, CoTraining(logreg(), force_second_view=False)),
        "democratic_co_learning": partial(said, DemocraticCoLearning()),
    }
)
