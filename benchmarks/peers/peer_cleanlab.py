"""cleanlab: rows whose labels are likely wrong are left out, the others learnt; the pool is not used."""

from __future__ import annotations

import numpy as np
from cell import Cell, Said, main
from cleanlab.classification import CleanLearning
from sklearn.linear_model import LogisticRegression


def clean_learning(cell: Cell) -> Said:
    rarest = np.bincount(cell.y)[np.unique(cell.y)].min()
    model = CleanLearning(LogisticRegression(max_iter=1000), seed=cell.seed, cv_n_folds=int(min(5, rarest)))
    model.fit(cell.x, cell.y)
    return {"test": model.predict(cell.test), "pool": model.predict(cell.pool) if len(cell.pool) else cell.y[:0]}


main({"clean_learning": clean_learning})
