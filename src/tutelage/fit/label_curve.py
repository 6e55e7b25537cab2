"""The learning curve of the labels: what the labels-only model was worth with a half of them."""

from __future__ import annotations

import numpy as np

from tutelage.fit.evidence import Evidence
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.reference import name_of, probed

SHARES = (0.5, 0.75, 1.0)
"""Shares of the labels with which the model is scored."""

MOST = 5_000
"""Number of labels beyond which no curve is drawn: it is flat by then, and takes long."""

LEAST = 10
"""Number of labels below which no curve is drawn."""

FOLDS = 5
"""Number of folds, at most."""


def label_curve(problem: Problem, evidence: Evidence | None, choice: str, seed: int) -> list[tuple[int, float]]:
    """Numbers of labels, rising, and the held-out accuracy of the labels-only model with so many of them.

    The labels that each fold's model learns are thinned out, each class alike, and it is scored on all that are held
    out; its penalty is the one that all labels chose. The numbers are those of the labels of all folds together.

    Args:
        problem: problem of the fit.
        evidence: evidence of the fit; None where none was gathered.
        choice: name of the labels-only model, see `reference.Reference`; of a network a logistic regression takes its
            place.
        seed: seed of the folds.

    Returns:
        Nothing where items have no single class, features are not fixed, or there are too few or too many labels.
    """
    n = len(problem.labelled)
    if evidence is None or problem.probe is None or not problem.task.binary or not LEAST <= n <= MOST:
        return []
    if (problem.y < 0).any():
        return []
    known = {name_of(each): each for each in problem.probe.choices}
    folds, found = problem.folds(Plan(folds=FOLDS, repeats=1), seed), dict[int, float]()
    for share in SHARES:
        thinned = [(_thinned(problem.y, index, share, seed), out) for index, out in folds]
        right = problem.scored(probed(problem, thinned, known.get(choice, ("", 1e-2)))).right
        found[round(share * evidence.labels)] = float(right.mean())
    return sorted(found.items())


def _thinned(y: np.ndarray, index: np.ndarray, share: float, seed: int) -> np.ndarray:
    """A share of examples, but at least one of each class, ascending.

    Args:
        y: class number of each example, (n,).
        index: numbers of the examples, (k,).
        share: share of each class that stays, in (0, 1].
        seed: seed of the draw.
    """
    draws, kept = np.random.default_rng(seed), []
    for c in np.unique(y[index]):
        of_class = draws.permutation(index[y[index] == c])
        kept.append(of_class[: max(round(share * len(of_class)), 1)])
    return np.sort(np.concatenate(kept))
