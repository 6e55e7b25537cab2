"""Folds of scikit-learn for labels of which most are missing: only labelled items are held out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from tutelage import kinds
from tutelage.estimators.labels import groups_of
from tutelage.kinds.entries import unknown
from tutelage.kinds.one_vote import joined, own_groups
from tutelage.ops.checks import in_range


@dataclass(frozen=True)
class LabelledFolds:
    """Splitter for `cross_val_score` and `GridSearchCV`: each fold holds out labelled items, stratified by their class.

    Items without a label are in every training part, so that each training has the whole pool, and in no held-out part.
    Labels may be None, on which scikit-learn's own splitters fail.

    Args:
        n_splits: number of folds, at least 2 and at most the labels of the largest class.
        random_state: seed by which the labelled items are shuffled, a whole number in [0, 2**32).

    >>> y = ["a", "b", None, "a", "b", None]
    >>> sorted(test.tolist() for _, test in LabelledFolds(2).split(None, y))
    [[0, 4], [1, 3]]
    """

    n_splits: int = 5
    random_state: int = 0

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Numbers of the items to train on, and of those held out, for each fold.

        Args:
            X: n items, of which copies, equal ones or nearly so, are held out together; None: there are no copies.
            y: labels, (n,); -1, None or NaN is none. Lists of tags are not stratified.
            groups: group of each item, (n,); labelled items of one group are held out together. None groups none; an
                item whose group is None or NaN is a group of its own.

        Raises:
            ValueError: y is None, or has too few labels for so many folds.
        """
        in_range("n_splits", self.n_splits, 2)
        if y is None:
            raise ValueError("y must be labels, got None")
        labels = list(y)
        known = np.array([np.ndim(label) > 0 or not unknown(label) for label in labels], dtype=bool)
        rows, rest = np.flatnonzero(known), np.flatnonzero(~known)
        if len(rows) < self.n_splits:
            raise ValueError(f"y has {len(rows)} labels, fewer than n_splits={self.n_splits}; lower it, or label more")
        given = [labels[i] for i in rows]
        plain = all(np.ndim(label) == 0 for label in given)
        cells = np.array([str(label) for label in given]) if plain else None
        cluster = joined(own_groups(groups_of(groups, len(labels)), len(labels))[rows], _same(X, rows))
        together = len(np.unique(cluster)) < len(rows)
        options: dict[str, Any] = {"shuffle": True, "random_state": self.random_state}
        alone = StratifiedKFold if plain else KFold
        chosen = (StratifiedGroupKFold if plain else GroupKFold) if together else alone
        for train, test in chosen(self.n_splits, **options).split(rows, cells, cluster if together else None):
            yield np.sort(np.append(rows[train], rest)), rows[test]

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Number of folds; the arguments change nothing."""
        return self.n_splits


def _same(X: Any, rows: np.ndarray) -> np.ndarray:
    """Number of the item of each labelled row, (k,): copies have the same.

    Args:
        X: n items; None, or what no kind reads, has no copies.
        rows: numbers of the labelled rows, (k,).
    """
    alone = np.arange(len(rows))
    if X is None or len(X) <= int(rows.max(initial=-1)):
        return alone
    items = X.iloc[rows] if hasattr(X, "iloc") else X[rows] if isinstance(X, np.ndarray) else [X[i] for i in rows]
    try:
        kind: Any = kinds.of_values(items, "Tagger" if _of_words(items) else "Classifier")()
        return np.asarray(kind.same(kind.given(items, "X")))
    except (ValueError, TypeError, StopIteration):  # such as items of the user's own network
        return alone


def _of_words(items: Any) -> bool:
    """Whether items are lists of words."""
    first = next(iter(items), None)
    return isinstance(first, list | tuple) and bool(first) and isinstance(first[0], str)
