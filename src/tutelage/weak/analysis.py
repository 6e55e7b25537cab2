"""Analysis of votes by labelling function: how often each function votes, agrees and is right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tutelage.weak.votes import Votes


def analyse(votes: Votes, y: np.ndarray | None = None, estimate: np.ndarray | None = None) -> pd.DataFrame:
    """Analyse each labelling function: how often it votes, whether others agree, and how often it is right.

    Args:
        votes: votes of m functions on n rows.
        y: true class numbers, (n,); -1 = unknown.
        estimate: probabilities of the classes by a label model, (n, c).

    Returns:
        A table of one row for each function, with the columns "name"; "classes", the classes that it votes for;
        "coverage", the share of all rows that it votes on; "overlap", the share of these where another function votes
        too; "conflict", the share of these where another function votes for another class; "labels", the number of
        these with a known true class; "accuracy", the share of these labels that it gets right; and
        "estimated_accuracy", the mean of ``estimate[row, vote]``. Shares are in [0, 1], NaN where there is nothing to
        count.

    Raises:
        ValueError: ``y`` or ``estimate`` has the wrong shape.

    >>> votes = Votes(np.array([[0, 0], [0, 1], [-1, 1]]), ["a", "b"], ["ham", "spam"])
    >>> analyse(votes, y=np.array([0, 1, -1]))[["coverage", "conflict", "accuracy"]].round(2).values.tolist()
    [[0.67, 0.5, 0.5], [1.0, 0.33, 1.0]]
    """
    n, c = len(votes), len(votes.classes)
    y = np.full(n, -1) if y is None else y
    if y.shape != (n,):
        raise ValueError(f"y must have shape {(n,)}, got {y.shape}")
    if estimate is not None and estimate.shape != (n, c):
        raise ValueError(f"estimate must have shape {(n, c)}, got {estimate.shape}")
    counts = np.stack([(votes.table == k).sum(axis=1) for k in range(c)], axis=1)  # votes for each class
    lines = []
    for name, column in zip(votes.names, votes.table.T, strict=True):
        rows = np.flatnonzero(column >= 0)
        vote, known = column[rows], y[rows] >= 0
        others = counts[rows].sum(axis=1) - 1
        lines.append(
            {
                "name": name,
                "classes": ", ".join(votes.classes[k] for k in np.unique(vote)),
                "coverage": len(rows) / n if n else np.nan,
                "overlap": _mean(others > 0),
                "conflict": _mean(others > counts[rows, vote] - 1),
                "labels": int(known.sum()),
                "accuracy": _mean((vote == y[rows])[known]),
                "estimated_accuracy": np.nan if estimate is None else _mean(estimate[rows, vote]),
            }
        )
    return pd.DataFrame(lines)


def _mean(values: np.ndarray) -> float:
    """The mean; NaN without values."""
    return float(values.mean()) if len(values) else np.nan


def silent(votes: Votes) -> list[str]:
    """Names of the labelling functions whose ``votes`` are all abstentions.

    >>> silent(Votes(np.array([[0, -1]]), ["a", "b"], ["ham", "spam"]))
    ['b']
    """
    return [name for name, column in zip(votes.names, votes.table.T, strict=True) if not (column >= 0).any()]
