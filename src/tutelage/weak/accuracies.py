"""How often each labelling function is right: a strong prior, the same for each label model that asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from tutelage.weak.votes import Votes

ACCURACY = 0.8
"""Accuracy of a function whose votes have no labels."""
BELIEF = 10.0
"""Number of labelled votes that this accuracy is worth."""
CAUTION, SHARE, LABEL = 200.0, 0.3, 20.0
"""Parts of the weight of an accuracy's prior, in votes: CAUTION, SHARE for each of the function's own votes, and LABEL
for each of its labelled votes. The larger the weight, the less votes without labels move the accuracy."""


def ballots(votes: Votes) -> Any:
    """Votes as a sparse matrix of 0 and 1, (n c, m): 1 in line i c + k and column j if function j votes on i for k."""
    n, m = votes.table.shape
    row, function = np.nonzero(votes.table >= 0)
    line = row * len(votes.classes) + votes.table[row, function]
    return csr_array((np.ones(len(row)), (line, function)), shape=(n * len(votes.classes), m))


@dataclass(frozen=True, eq=False)
class Prior:
    """Beta priors of the functions' accuracies.

    Attributes:
        mean: their means, (m,).
        weight: their weights, in votes, (m,).
        cast: number of votes of each function, (m,).
        truth: 1 for the class of each row whose label is known, else 0, (n, c).
        known: rows whose label is known, (n,).
    """

    mean: np.ndarray
    weight: np.ndarray
    cast: np.ndarray
    truth: np.ndarray
    known: np.ndarray

    @staticmethod
    def of(votes: Votes, y: np.ndarray) -> Prior:
        """The priors that the labels set.

        Args:
            votes: votes of m functions on n rows.
            y: true class numbers, (n,), -1 = unknown.
        """
        c = len(votes.classes)
        voted, known = votes.table >= 0, y >= 0
        truth = np.eye(c + 1)[y, :c]  # zeros where unknown
        cast, labelled = voted.sum(axis=0), voted[known].sum(axis=0)
        mean = (BELIEF * ACCURACY + ballots(votes).T @ truth.ravel()) / (BELIEF + labelled)
        return Prior(mean, CAUTION + SHARE * cast + LABEL * labelled, cast, truth, known)

    def with_truth(self, p: np.ndarray) -> np.ndarray:
        """Probabilities of the classes, (n, c), in which the known rows have their class."""
        return np.where(self.known[:, None], self.truth, p)
