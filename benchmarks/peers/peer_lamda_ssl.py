"""LAMDA-SSL: tri-training."""

from __future__ import annotations

import numpy as np
from cell import Cell, Said, main
from LAMDA_SSL.Algorithm.Classification.Tri_Training import Tri_Training
from sklearn.linear_model import LogisticRegression


def tri_training(cell: Cell) -> Said:
    np.random.seed(cell.seed)
    learners = [LogisticRegression(C=10, max_iter=1000) for _ in range(3)]
    model = Tri_Training(base_estimator=learners).fit(cell.x, cell.y, cell.pool)
    return {"test": model.predict(cell.test), "pool": model.predict(cell.pool)}


main({"tri_training": tri_training})
