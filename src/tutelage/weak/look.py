"""Labels from votes, and a summary of the labelling functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tutelage.weak.analysis import analyse, silent
from tutelage.weak.by_features import BY_FEATURES
from tutelage.weak.label_models import DEFAULT, label
from tutelage.weak.votes import Votes


def labels_of_votes(votes: Votes, y: np.ndarray, model: str | None = None) -> tuple[np.ndarray, dict[str, Any]]:
    """Probabilities of the classes by a label model, (n, c), and a summary of the votes in plain values.

    Of a model that reads features, for which there are none here, the probabilities are those of the default one.

    Args:
        votes: votes of m functions on n rows, for c classes.
        y: true class numbers, (n,); -1 = unknown.
        model: name of a label model; None takes the default.

    >>> votes = Votes(np.array([[0, 0], [1, -1]]), ["a", "b"], ["ham", "spam"])
    >>> labels_of_votes(votes, np.array([0, -1]), "majority")[1]["functions"][1]["coverage"]
    0.5
    """
    chosen = model or DEFAULT
    probabilities = label(votes, DEFAULT if chosen in BY_FEATURES else chosen, y)
    table = analyse(votes, y, probabilities)
    right = probabilities.argmax(1)[(y >= 0) & votes.covered] == y[(y >= 0) & votes.covered]
    functions = [{k: _plain(v) for k, v in row.items()} for row in table.to_dict("records")]
    return probabilities, {
        "label_model": chosen,
        "functions": functions,
        "silent": silent(votes),
        "accuracy_on_clean_labels": float(right.mean()) if len(right) else None,
    }


def _plain(value: Any) -> Any:
    """The value as a number or text of Python; None for NaN."""
    if isinstance(value, str):
        return value
    return None if pd.isna(value) else value.item() if isinstance(value, np.generic) else value
